/** RFC 6962 leaves, nodes and inclusion proofs (docs/spec/02-log.md). */

import { type Bytes, concat, equal } from "../common/bytes";
import { hash } from "./hash";

export const HASH_BYTES = 32;

export function leafHash(entry: Uint8Array): Bytes {
  return hash(concat(Uint8Array.of(0), entry));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return hash(concat(Uint8Array.of(1), left, right));
}

/** The root that a proof leads to from `leaf` at `index` of `size`, or null where the proof has not that shape (RFC 9162 2.1.3.2). */
export function rootOfProof(leaf: Bytes, index: number, size: number, path: Uint8Array): Bytes | null {
  if (index >= size || path.length % HASH_BYTES) return null;
  let node = leaf;
  let [position, last] = [BigInt(index), BigInt(size) - 1n];
  for (let at = 0; at < path.length; at += HASH_BYTES) {
    const sibling = path.subarray(at, at + HASH_BYTES);
    if (last === 0n) return null;
    if (position & 1n || position === last) {
      node = nodeHash(sibling, node);
      while (!(position & 1n) && position !== 0n) {
        position >>= 1n;
        last >>= 1n;
      }
    } else {
      node = nodeHash(node, sibling);
    }
    position >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? node : null;
}

export function rootOfLeaves(leaves: readonly Bytes[]): Bytes {
  if (leaves.length === 0) return hash(new Uint8Array());
  if (leaves.length === 1) return leaves[0]!;
  let half = 1;
  while (2 * half < leaves.length) half *= 2;
  return nodeHash(rootOfLeaves(leaves.slice(0, half)), rootOfLeaves(leaves.slice(half)));
}

export function includes(leaf: Bytes, index: number, size: number, path: Uint8Array, root: Uint8Array): boolean {
  const found = rootOfProof(leaf, index, size, path);
  return found !== null && equal(found, root);
}
