/**
 * The election as its fingerprint stands for it: opening entry, manifest and issuance keys may come from anybody, because
 * each is checked against the one before (docs/spec/02-record.md sections 2.2, 2.4, 2.5). A key made for one voter would
 * mark that voter's credential (attack C4); here it fails the fingerprint.
 */

import { type Bytes, equal } from "../common/bytes";
import {
  type Cbor,
  CborError,
  type CborMap,
  decode,
  requireBytes,
  requireList,
  requireMap,
  requireText,
  requireUint,
} from "../common/cbor";
import { G2_BYTES } from "./blind";
import { hash, sha } from "./hash";

const MAX_ENTRY_BYTES = 65_535;
const MAX_MANIFEST_BYTES = 2 ** 25;
const MAX_KEYS_BYTES = 2 ** 26;
const ID = /^[a-z0-9-]{1,64}$/;

export class ElectionError extends Error {}

export interface Election {
  fingerprint: Bytes;
  id: string;
  title: Record<string, string>;
  model: boolean;
  origin: string;
  votingOrigin: string;
  identityOrigin: string;
  opens: number;
  closes: number;
  issuers: number;
  threshold: number;
  identityProviderKey: Bytes;
  /** Role keys by issuer index 1..m. */
  issuerKeys: ReadonlyMap<number, Bytes>;
  styles: ReadonlyMap<string, StyleKeys>;
}

export interface StyleKeys {
  key: Bytes;
  /** Share keys by issuer index; issuers that the ceremony excluded have none. */
  shares: ReadonlyMap<number, Bytes>;
}

/** Throws ElectionError. */
export function openElection(fingerprint: Bytes, opening: Bytes, manifest: Bytes, keys: Bytes): Election {
  if (!equal(sha("evoting/v1/fingerprint", opening), fingerprint))
    throw new ElectionError("the opening entry is not the one of the election's fingerprint");
  try {
    const entry = requireMap(decode(opening, MAX_ENTRY_BYTES), ["type", "body", "signatures"], "opening entry");
    const body = asMap(decode(requireBytes(entry.body, "body", 0, MAX_ENTRY_BYTES), MAX_ENTRY_BYTES), "opening body");
    if (entry.type !== "opening") throw new ElectionError("not an opening entry");
    requireBlob(body.manifest, manifest, "manifest");
    requireBlob(asMap(body.issuers, "issuers").keys, keys, "issuance keys");
    return read(fingerprint, asMap(decode(manifest, MAX_MANIFEST_BYTES), "manifest"), body, keys);
  } catch (error) {
    throw error instanceof CborError ? new ElectionError(error.message) : error;
  }
}

function read(fingerprint: Bytes, manifest: CborMap, body: CborMap, keys: Bytes): Election {
  const origins = asMap(manifest.origins, "origins");
  const numbers = requireMap(manifest.issuers, ["m", "k"], "issuers");
  const issuers = requireUint(numbers.m, "m");
  const threshold = requireUint(numbers.k, "k");
  if (2 * threshold <= issuers || threshold > issuers) throw new ElectionError("threshold of issuers out of range");
  const roles = requireList(manifest.roles, "roles").map((role) => asMap(role, "role"));
  const providers = roles.filter((role) => role.kind === "identity-provider");
  if (providers.length !== 1) throw new ElectionError("not exactly one identity provider");
  return {
    fingerprint,
    id: requireText(manifest.id, "id", ID),
    title: Object.fromEntries(
      Object.entries(asMap(manifest.title, "title")).map(([language, text]) => [language, requireText(text, "title")]),
    ),
    model: manifest.model !== false,
    origin: requireText(body.origin, "origin"),
    votingOrigin: requireText(origins.voting, "voting origin"),
    identityOrigin: requireText(origins.identity, "identity origin"),
    opens: requireUint(manifest.opens, "opens"),
    closes: requireUint(manifest.closes, "closes"),
    issuers,
    threshold,
    identityProviderKey: requireBytes(providers[0]!.key, "key", 32),
    issuerKeys: new Map(
      roles
        .filter((role) => role.kind === "issuer")
        .map((role) => [requireUint(role.index, "index"), requireBytes(role.key, "key", 32)]),
    ),
    styles: readKeys(keys, issuers),
  };
}

function readKeys(data: Bytes, issuers: number): Map<string, StyleKeys> {
  const styles = new Map<string, StyleKeys>();
  for (const item of requireList(decode(data, MAX_KEYS_BYTES), "issuance keys")) {
    const members = requireMap(item, ["style", "key", "shares"], "issuance key");
    const style = requireText(members.style, "style", ID);
    const shares = requireBytes(members.shares, "shares", issuers * G2_BYTES);
    if (styles.has(style)) throw new ElectionError("a ballot style occurs twice");
    const byIssuer = new Map<number, Bytes>();
    for (let i = 1; i <= issuers; i++) {
      const share = shares.slice(G2_BYTES * (i - 1), G2_BYTES * i);
      if (share.some((byte) => byte !== 0)) byIssuer.set(i, share);
    }
    styles.set(style, { key: requireBytes(members.key, "key", G2_BYTES), shares: byIssuer });
  }
  return styles;
}

function asMap(value: Cbor | undefined, what: string): CborMap {
  return requireMap(value, typeof value === "object" && value !== null ? Object.keys(value) : [], what);
}

function requireBlob(reference: Cbor | undefined, data: Bytes, what: string): void {
  const named = requireMap(reference, ["hash", "length"], `reference to the ${what}`);
  if (requireUint(named.length, "length") !== data.length || !equal(requireBytes(named.hash, "hash", 32), hash(data)))
    throw new ElectionError(`the ${what} are not what the opening entry names`);
}
