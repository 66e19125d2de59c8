import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { fromBase64url, fromHex, frame, toBase64url, toHex, u64, utf8 } from "../common/bytes";
import { type Cbor, CborError, decode, encode } from "../common/cbor";
import { sha } from "../credential/hash";
import { vectors } from "./vectors";

const known = vectors("encoding");

describe("docs/spec/vectors/encoding.json", () => {
  test("frames, u64 and hashes", () => {
    for (const { data, frame: framed } of known.frames) expect(toHex(frame(fromHex(data)))).toBe(framed);
    expect(toHex(u64(known.u64.value))).toBe(known.u64.bytes);
    expect(toHex(sha(known.hash.domain, ...known.hash.parts.map(fromHex)))).toBe(known.hash.sha);
  });

  test("canonical CBOR encodes again to the same bytes", () => {
    const { encoding, deepest } = known.cbor;
    for (const hex of [encoding, deepest]) expect(toHex(encode(decode(fromHex(hex), 65_535)))).toBe(hex);
    const value = { title: "\u0428\u0430\u0439\u043b\u043e\u043e", b: { "": true, y: Uint8Array.of(1) }, aa: null, z: [0, -1, 2 ** 53 - 1] };
    expect(toHex(encode(value))).toBe(encoding);
  });

  test.each(known.cbor.refused as { what: string; encoding: string }[])("CBOR with $what is refused", ({ encoding }) => {
    expect(() => decode(fromHex(encoding), 65_535)).toThrow(CborError);
  });
});

describe("CBOR", () => {
  const leaf = fc.oneof(
    fc.maxSafeInteger(),
    fc.string({ unit: "binary" }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((data) => Uint8Array.from(data)),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie("value"), { maxLength: 5 }),
      fc.dictionary(fc.string({ unit: "binary" }), tie("value"), { maxKeys: 5, noNullPrototype: false }),
    ),
  }));

  it("has one encoding: what decodes encodes to the same bytes", () => {
    fc.assert(
      fc.property(value, (item) => {
        const data = encode(item as Cbor);
        expect(toHex(encode(decode(data, data.length)))).toBe(toHex(data));
      }),
    );
  });

  it("refuses or decodes arbitrary bytes, never another encoding and never another error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let item: Cbor;
        try {
          item = decode(bytes, 64);
        } catch (error) {
          expect(error).toBeInstanceOf(CborError);
          return;
        }
        expect(toHex(encode(item))).toBe(toHex(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses nesting beyond 16 and lengths that lie before it allocates", () => {
    const nested = (depth: number) => fromHex("81".repeat(depth) + "00");
    expect(() => decode(nested(16), 100)).not.toThrow();
    expect(() => decode(nested(17), 100)).toThrow(CborError);
    expect(() => decode(fromHex("80".padStart(34, "81")), 100)).toThrow(CborError);
    for (const hex of ["9affffffff", "baffffffff", "5affffffff", "9b001fffffffffffff"])
      expect(() => decode(fromHex(hex), 100)).toThrow(CborError);
    expect(() => decode(new Uint8Array(101), 100)).toThrow(CborError);
  });

  it("keeps a key named __proto__ an ordinary key", () => {
    const data = encode(JSON.parse('{"__proto__": 1}') as Cbor);
    const map = decode(data, 100) as Record<string, Cbor>;
    expect(Object.keys(map)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("does not write what it would not read", () => {
    for (const item of [1.5, 2 ** 53, Number.NaN, "\ud800"]) expect(() => encode(item)).toThrow(CborError);
  });
});

describe("base64url", () => {
  it("has one form", () => {
    fc.assert(fc.property(fc.uint8Array(), (data) => void expect(fromBase64url(toBase64url(data))).toEqual(Uint8Array.from(data))));
    for (const text of ["QQ==", "QR", "Q", "+/", "Q Q"]) expect(() => fromBase64url(text)).toThrow(RangeError);
    expect(toBase64url(utf8("?>"))).toBe("Pz4");
  });
});
