import { ristretto255 } from "@noble/curves/ed25519.js";
import { beforeEach, describe, expect, it, test } from "vitest";
import { type Bytes, equal, fromHex, toHex, utf8 } from "../common/bytes";
import { decode, encode } from "../common/cbor";
import { decodeG1, decodeG2, encodeG1, encodeMessage, hashMessage, pseudonymOf, signatureHolds } from "../credential/blind";
import { ElectionError, openElection } from "../credential/election";
import { IssuanceError, obtainCredential, type Outcome, type Ports } from "../credential/issuance";
import { type Request, requestHash } from "../credential/request";
import { StorageError, type WalletStore } from "../credential/store";
import { keyFromPasskey, newBrowserKey, openWallet, type WalletRecord } from "../credential/wallet";
import { answerOf, type Change, election, known, partialOf, parts, refusalOf, STYLE, ticketFor } from "./election";

const PASSKEY = Uint8Array.of(7, 7, 7);
const POSITION = 17;
const opened = election();
const id = toHex(opened.fingerprint);

/** A store in memory that copies, as a database does, and can be made to fail. */
class MemoryStore implements WalletStore {
  records = new Map<string, WalletRecord>();
  key: CryptoKey | undefined;
  log: string[] = [];
  breakOn: "create" | "replace" | "silently" | null = null;

  async load(name: string) {
    this.log.push("load");
    const record = this.records.get(name);
    return record ? structuredClone(record) : null;
  }

  async create(record: WalletRecord) {
    this.log.push("create");
    if (this.breakOn === "create" || this.records.has(record.election)) throw new StorageError("create");
    if (this.breakOn !== "silently") this.records.set(record.election, structuredClone(record));
  }

  async replace(record: WalletRecord) {
    this.log.push("replace");
    if (this.breakOn === "replace") throw new StorageError("replace");
    this.records.set(record.election, structuredClone(record));
  }

  async browserKey() {
    return (this.key ??= await newBrowserKey());
  }
}

interface World extends Ports {
  store: MemoryStore;
  sent: Map<number, Bytes>;
  challenges: Bytes[];
  outcomes: ReadonlyMap<number, Outcome>;
  answer(issuer: number, request: Request): Bytes | Promise<Bytes>;
  prf: Bytes | null;
}

let world: World;

function requestIn(data: Bytes): Request {
  const { style, position, credential, blinded } = decode(data, 20_000) as unknown as Request;
  return { style, position, credential, blinded };
}

beforeEach(() => {
  world = {
    store: new MemoryStore(),
    sent: new Map(),
    challenges: [],
    outcomes: new Map(),
    prf: Uint8Array.from({ length: 32 }, (_, i) => i),
    entropy: (size) => crypto.getRandomValues(new Uint8Array(size)),
    answer: (issuer, request) => answerOf(issuer, opened.fingerprint, request),
    async sign(challenge) {
      world.challenges.push(challenge);
      const assertion = {
        credential: PASSKEY,
        clientData: utf8("{}"),
        authenticatorData: new Uint8Array(37),
        signature: new Uint8Array(64),
      };
      return { assertion, prf: world.prf };
    },
    async ticket(request) {
      world.store.log.push("ticket");
      const hash = requestHash(opened.fingerprint, request);
      return { hash, ticket: ticketFor(opened.fingerprint, hash) };
    },
    async issue(issuer, data) {
      world.store.log.push("issue");
      world.sent.set(issuer, data);
      return world.answer(issuer, requestIn(data));
    },
    progress: (outcomes) => (world.outcomes = new Map(outcomes)),
  };
});

const obtain = () => obtainCredential(opened, STYLE, POSITION, PASSKEY, world);
const refused = async () => {
  const error = await obtain().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(IssuanceError);
  return error as IssuanceError;
};
const key = () => (world.prf ? keyFromPasskey(world.prf) : world.store.browserKey());
const wallet = async () => openWallet(world.store.records.get(id)!, await key());

async function expectComplete(credential: Bytes) {
  const { secret, blinding, credential: kept } = await wallet();
  expect(blinding).toBeNull();
  expect(kept).toEqual(credential);
  const message = hashMessage(encodeMessage(opened.fingerprint, STYLE, pseudonymOf(secret)));
  expect(signatureHolds(decodeG1(credential), message, decodeG2(fromHex(known.issuance_key)))).toBe(true);
}

