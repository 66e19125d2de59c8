/**
 * Deterministic CBOR as docs/spec/01-encoding.md section 1.1 has it: integers below 2^53, byte and text strings, arrays,
 * maps with text keys, true, false, null. A value has one encoding, and the decoder refuses every other one.
 */

import { type Bytes, concat, utf8 } from "./bytes";

export type Cbor = number | string | boolean | null | Bytes | Cbor[] | CborMap;
export type CborMap = { [key: string]: Cbor };

const MOST_NESTING = 16;

export class CborError extends Error {}

function head(major: number, argument: number): Bytes {
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  const length = argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < 0x100000000 ? 4 : 8;
  const out = new Uint8Array(1 + length);
  out[0] = type | (24 + Math.log2(length));
  for (let i = length, rest = argument; i > 0; i--) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return out;
}

export function encode(value: Cbor): Bytes {
  if (value === null) return Uint8Array.of(0xf6);
  if (value === false) return Uint8Array.of(0xf4);
  if (value === true) return Uint8Array.of(0xf5);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new CborError("not an integer below 2^53");
    return value >= 0 ? head(0, value) : head(1, -1 - value);
  }
  if (typeof value === "string") {
    // A lone surrogate would silently become U+FFFD.
    if (/[\ud800-\udfff]/u.test(value)) throw new CborError("text is not well-formed");
    const text = utf8(value);
    return concat(head(3, text.length), text);
  }
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (Array.isArray(value)) return concat(head(4, value.length), ...value.map(encode));
  const pairs = Object.entries(value).map(([key, item]) => [encode(key), encode(item)] as const);
  pairs.sort(([a], [b]) => compare(a, b));
  return concat(head(5, pairs.length), ...pairs.flat());
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = a[i]! - b[i]!;
    if (difference) return difference;
  }
  return a.length - b.length;
}

/** Strict inverse of `encode`. Throws CborError; `limit` is in bytes and is looked at first. */
export function decode(data: Uint8Array, limit: number): Cbor {
  if (data.length > limit) throw new CborError("longer than the limit");
  const reader = new Reader(data);
  const value = reader.item(1);
  if (reader.at !== data.length) throw new CborError("bytes after the end");
  return value;
}

class Reader {
  at = 0;
  readonly #data: Uint8Array;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  #take(length: number): Bytes {
    if (length > this.#data.length - this.at) throw new CborError("truncated");
    this.at += length;
    return new Uint8Array(this.#data.subarray(this.at - length, this.at));
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw new CborError("indefinite length or reserved");
    const length = 2 ** (info - 24);
    const value = this.#take(length).reduce((sum, byte) => sum * 256 + byte, 0);
    const least = [24, 0x100, 0x10000, 0x100000000][info - 24]!;
    if (value < least || !Number.isSafeInteger(value)) throw new CborError("not the shortest form, or too large");
    return value;
  }

  item(depth: number): Cbor {
    const first = this.#take(1)[0]!;
    const major = first >> 5;
    if (major === 7) {
      if (first === 0xf4) return false;
      if (first === 0xf5) return true;
      if (first === 0xf6) return null;
      throw new CborError("simple value or float");
    }
    const argument = this.#argument(first & 31);
    switch (major) {
      case 0:
        return argument;
      case 1:
        if (!Number.isSafeInteger(-1 - argument)) throw new CborError("too large");
        return -1 - argument;
      case 2:
        return this.#take(argument);
      case 3:
        return this.#string(argument);
      case 4:
        return this.#array(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        throw new CborError("tag");
    }
  }

  #string(length: number): string {
    try {
      return this.#text.decode(this.#take(length));
    } catch (error) {
      throw error instanceof CborError ? error : new CborError("text is not UTF-8");
    }
  }

  #array(length: number, depth: number): Cbor[] {
    if (depth > MOST_NESTING) throw new CborError("nested too deeply");
    // Each item has at least one byte, so a length that lies costs nothing.
    if (length > this.#data.length - this.at) throw new CborError("truncated");
    return Array.from({ length }, () => this.item(depth + 1));
  }

  #map(length: number, depth: number): CborMap {
    if (depth > MOST_NESTING) throw new CborError("nested too deeply");
    if (2 * length > this.#data.length - this.at) throw new CborError("truncated");
    const map = Object.create(null) as CborMap;
    let last: Uint8Array | undefined;
    for (let i = 0; i < length; i++) {
      const start = this.at;
      const key = this.item(depth + 1);
      if (typeof key !== "string") throw new CborError("key is no text");
      const encoded = this.#data.subarray(start, this.at);
      if (last && compare(last, encoded) >= 0) throw new CborError("keys repeated or out of order");
      last = encoded;
      map[key] = this.item(depth + 1);
    }
    return map;
  }
}

/** A map with exactly these keys. Throws CborError. */
export function requireMap(value: Cbor | undefined, keys: readonly string[], what: string): CborMap {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw new CborError(`${what}: no map`);
  const found = Object.keys(value);
  if (found.length !== keys.length || !keys.every((key) => found.includes(key)))
    throw new CborError(`${what}: other members`);
  return value;
}

/** A byte string of `least` .. `most` bytes; exactly `least` where only that is given. */
export function requireBytes(value: Cbor | undefined, what: string, least: number, most = least): Bytes {
  if (!(value instanceof Uint8Array) || value.length < least || value.length > most)
    throw new CborError(`${what}: not bytes of the right length`);
  return value;
}

export function requireUint(value: Cbor | undefined, what: string): number {
  if (typeof value !== "number" || value < 0) throw new CborError(`${what}: no unsigned integer`);
  return value;
}

export function requireText(value: Cbor | undefined, what: string, pattern = /^/): string {
  if (typeof value !== "string" || !pattern.test(value)) throw new CborError(`${what}: not such a text`);
  return value;
}

export function requireList(value: Cbor | undefined, what: string): Cbor[] {
  if (!Array.isArray(value)) throw new CborError(`${what}: no list`);
  return value;
}
