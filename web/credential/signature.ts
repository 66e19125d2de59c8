/** Ed25519 by roles, over frames (docs/spec/01-encoding.md sections 1.2 and 1.6). */

import { ed25519 } from "@noble/curves/ed25519.js";
import { concat, frame } from "../common/bytes";

/** Whether the role's signature over the frames holds. Strict: RFC 8032, no small orders, no other encodings. */
export function framesSignatureHolds(
  key: Uint8Array,
  signature: Uint8Array,
  ...frames: (Uint8Array | string)[]
): boolean {
  try {
    const [R, A] = [signature.subarray(0, 32), key].map((data) => ed25519.Point.fromBytes(data, false));
    if (!R || !A || R.isSmallOrder() || A.isSmallOrder()) return false;
    return ed25519.verify(signature, concat(...frames.map(frame)), key, { zip215: false });
  } catch {
    return false;
  }
}
