/** Byte strings: joining, framing (docs/spec/01-encoding.md section 1.2), hex and base64url. */

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

export function concat(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether two public byte strings are equal. Variable time. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Eight bytes, big-endian, of an integer 0 .. 2^53 - 1. */
export function u64(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("not an unsigned integer");
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value));
  return out;
}

/** frame(x) = u64(len(x)) || x */
export function frame(data: Uint8Array | string): Bytes {
  const bytes = typeof data === "string" ? utf8(data) : data;
  return concat(u64(bytes.length), bytes);
}

export function toHex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Lower-case hex only. Throws RangeError otherwise. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 || /[^0-9a-f]/.test(text)) throw new RangeError("not lower-case hex");
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

export function toBase64url(data: Uint8Array): string {
  let binary = "";
  for (const byte of data) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The one base64url form without padding. Throws RangeError for every other text. */
export function fromBase64url(text: string): Bytes {
  if (/[^A-Za-z0-9_-]/.test(text) || text.length % 4 === 1) throw new RangeError("not base64url");
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const data = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (toBase64url(data) !== text) throw new RangeError("not canonical base64url");
  return data;
}

/** Big-endian integer. */
export function toInteger(data: Uint8Array): bigint {
  return data.length === 0 ? 0n : BigInt("0x" + toHex(data));
}
