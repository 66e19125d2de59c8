/**
 * The wallet: one voter's pseudonym, and what it takes to finish issuance. Content as in docs/spec/05-credentials.md
 * section 5.10; in a browser it is sealed with AES-256-GCM, because that is what browsers have.
 *
 * A record holds nothing secret but `sealed`; the other members are what issuers see anyway, and are bound to it.
 */

import { type Bytes, concat, equal, fromHex, toHex, utf8 } from "../common/bytes";
import { decode, encode, requireBytes, requireMap, requireText, requireUint } from "../common/cbor";
import { decodeRandomizer, encodeRandomizer, G1_BYTES } from "./blind";

const FIRST_LINE = "evoting-browser-wallet/v1\n";
const NONCE_BYTES = 12;
const MAX_CONTENT_BYTES = 4096;
const MEMBERS = ["fingerprint", "style", "position", "secret", "blinding", "blinded", "credential"];

export interface Wallet {
  fingerprint: Bytes;
  style: string;
  position: number;
  /** The pseudonym's scalar, 32 bytes little-endian. */
  secret: Bytes;
  /** The randomizer until the credential is there, then erased. */
  blinding: bigint | null;
  /** M' */
  blinded: Bytes;
  credential: Bytes | null;
}

/** What a wallet is sealed under: a secret of the passkey (WebAuthn PRF), or a key that this browser does not give out. */
export type Sealing = "passkey" | "browser";

export interface WalletRecord {
  /** Election fingerprint in hex: one wallet for each election. */
  election: string;
  sealing: Sealing;
  /** Credential id of the voting passkey. */
  passkey: Bytes;
  style: string;
  position: number;
  blinded: Bytes;
  issued: boolean;
  nonce: Bytes;
  sealed: Bytes;
}

/** The record was altered, sealed under another key, or belongs to another passkey. */
export class WalletError extends Error {}

function encodeWallet(wallet: Wallet): Bytes {
  return encode({
    fingerprint: wallet.fingerprint,
    style: wallet.style,
    position: wallet.position,
    secret: wallet.secret,
    blinding: wallet.blinding === null ? null : encodeRandomizer(wallet.blinding),
    blinded: wallet.blinded,
    credential: wallet.credential,
  });
}

function decodeWallet(data: Bytes): Wallet {
  const members = requireMap(decode(data, MAX_CONTENT_BYTES), MEMBERS, "wallet");
  const { blinding, credential } = members;
  if ((blinding === null) === (credential === null)) throw new WalletError("either a blinding or a credential");
  return {
    fingerprint: requireBytes(members.fingerprint, "fingerprint", 32),
    style: requireText(members.style, "style"),
    position: requireUint(members.position, "position"),
    secret: requireBytes(members.secret, "secret", 32),
    blinding: blinding === null ? null : decodeRandomizer(requireBytes(blinding, "blinding", 32)),
    blinded: requireBytes(members.blinded, "blinded", G1_BYTES),
    credential: credential === null ? null : requireBytes(credential, "credential", G1_BYTES),
  };
}

type Header = Omit<WalletRecord, "nonce" | "sealed">;

function additionalData(header: Header): Bytes {
  const { election, sealing, passkey, style, position, blinded, issued } = header;
  return concat(utf8(FIRST_LINE), encode({ election: fromHex(election), sealing, passkey, style, position, blinded, issued }));
}

export async function sealWallet(wallet: Wallet, passkey: Bytes, sealing: Sealing, key: CryptoKey): Promise<WalletRecord> {
  const header: Header = {
    election: toHex(wallet.fingerprint),
    sealing,
    passkey,
    style: wallet.style,
    position: wallet.position,
    blinded: wallet.blinded,
    issued: wallet.credential !== null,
  };
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: additionalData(header) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encodeWallet(wallet)));
  return { ...header, nonce, sealed };
}

/** Throws WalletError. */
export async function openWallet(record: WalletRecord, key: CryptoKey): Promise<Wallet> {
  let wallet: Wallet;
  try {
    const algorithm = { name: "AES-GCM", iv: record.nonce, additionalData: additionalData(record) };
    wallet = decodeWallet(new Uint8Array(await crypto.subtle.decrypt(algorithm, key, record.sealed)));
  } catch {
    throw new WalletError("the wallet does not open");
  }
  const agrees =
    toHex(wallet.fingerprint) === record.election &&
    wallet.style === record.style &&
    wallet.position === record.position &&
    equal(wallet.blinded, record.blinded) &&
    (wallet.credential !== null) === record.issued;
  if (!agrees) throw new WalletError("the wallet is not what its record says");
  return wallet;
}

/** The key that a passkey's PRF output stands for. `prf` is 32 bytes. */
export async function keyFromPasskey(prf: Bytes): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", prf, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(FIRST_LINE) };
  return crypto.subtle.deriveKey(derivation, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

export async function newBrowserKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
