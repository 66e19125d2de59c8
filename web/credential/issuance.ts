/**
 * Obtaining a credential: docs/spec/05-credentials.md sections 5.1 and 5.4, in this order and no other:
 *
 *   pseudonym and blinding -> passkey signs the request hash -> wallet sealed, stored, read back and opened
 *   -> ticket -> the same request to every issuer -> verified partials -> credential verified and stored, r erased
 *
 * Nothing leaves the device before the wallet is in its store: a pseudonym that is lost after issuance cannot be replaced.
 * A device that lost the answers starts again from the stored wallet and sends the same hash.
 */

import { type Bytes, equal, toHex } from "../common/bytes";
import {
  blind,
  combine,
  decodeG1,
  decodeG2,
  encodeG1,
  encodeMessage,
  type G1Point,
  hashMessage,
  pseudonymOf,
  pseudonymSecretFrom,
  randomizerFrom,
  signatureHolds,
  unblind,
  WIDE_BYTES,
} from "./blind";
import type { Election, StyleKeys } from "./election";
import {
  type Assertion,
  decodeAnswer,
  decodeTicket,
  encodeRequest,
  refusalHolds,
  type Request,
  requestHash,
  type Ticket,
  ticketHolds,
} from "./request";
import type { WalletStore } from "./store";
import { keyFromPasskey, openWallet, sealWallet, type Sealing, type Wallet } from "./wallet";

export interface Signed {
  assertion: Assertion;
  /** The passkey's PRF output for this election, where authenticator and browser have it. */
  prf: Bytes | null;
}

/** What one issuer did. `invalid`: its answer is wrong, or it is not the issuer that it should be. */
export type Outcome =
  | { kind: "valid" }
  | { kind: "refused"; code: string; evidence: Bytes }
  | { kind: "invalid" }
  | { kind: "unreachable" };

export interface Ports {
  store: WalletStore;
  entropy(bytes: number): Bytes;
  /** The voting passkey's assertion over `challenge`, user verified. */
  sign(challenge: Bytes): Promise<Signed>;
  /** The identity provider's ticket for this request, as CBOR. */
  ticket(request: Request): Promise<{ hash: Bytes; ticket: Bytes }>;
  /** One issuer's CBOR answer to the request; retries what is worth retrying. Rejects if the issuer cannot be reached. */
  issue(issuer: number, request: Bytes): Promise<Bytes>;
  progress?(outcomes: ReadonlyMap<number, Outcome>): void;
}

export type IssuanceCode = "wrong-ticket" | "too-few-issuers" | "already-issued" | "wallet-locked" | "bad-keys";

export class IssuanceError extends Error {
  readonly code: IssuanceCode;
  readonly outcomes: ReadonlyMap<number, Outcome>;

  constructor(code: IssuanceCode, outcomes: ReadonlyMap<number, Outcome> = new Map()) {
    super(code);
    this.code = code;
    this.outcomes = outcomes;
  }
}

/** A wallet that has been read from the device's store: the step that a request needs before it. */
interface Stored {
  wallet: Wallet;
  sealing: Sealing;
  key: CryptoKey;
  passkey: Bytes;
}

export async function obtainCredential(
  election: Election,
  style: string,
  position: number,
  passkey: Bytes,
  ports: Ports,
): Promise<Bytes> {
  const keys = election.styles.get(style);
  if (!keys) throw new IssuanceError("bad-keys");
  const existing = await ports.store.load(toHex(election.fingerprint));
  const fresh = existing ? null : newWallet(election.fingerprint, style, position, ports.entropy);
  const request: Request = existing
    ? { style: existing.style, position: existing.position, credential: existing.passkey, blinded: existing.blinded }
    : { style, position, credential: passkey, blinded: fresh!.blinded };
  const hash = requestHash(election.fingerprint, request);
  const signed = await ports.sign(hash);
  const sealing = existing?.sealing ?? (signed.prf ? "passkey" : "browser");
  const key = await sealingKey(sealing, signed, ports.store);
  const stored = await storedWallet(election, fresh, sealing, key, request.credential, ports.store);
  if (stored.wallet.credential) return stored.wallet.credential;
  const ticket = await obtainTicket(election, request, hash, ports);
  const data = encodeRequest(request, signed.assertion, ticket);
  const partials = await collect(election, keys, request, hash, data, ports);
  return complete(election, keys, stored, partials, ports.store);
}

function newWallet(fingerprint: Bytes, style: string, position: number, entropy: Ports["entropy"]): Wallet {
  const secret = draw(entropy, pseudonymSecretFrom);
  const blinding = draw(entropy, randomizerFrom);
  const hashed = hashMessage(encodeMessage(fingerprint, style, pseudonymOf(secret)));
  const blinded = encodeG1(blind(hashed, blinding));
  return { fingerprint, style, position, secret, blinding, blinded, credential: null };
}

function draw<T>(entropy: Ports["entropy"], from: (bytes: Bytes) => T | null): T {
  for (;;) {
    const value = from(entropy(WIDE_BYTES));
    if (value !== null) return value;
  }
}

