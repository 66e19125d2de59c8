/** sha(domain, x1, ..., xn) of docs/spec/01-encoding.md section 1.2. */

import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, frame } from "../common/bytes";

export function hash(data: Uint8Array): Bytes {
  return new Uint8Array(sha256(data));
}

export function sha(domain: string, ...parts: (Uint8Array | string)[]): Bytes {
  return hash(concat(frame(domain), ...parts.map(frame)));
}
