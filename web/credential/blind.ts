/**
 * Threshold blind BLS, the device's side: docs/spec/05-credentials.md section 5.1, over BLS12-381 with signatures in G1.
 *
 * JavaScript integers are not constant time. What is secret here, r and the pseudonym's scalar, is used once, on the
 * voter's own device.
 */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { ristretto255 } from "@noble/curves/ed25519.js";
import { type Bytes, concat, equal, frame, toInteger } from "../common/bytes";

const { G1, G2, fields } = bls12_381;
const Fr = fields.Fr;
const Scalar = ristretto255.Point.Fn;
const DST = "evoting/v1/credential";

export const G1_BYTES = 48;
export const G2_BYTES = 96;
/** Bytes of entropy from which a scalar is drawn. */
export const WIDE_BYTES = 64;

export type G1Point = InstanceType<typeof G1.Point>;
export type G2Point = InstanceType<typeof G2.Point>;

/** A point is not canonical, not on the curve, outside the subgroup, or the identity. */
export class PointError extends Error {}

export function decodeG1(data: Uint8Array): G1Point {
  return decodePoint(G1.Point, data, G1_BYTES);
}

export function decodeG2(data: Uint8Array): G2Point {
  return decodePoint(G2.Point, data, G2_BYTES);
}

interface Decoded {
  is0(): boolean;
  isTorsionFree(): boolean;
  assertValidity(): void;
  toBytes(isCompressed?: boolean): Uint8Array;
}

function decodePoint<P extends Decoded>(group: { fromBytes(data: Uint8Array): P }, data: Uint8Array, size: number): P {
  let point: P;
  try {
    if (data.length !== size) throw new PointError("wrong length");
    point = group.fromBytes(data);
    point.assertValidity();
  } catch {
    throw new PointError("not a point");
  }
  if (point.is0() || !point.isTorsionFree() || !equal(point.toBytes(true), data))
    throw new PointError("identity, outside the subgroup, or not canonical");
  return point;
}

export function encodeG1(point: G1Point): Bytes {
  return new Uint8Array(point.toBytes(true));
}

/** msg(style, pseudonym) */
export function encodeMessage(fingerprint: Uint8Array, style: string, pseudonym: Uint8Array): Bytes {
  return concat(frame(fingerprint), frame(style), frame(pseudonym));
}

export function hashMessage(message: Uint8Array): G1Point {
  return G1.hashToCurve(message, { DST }) as G1Point;
}

/** The big-endian integer of 64 fresh bytes modulo q; null where that is zero, and the caller draws again. */
export function randomizerFrom(entropy: Uint8Array): bigint | null {
  if (entropy.length !== WIDE_BYTES) throw new RangeError("a randomizer is drawn from 64 bytes");
  const r = Fr.create(toInteger(entropy));
  return r === 0n ? null : r;
}

/** The little-endian integer of 64 fresh bytes modulo L; null where that is zero. */
export function pseudonymSecretFrom(entropy: Uint8Array): Bytes | null {
  if (entropy.length !== WIDE_BYTES) throw new RangeError("a secret is drawn from 64 bytes");
  const x = Scalar.create(toInteger(Uint8Array.from(entropy).reverse()));
  return x === 0n ? null : new Uint8Array(Scalar.toBytes(x));
}

/** The canonical encoding of x*G. Throws for zero and for what is no canonical scalar. */
export function pseudonymOf(secret: Uint8Array): Bytes {
  const x = Scalar.fromBytes(secret);
  return new Uint8Array(ristretto255.Point.BASE.multiply(x).toBytes());
}

/** 32 bytes, big-endian. */
export function encodeRandomizer(r: bigint): Bytes {
  return new Uint8Array(Fr.toBytes(r));
}

/** Throws RangeError unless canonical and not zero. */
export function decodeRandomizer(data: Uint8Array): bigint {
  const r = toInteger(data);
  if (data.length !== 32 || r === 0n || r >= Fr.ORDER) throw new RangeError("not a randomizer");
  return r;
}

export function blind(hashed: G1Point, r: bigint): G1Point {
  return hashed.multiply(r);
}

/** Whether e(signature, g2) = e(message, key). Public inputs. */
export function signatureHolds(signature: G1Point, message: G1Point, key: G2Point): boolean {
  const product = bls12_381.pairingBatch([
    { g1: signature, g2: G2.Point.BASE },
    { g1: message.negate(), g2: key },
  ]);
  return fields.Fp12.eql(product, fields.Fp12.ONE);
}

/** The sum of lambda_i * P_i over exactly the issuers in the map. */
export function combine(partials: ReadonlyMap<number, G1Point>): G1Point {
  let sum = G1.Point.ZERO as G1Point;
  for (const [i, partial] of partials) {
    let numerator = 1n;
    let denominator = 1n;
    for (const j of partials.keys()) {
      if (j === i) continue;
      numerator = Fr.mul(numerator, BigInt(j));
      denominator = Fr.mul(denominator, Fr.create(BigInt(j - i)));
    }
    sum = sum.add(partial.multiplyUnsafe(Fr.mul(numerator, Fr.inv(denominator)))) as G1Point;
  }
  return sum;
}

export function unblind(combined: G1Point, r: bigint): G1Point {
  return combined.multiply(Fr.inv(r));
}
