/** Requests for a credential, tickets, answers and refusals: docs/spec/05-credentials.md sections 5.4 and 5.5. */

import { type Bytes, u64 } from "../common/bytes";
import {
  type Cbor,
  decode,
  encode,
  requireBytes,
  requireMap,
  requireText,
  requireUint,
} from "../common/cbor";
import { G1_BYTES } from "./blind";
import { hash } from "./hash";
import { HASH_BYTES, leafHash, rootOfProof } from "./merkle";
import { framesSignatureHolds } from "./signature";

export const MAX_REQUEST_BYTES = 16_384;
const MAX_ANSWER_BYTES = 1024;

export interface Assertion {
  credential: Bytes;
  clientData: Bytes;
  authenticatorData: Bytes;
  signature: Bytes;
}

export interface Ticket {
  date: number;
  size: number;
  index: number;
  path: Bytes;
  signature: Bytes;
}

export interface Request {
  style: string;
  position: number;
  credential: Bytes;
  blinded: Bytes;
}

/** What the passkey signs as its challenge. It is computed here and nowhere else: a server's challenge is never signed. */
export function requestHash(fingerprint: Bytes, request: Request): Bytes {
  const { style, position, credential, blinded } = request;
  return hash(encode(["issue-v1", fingerprint, style, position, credential, blinded]));
}

export function encodeRequest(request: Request, assertion: Assertion, ticket: Ticket): Bytes {
  const data = encode({
    style: request.style,
    position: request.position,
    credential: request.credential,
    blinded: request.blinded,
    assertions: [
      {
        credential: assertion.credential,
        "client-data": assertion.clientData,
        "authenticator-data": assertion.authenticatorData,
        signature: assertion.signature,
      },
    ],
    ticket: { ...ticket },
  });
  if (data.length > MAX_REQUEST_BYTES) throw new RangeError("the request is too long");
  return data;
}

/** Throws CborError. */
export function decodeTicket(data: Uint8Array): Ticket {
  const keys = ["date", "size", "index", "path", "signature"];
  const members = requireMap(decode(data, MAX_REQUEST_BYTES), keys, "ticket");
  return {
    date: requireUint(members.date, "date"),
    size: requireUint(members.size, "size"),
    index: requireUint(members.index, "index"),
    path: requireBytes(members.path, "path", 0, HASH_BYTES * 64),
    signature: requireBytes(members.signature, "signature", 64),
  };
}

/** Whether the identity provider signed a tree with this request hash in it. */
export function ticketHolds(ticket: Ticket, fingerprint: Bytes, requestHash: Bytes, key: Uint8Array): boolean {
  const root = rootOfProof(leafHash(requestHash), ticket.index, ticket.size, ticket.path);
  const numbers = [ticket.date, ticket.size].map(u64);
  return (
    root !== null &&
    framesSignatureHolds(key, ticket.signature, "evoting/v1/ticket", fingerprint, ...numbers, root)
  );
}

export interface Answer {
  kind: "answer";
  issuer: number;
  hash: Bytes;
  partial: Bytes;
}

export interface Refusal {
  kind: "refusal";
  issuer: number;
  hash: Bytes;
  code: string;
  date: number;
  signature: Bytes;
}

/** An answer or a refusal; the point is not looked at. Throws CborError. */
export function decodeAnswer(data: Uint8Array): Answer | Refusal {
  const value: Cbor = decode(data, MAX_ANSWER_BYTES);
  if (typeof value === "object" && value !== null && "refusal" in value) {
    const members = requireMap(value, ["issuer", "hash", "refusal", "date", "signature"], "refusal");
    return {
      kind: "refusal",
      issuer: requireUint(members.issuer, "issuer"),
      hash: requireBytes(members.hash, "hash", HASH_BYTES),
      code: requireText(members.refusal, "refusal", /^[a-z-]{1,64}$/),
      date: requireUint(members.date, "date"),
      signature: requireBytes(members.signature, "signature", 64),
    };
  }
  const members = requireMap(value, ["issuer", "hash", "partial"], "answer");
  return {
    kind: "answer",
    issuer: requireUint(members.issuer, "issuer"),
    hash: requireBytes(members.hash, "hash", HASH_BYTES),
    partial: requireBytes(members.partial, "partial", G1_BYTES),
  };
}

/** Whether the issuer signed the refusal: then it proves to third parties what the issuer did. */
export function refusalHolds(refusal: Refusal, fingerprint: Bytes, key: Uint8Array): boolean {
  const { issuer, hash, code, date, signature } = refusal;
  return framesSignatureHolds(
    key,
    signature,
    "evoting/v1/issuance-refusal",
    fingerprint,
    u64(issuer),
    hash,
    code,
    u64(date),
  );
}
