import { bls12_381 } from "@noble/curves/bls12-381.js";
import { beforeAll, describe, expect, it, test } from "vitest";
import { fromHex, toHex, utf8 } from "../common/bytes";
import * as bls from "../credential/blind";
import { sha } from "../credential/hash";
import { includes, leafHash, rootOfLeaves } from "../credential/merkle";
import * as req from "../credential/request";
import { vectors } from "./vectors";

describe("docs/spec/vectors/credential-issuance.json", () => {
  const known = vectors("credential-issuance");
  const message = fromHex(known.message);

  test("pseudonym, message and hash", () => {
    expect(toHex(bls.pseudonymOf(fromHex(known.pseudonym_secret)))).toBe(known.pseudonym);
    expect(toHex(bls.encodeMessage(fromHex(known.fingerprint), known.style, fromHex(known.pseudonym)))).toBe(known.message);
    expect(toHex(bls.encodeG1(bls.hashMessage(message)))).toBe(known.hashed);
  });

  test("randomizer and blinded point", () => {
    const r = bls.randomizerFrom(fromHex(known.entropy))!;
    expect(toHex(bls.encodeRandomizer(r))).toBe(known.randomizer);
    expect(bls.decodeRandomizer(fromHex(known.randomizer))).toBe(r);
    expect(toHex(bls.encodeG1(bls.blind(bls.hashMessage(message), r)))).toBe(known.blinded);
  });

  test("every partial verifies under its issuer's share key and under no other", () => {
    const blinded = bls.decodeG1(fromHex(known.blinded));
    for (const issuer of ["1", "2", "3", "4"]) {
      const partial = bls.decodeG1(fromHex(known.partials[issuer]));
      expect(bls.signatureHolds(partial, blinded, bls.decodeG2(fromHex(known.share_keys[issuer])))).toBe(true);
      const other = known.share_keys[issuer === "1" ? "2" : "1"];
      expect(bls.signatureHolds(partial, blinded, bls.decodeG2(fromHex(other)))).toBe(false);
    }
  });

  test.each([[[1, 2, 4]], [[1, 2, 3]], [[2, 3, 4]], [[4, 3, 1]]])("issuers %j combine to the same credential", (chosen) => {
    const partials = new Map(chosen.map((i) => [i, bls.decodeG1(fromHex(known.partials[i]))]));
    const credential = bls.unblind(bls.combine(partials), bls.decodeRandomizer(fromHex(known.randomizer)));
    expect(toHex(bls.encodeG1(credential))).toBe(known.credential);
    const key = bls.decodeG2(fromHex(known.issuance_key));
    expect(bls.signatureHolds(credential, bls.hashMessage(message), key)).toBe(true);
  });

  test("two of four issuers do not combine to the credential", () => {
    const partials = new Map([1, 2].map((i) => [i, bls.decodeG1(fromHex(known.partials[i]))]));
    const credential = bls.unblind(bls.combine(partials), bls.decodeRandomizer(fromHex(known.randomizer)));
    expect(toHex(bls.encodeG1(credential))).not.toBe(known.credential);
  });
});

describe("points from outside", () => {
  const known = vectors("credential-issuance");
  const good = fromHex(known.partials["1"]);
  const zero = new Uint8Array(48);
  zero[0] = 0xc0;

  /** A point on the curve whose order is not q (the cofactor of G1 is not 1). */
  function outsideSubgroup(): string {
    const Fp = bls12_381.fields.Fp;
    for (let x = 1n; ; x++) {
      const square = Fp.add(Fp.mul(x, Fp.sqr(x)), 4n);
      try {
        const y = Fp.sqrt(square);
        const data = Fp.toBytes(x);
        data[0]! |= 0x80 | (y > Fp.ORDER / 2n ? 0x20 : 0);
        const point = bls12_381.G1.Point.fromAffine({ x, y });
        if (!point.isTorsionFree()) return toHex(data);
      } catch {
        continue;
      }
    }
  }

  test.each([
    ["identity", toHex(zero)],
    ["zeroes", "00".repeat(48)],
    ["outside the subgroup", outsideSubgroup()],
    ["compression flag cleared", toHex(Uint8Array.from(good, (b, i) => (i === 0 ? b & 0x7f : b)))],
    ["x not below p", "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaac"],
    ["truncated", toHex(good.subarray(0, 47))],
    ["one byte more", toHex(good) + "00"],
    ["identity with the sign flag", "e0" + "00".repeat(47)],
    ["empty", ""],
  ])("%s is refused", (_, hex) => {
    expect(() => bls.decodeG1(fromHex(hex))).toThrow(bls.PointError);
  });

  test("keys in G2 are checked as well", () => {
    for (const hex of ["00".repeat(96), "c0" + "00".repeat(95), known.issuance_key.slice(2), known.partials["1"]])
      expect(() => bls.decodeG2(fromHex(hex))).toThrow(bls.PointError);
  });

  test("a zero randomizer or secret is drawn again", () => {
    const order = bls12_381.fields.Fr.ORDER.toString(16).padStart(128, "0");
    expect(bls.randomizerFrom(fromHex(order))).toBeNull();
    expect(bls.randomizerFrom(new Uint8Array(64))).toBeNull();
    expect(bls.pseudonymSecretFrom(new Uint8Array(64))).toBeNull();
    for (const hex of ["00".repeat(32), order.slice(64), "01"])
      expect(() => bls.decodeRandomizer(fromHex(hex))).toThrow(RangeError);
  });
});