describe("obtaining a credential", () => {
  it.each(["passkey", "browser"])("verifies, is stored sealed under the %s's key, and the randomizer is gone", async (under) => {
    if (under === "browser") world.prf = null;
    await expectComplete(await obtain());
    expect(world.store.records.get(id)).toMatchObject({ sealing: under, issued: true });
  });

  it("signs the hash that it computed itself, over the point that it sends", async () => {
    await obtain();
    const data = world.sent.get(1)!;
    expect(world.challenges).toEqual([requestHash(opened.fingerprint, requestIn(data))]);
    expect(new Set([...world.sent.values()].map(toHex)).size).toBe(1);
  });

  it("lets nothing leave the device before the wallet is stored and read back", async () => {
    await obtain();
    const { log } = world.store;
    expect(log.slice(0, 4)).toEqual(["load", "create", "load", "ticket"]);
    expect(log.lastIndexOf("replace")).toBeGreaterThan(log.lastIndexOf("issue") - 4);
  });

  it.each(["create", "silently"] as const)("sends nothing where storing fails (%s)", async (how) => {
    world.store.breakOn = how;
    await expect(obtain()).rejects.toThrow();
    expect(world.store.log).not.toContain("ticket");
    expect(world.sent.size).toBe(0);
  });

  it("needs no more than three of four issuers, and does not wait for one that hangs", async () => {
    world.answer = (issuer, request) =>
      issuer === 3 ? new Promise<Bytes>(() => {}) : answerOf(issuer, opened.fingerprint, request);
    await expectComplete(await obtain());
  });

  it("asks for the same hash again with a stored wallet, and gets the credential", async () => {
    world.answer = () => Promise.reject(new Error("lost"));
    expect(await refused()).toMatchObject({ code: "too-few-issuers" });
    const first = requestIn(world.sent.get(1)!);
    expect(world.outcomes.get(1)).toEqual({ kind: "unreachable" });
    world.answer = (issuer, request) => answerOf(issuer, opened.fingerprint, request);
    await expectComplete(await obtain());
    expect(requestIn(world.sent.get(1)!)).toEqual(first);
    expect(equal(world.challenges[0]!, world.challenges[1]!)).toBe(true);
  });

  it("completes after the answers came but storing the credential failed", async () => {
    world.store.breakOn = "replace";
    await expect(obtain()).rejects.toThrow(StorageError);
    world.store.breakOn = null;
    await expectComplete(await obtain());
  });

  it("gives a credential that is there without asking anybody", async () => {
    const credential = await obtain();
    world.sent.clear();
    expect(await obtain()).toEqual(credential);
    expect(world.sent.size).toBe(0);
  });

  it("does not open a wallet under another passkey's secret, nor without one, and sends nothing", async () => {
    world.answer = () => Promise.reject(new Error("lost"));
    await refused();
    world.sent.clear();
    for (const prf of [new Uint8Array(32), null]) {
      world.prf = prf;
      expect(await refused()).toMatchObject({ code: "wallet-locked" });
    }
    expect(world.sent.size).toBe(0);
  });

  it.each(["blinded", "position", "style", "passkey", "sealed", "nonce"] as const)("notices a record whose %s was altered", async (member) => {
    world.answer = () => Promise.reject(new Error("lost"));
    await refused();
    world.sent.clear();
    const record = world.store.records.get(id)!;
    const other = { blinded: fromHex(known.blinded), position: 3, style: "bishkek", passkey: Uint8Array.of(1) };
    const flipped = Uint8Array.from(record.sealed, (byte, i) => (i === 5 ? byte ^ 1 : byte));
    Object.assign(record, { [member]: { ...other, sealed: flipped, nonce: new Uint8Array(12) }[member] });
    expect(await refused()).toMatchObject({ code: "wallet-locked" });
    expect(world.sent.size).toBe(0);
  });
});

describe("a hostile identity provider", () => {
  test.each([
    ["another hash", () => ({ hash: new Uint8Array(32), ticket: ticketFor(opened.fingerprint, new Uint8Array(32)) })],
    ["a ticket for another hash", (hash: Bytes) => ({ hash, ticket: ticketFor(opened.fingerprint, new Uint8Array(32)) })],
    ["a ticket of another election", (hash: Bytes) => ({ hash, ticket: ticketFor(new Uint8Array(32), hash) })],
    ["a ticket signed by somebody else", (hash: Bytes) => ({ hash, ticket: ticketFor(opened.fingerprint, hash, "issuer-1") })],
    ["no ticket", (hash: Bytes) => ({ hash, ticket: new Uint8Array() })],
  ])("%s: no issuer is asked", async (_, answer) => {
    world.ticket = async (request) => answer(requestHash(opened.fingerprint, request));
    expect(await refused()).toMatchObject({ code: "wrong-ticket" });
    expect(world.sent.size).toBe(0);
  });
});