async function sealingKey(sealing: Sealing, signed: Signed, store: WalletStore): Promise<CryptoKey> {
  if (sealing === "browser") return store.browserKey();
  if (!signed.prf) throw new IssuanceError("wallet-locked");
  return keyFromPasskey(signed.prf);
}

/** Seal and store a fresh wallet; then, fresh or not, what counts is what the store gives back and the key opens. */
async function storedWallet(
  election: Election,
  fresh: Wallet | null,
  sealing: Sealing,
  key: CryptoKey,
  passkey: Bytes,
  store: WalletStore,
): Promise<Stored> {
  if (fresh) await store.create(await sealWallet(fresh, passkey, sealing, key));
  const record = await store.load(toHex(election.fingerprint));
  if (!record) throw new IssuanceError("wallet-locked");
  const wallet = await openWallet(record, key).catch(() => {
    throw new IssuanceError("wallet-locked");
  });
  if (fresh && !(equal(wallet.secret, fresh.secret) && wallet.blinding === fresh.blinding))
    throw new IssuanceError("wallet-locked");
  return { wallet, sealing, key, passkey };
}

async function obtainTicket(election: Election, request: Request, hash: Bytes, ports: Ports): Promise<Ticket> {
  const answer = await ports.ticket(request);
  let ticket: Ticket;
  try {
    ticket = decodeTicket(answer.ticket);
  } catch {
    throw new IssuanceError("wrong-ticket");
  }
  if (!equal(answer.hash, hash) || !ticketHolds(ticket, election.fingerprint, hash, election.identityProviderKey))
    throw new IssuanceError("wrong-ticket");
  return ticket;
}

/** Send the same bytes to every issuer at once; return when k valid partials are there, or everybody has answered. */
async function collect(
  election: Election,
  keys: StyleKeys,
  request: Request,
  hash: Bytes,
  data: Bytes,
  ports: Ports,
): Promise<Map<number, G1Point>> {
  const message = decodeG1(request.blinded);
  const outcomes = new Map<number, Outcome>();
  const partials = new Map<number, G1Point>();
  const issuers = Array.from({ length: election.issuers }, (_, i) => i + 1);
  await new Promise<void>((resolve) => {
    const each = issuers.map(async (issuer) => {
      const [outcome, partial] = await ask(election, keys, issuer, message, hash, data, ports);
      if (partial) partials.set(issuer, partial);
      outcomes.set(issuer, outcome);
      ports.progress?.(outcomes);
      if (partials.size >= election.threshold) resolve();
    });
    void Promise.all(each).then(() => resolve());
  });
  if (partials.size < election.threshold) {
    const refusedAs = [...outcomes.values()].map((outcome) => (outcome.kind === "refused" ? outcome.code : ""));
    throw new IssuanceError(refusedAs.includes("already-issued") ? "already-issued" : "too-few-issuers", outcomes);
  }
  return new Map([...partials].sort(([a], [b]) => a - b).slice(0, election.threshold));
}

async function ask(
  election: Election,
  keys: StyleKeys,
  issuer: number,
  message: G1Point,
  hash: Bytes,
  data: Bytes,
  ports: Ports,
): Promise<[Outcome, G1Point | null]> {
  let bytes: Bytes;
  try {
    bytes = await ports.issue(issuer, data);
  } catch {
    return [{ kind: "unreachable" }, null];
  }
  try {
    const answer = decodeAnswer(bytes);
    if (answer.issuer !== issuer || !equal(answer.hash, hash)) return [{ kind: "invalid" }, null];
    if (answer.kind === "refusal") {
      const key = election.issuerKeys.get(issuer);
      const isSigned = key !== undefined && refusalHolds(answer, election.fingerprint, key);
      return [isSigned ? { kind: "refused", code: answer.code, evidence: bytes } : { kind: "invalid" }, null];
    }
    const share = keys.shares.get(issuer);
    const partial = decodeG1(answer.partial);
    if (!share || !signatureHolds(partial, message, decodeG2(share))) return [{ kind: "invalid" }, null];
    return [{ kind: "valid" }, partial];
  } catch {
    return [{ kind: "invalid" }, null];
  }
}

async function complete(
  election: Election,
  keys: StyleKeys,
  stored: Stored,
  partials: ReadonlyMap<number, G1Point>,
  store: WalletStore,
): Promise<Bytes> {
  const { wallet } = stored;
  const signature = unblind(combine(partials), wallet.blinding!);
  const message = hashMessage(encodeMessage(election.fingerprint, wallet.style, pseudonymOf(wallet.secret)));
  if (!signatureHolds(signature, message, decodeG2(keys.key))) throw new IssuanceError("bad-keys");
  const credential = encodeG1(signature);
  const finished: Wallet = { ...wallet, blinding: null, credential };
  await store.replace(await sealWallet(finished, stored.passkey, stored.sealing, stored.key));
  return credential;
}