describe("docs/spec/vectors/credential-request.json", () => {
  const known = vectors("credential-request");
  const fingerprint = fromHex(known.fingerprint);
  const request: req.Request = {
    style: known.style,
    position: known.position,
    credential: fromHex(known.credential_id),
    blinded: fromHex(known.blinded),
  };
  const hash = fromHex(known.request_hash);
  let ticket: req.Ticket;

  beforeAll(() => {
    // The ticket as the identity provider sends it: the member of the request, cut out.
    const data: string = known.request;
    const start = data.indexOf("667469636b6574") + 14;
    const end = data.indexOf("67626c696e646564", start);
    ticket = req.decodeTicket(fromHex(data.slice(start, end)));
  });

  test("request hash", () => expect(toHex(req.requestHash(fingerprint, request))).toBe(known.request_hash));

  test("request, byte for byte", () => {
    const assertion: req.Assertion = {
      credential: fromHex(known.credential_id),
      clientData: utf8(known.client_data),
      authenticatorData: fromHex(known.authenticator_data),
      signature: fromHex(known.assertion_signature),
    };
    expect(toHex(req.encodeRequest(request, assertion, ticket))).toBe(known.request);
    const long = { ...assertion, clientData: new Uint8Array(17_000) };
    expect(() => req.encodeRequest(request, long, ticket)).toThrow(RangeError);
  });

  test("ticket: the identity provider's signature over a tree with this hash, and nothing else", () => {
    const key = fromHex(known.public_keys["identity-provider"]);
    expect(req.ticketHolds(ticket, fingerprint, hash, key)).toBe(true);
    const altered: [req.Ticket, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] = [
      [{ ...ticket, date: ticket.date + 1 }, hash, key],
      [{ ...ticket, index: 0 }, hash, key],
      [{ ...ticket, size: ticket.size + 1 }, hash, key],
      [{ ...ticket, path: ticket.path.slice(32) }, hash, key],
      [{ ...ticket, path: new Uint8Array(64) }, hash, key],
      [{ ...ticket, signature: new Uint8Array(64) }, hash, key],
      [ticket, fromHex(known.ticket_hashes[0]), key],
      [ticket, hash, fromHex(known.public_keys.registrar)],
      [ticket, hash, new Uint8Array(32)],
    ];
    for (const [other, of, by] of altered) expect(req.ticketHolds(other, fingerprint, of, by)).toBe(false);
  });

  test("answer and signed refusal", () => {
    expect(req.decodeAnswer(fromHex(known.answer))).toMatchObject({ kind: "answer", issuer: 2, hash });
    const refusal = req.decodeAnswer(fromHex(known.refusal)) as req.Refusal;
    expect(refusal).toMatchObject({ kind: "refusal", issuer: 2, hash, code: "already-issued" });
    const key = fromHex(known.public_keys["issuer-2"]);
    expect(req.refusalHolds(refusal, fingerprint, key)).toBe(true);
    expect(req.refusalHolds({ ...refusal, code: "period" }, fingerprint, key)).toBe(false);
    expect(req.refusalHolds({ ...refusal, issuer: 1 }, fingerprint, key)).toBe(false);
    expect(req.refusalHolds(refusal, new Uint8Array(32), key)).toBe(false);
  });

  it("refuses answers that are anything else", () => {
    const answer: string = known.answer;
    for (const hex of [answer + "00", answer.slice(0, -2), "a0", "", "f6", "00".repeat(2000), answer.replace("02", "21")])
      expect(() => req.decodeAnswer(fromHex(hex))).toThrow();
  });
});

describe("docs/spec/vectors/credential-ledger.json", () => {
  const known = vectors("credential-ledger");
  const u64 = (i: number) => fromHex(i.toString(16).padStart(16, "0"));

  test("roll leaves and commitment; a proof leads from each leaf to the root", () => {
    const leaves = known.voters.map((voter: { style: string; person: string }, i: number) =>
      sha("evoting/v1/roll-leaf", fromHex(known.roll_salts[i]), u64(i), voter.style, voter.person),
    );
    expect(leaves.map(toHex)).toEqual(known.roll_leaves);
    expect(toHex(rootOfLeaves(leaves.map(leafHash)))).toBe(known.roll_commitment);
  });

  test("ledger leaves and root: issued and none", () => {
    const fingerprint = fromHex(known.fingerprint);
    const leaves = known.tree_salts.map((salt: string, i: number) => {
      const hash: string | undefined = known.request_hashes[i];
      return sha("evoting/v1/ledger-leaf", fingerprint, u64(i), fromHex(salt), hash ? fromHex(hash) : "none");
    });
    expect(leaves.map(toHex)).toEqual(known.tree_leaves);
    const hashes = leaves.map(leafHash);
    expect(toHex(rootOfLeaves(hashes))).toBe(known.tree_root);
    const path = [hashes[2], hashes[3]].map((h) => h!);
    const left = rootOfLeaves(hashes.slice(0, 2));
    const right = rootOfLeaves(hashes.slice(2, 4));
    expect(includes(hashes[4]!, 4, 5, rootOfLeaves(hashes.slice(0, 4)), fromHex(known.tree_root))).toBe(true);
    expect(includes(path[0]!, 2, 5, Uint8Array.from([...path[1]!, ...left, ...hashes[4]!]), fromHex(known.tree_root))).toBe(true);
    expect(includes(path[0]!, 3, 5, Uint8Array.from([...path[1]!, ...left, ...hashes[4]!]), fromHex(known.tree_root))).toBe(false);
    expect(includes(path[0]!, 2, 5, Uint8Array.from([...path[1]!, ...right, ...hashes[4]!]), fromHex(known.tree_root))).toBe(false);
  });
});