describe("hostile issuers", () => {
  const fingerprint = opened.fingerprint;
  const tagged = (issuer: number, request: Request) =>
    encode({
      issuer,
      hash: requestHash(fingerprint, request),
      partial: encodeG1(partialOf(issuer, request.blinded).double()),
    });

  test.each<[string, World["answer"]]>([
    ["a partial under a key of its own (a tag)", tagged],
    ["another issuer's answer", (_, request) => answerOf(1, fingerprint, request)],
    ["an answer for another hash", (issuer, request) => answerOf(issuer, fingerprint, { ...request, position: 3 })],
    ["the blinded point sent back", (issuer, request) => encode({ issuer, hash: requestHash(fingerprint, request), partial: request.blinded })],
    ["no CBOR", () => utf8("<html>")],
    ["nothing", () => new Uint8Array()],
    ["64 KiB", () => new Uint8Array(65_536)],
    ["a refusal that somebody else signed", (issuer, request) => refusalOf(issuer, fingerprint, requestHash(fingerprint, request), "period", "issuer-1")],
    ["a refusal of another request", (issuer) => refusalOf(issuer, fingerprint, new Uint8Array(32), "period")],
  ])("%s is left out and named", async (_, bad) => {
    world.answer = (issuer, request) => (issuer === 2 ? bad(issuer, request) : answerOf(issuer, fingerprint, request));
    await expectComplete(await obtain());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.outcomes.get(2)).toEqual({ kind: "invalid" });
  });

  test("two liars of four: no credential, both named, and the wallet stays for a later try", async () => {
    world.answer = (issuer, request) => (issuer > 2 ? tagged(issuer, request) : answerOf(issuer, fingerprint, request));
    const { code, outcomes } = await refused();
    expect(code).toBe("too-few-issuers");
    expect([...outcomes].filter(([, outcome]) => outcome.kind === "invalid").map(([issuer]) => issuer).sort()).toEqual([3, 4]);
    expect((await wallet()).blinding).not.toBeNull();
  });

  test("signed refusals are told apart, with the evidence", async () => {
    world.answer = (issuer, request) => refusalOf(issuer, fingerprint, requestHash(fingerprint, request), "already-issued");
    const { code, outcomes } = await refused();
    expect(code).toBe("already-issued");
    expect(outcomes.get(4)).toMatchObject({ kind: "refused", code: "already-issued" });
  });
});

describe("election from its fingerprint (C4)", () => {
  const good = parts();

  test("reads what the device needs", () => {
    expect(opened).toMatchObject({ model: true, issuers: 4, threshold: 3, votingOrigin: "https://vote.example" });
    expect(opened.styles.get(STYLE)!.shares.size).toBe(4);
  });

  test("an issuer that the ceremony excluded has no share key, and its answer counts for nothing", () => {
    const shares = Uint8Array.from({ length: 4 * 96 }, (_, i) => (i < 96 ? 0 : 1));
    const changed = parts({ keys: [{ style: STYLE, key: fromHex(known.issuance_key), shares }] });
    const { styles } = openElection(changed.fingerprint, changed.opening, changed.manifest, changed.keys);
    expect([...styles.get(STYLE)!.shares.keys()]).toEqual([2, 3, 4]);
  });

  const otherKeys = parts({ keys: [{ style: STYLE, key: fromHex(known.issuance_key), shares: new Uint8Array(4 * 96) }] });
  const otherManifest = parts({ manifest: { model: false } });
  test.each([
    ["another opening entry", { ...good, opening: otherKeys.opening }],
    ["keys that the entry does not name", { ...good, keys: otherKeys.keys }],
    ["a manifest that the entry does not name", { ...good, manifest: otherManifest.manifest }],
    ["a byte more", { ...good, opening: Uint8Array.from([...good.opening, 0]) }],
  ])("%s is refused", (_, { fingerprint, opening, manifest, keys }) => {
    expect(() => openElection(fingerprint, opening, manifest, keys)).toThrow(ElectionError);
  });

  test.each<[string, Change]>([
    ["of another type", { type: "close" }],
    ["with a threshold of half the issuers", { manifest: { issuers: { m: 4, k: 2 } } }],
    ["without an identity provider", { manifest: { roles: [] } }],
    ["with a style twice", { keys: [1, 2].map(() => ({ style: STYLE, key: new Uint8Array(96), shares: new Uint8Array(4 * 96) })) }],
    ["with share keys missing", { keys: [{ style: STYLE, key: new Uint8Array(96), shares: new Uint8Array(96) }] }],
    ["without a reference to the keys", { body: { issuers: {} } }],
  ])("an opening entry %s is refused even under its own fingerprint", (_, change) => {
    const { fingerprint, opening, manifest, keys } = parts(change);
    expect(() => openElection(fingerprint, opening, manifest, keys)).toThrow(ElectionError);
  });

  test("pseudonyms are canonical ristretto255 encodings", () => {
    const pseudonym = pseudonymOf(fromHex(known.pseudonym_secret));
    expect(toHex(ristretto255.Point.fromBytes(pseudonym).toBytes())).toBe(known.pseudonym);
  });
});
