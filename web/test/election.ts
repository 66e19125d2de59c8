/** A small election for tests: real keys and signatures, the issuers of docs/spec/vectors/credential-issuance.json. */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { type Bytes, concat, frame, fromHex, toInteger, u64 } from "../common/bytes";
import { type Cbor, type CborMap, encode } from "../common/cbor";
import { decodeG1, encodeG1, type G1Point } from "../credential/blind";
import { type Election, openElection } from "../credential/election";
import { hash, sha } from "../credential/hash";
import { leafHash } from "../credential/merkle";
import type { Request } from "../credential/request";
import { requestHash } from "../credential/request";
import { vectors } from "./vectors";

export const known = vectors("credential-issuance");
export const STYLE = "abroad";
export const TODAY = 20_000;

export function secretKey(name: string): Bytes {
  return sha("test-key", name);
}

const publicKey = (name: string) => Uint8Array.from(ed25519.getPublicKey(secretKey(name)));

export interface Parts {
  fingerprint: Bytes;
  opening: Bytes;
  manifest: Bytes;
  keys: Bytes;
}

export interface Change {
  manifest?: CborMap;
  keys?: Cbor;
  body?: CborMap;
  type?: string;
}

export function parts(change: Change = {}): Parts {
  const roles = [
    { id: "idp", kind: "identity-provider", index: 1, key: publicKey("idp") },
    ...[1, 2, 3, 4].map((index) => ({ id: `issuer-${index}`, kind: "issuer", index, key: publicKey(`issuer-${index}`) })),
  ];
  const manifest = encode({
    id: "test",
    title: { ky: "Шайлоо", en: "Election" },
    model: true,
    origins: { voting: "https://vote.example", identity: "https://id.example" },
    opens: 1,
    closes: 2,
    issuers: { m: 4, k: 3 },
    roles,
    ...change.manifest,
  });
  const shares = concat(...["1", "2", "3", "4"].map((i) => fromHex(known.share_keys[i])));
  const keys = encode(change.keys ?? [{ style: STYLE, key: fromHex(known.issuance_key), shares }]);
  const reference = (data: Bytes) => ({ hash: hash(data), length: data.length });
  const body = {
    manifest: reference(manifest),
    issuers: { transcript: reference(new Uint8Array()), keys: reference(keys) },
    origin: "test/log",
    ...change.body,
  };
  const opening = encode({ type: change.type ?? "opening", body: encode(body), signatures: [] });
  return { fingerprint: sha("evoting/v1/fingerprint", opening), opening, manifest, keys };
}

export function election(): Election {
  const { fingerprint, opening, manifest, keys } = parts();
  return openElection(fingerprint, opening, manifest, keys);
}

function sign(name: string, ...frames: (Bytes | string)[]): Bytes {
  return Uint8Array.from(ed25519.sign(concat(...frames.map(frame)), secretKey(name)));
}

/** A ticket for one hash, as the identity provider makes it. */
export function ticketFor(fingerprint: Bytes, requestHash: Bytes, by = "idp"): Bytes {
  const root = leafHash(requestHash);
  const signature = sign(by, "evoting/v1/ticket", fingerprint, u64(TODAY), u64(1), root);
  return encode({ date: TODAY, size: 1, index: 0, path: new Uint8Array(), signature });
}

export function partialOf(issuer: number, blinded: Bytes): G1Point {
  const share = toInteger(fromHex(known.shares[issuer]));
  return decodeG1(blinded).multiply(share % bls12_381.fields.Fr.ORDER);
}

export function answerOf(issuer: number, fingerprint: Bytes, request: Request): Bytes {
  const partial = encodeG1(partialOf(issuer, request.blinded));
  return encode({ issuer, hash: requestHash(fingerprint, request), partial });
}

export function refusalOf(issuer: number, fingerprint: Bytes, hash: Bytes, code: string, by = `issuer-${issuer}`): Bytes {
  const signature = sign(by, "evoting/v1/issuance-refusal", fingerprint, u64(issuer), hash, code, u64(TODAY));
  return encode({ issuer, hash, refusal: code, date: TODAY, signature });
}
