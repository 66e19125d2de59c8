import { FluentBundle, FluentResource } from "@fluent/bundle";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readMrz, readPin } from "../identity/mrz";

const web = new URL("../", import.meta.url);
const text = (name: string) => readFileSync(new URL(name, web), "utf8");
const LANGUAGES = ["ky", "ru", "en"];
const PAGES = { common: ["common"], identity: ["identity", "common"], voting: ["voting", "common", "credential"] };

function messages(language: string, page: string): Set<string> {
  const bundle = new FluentBundle(language);
  const errors = bundle.addResource(new FluentResource(text(`locales/${language}/${page}.ftl`)));
  expect(errors).toEqual([]);
  return new Set(bundle._messages.keys());
}

describe.each(Object.entries(PAGES))("texts of %s", (page, folders) => {
  const ids = messages("ky", page);

  test("every language has the same messages, each with the same variables", () => {
    for (const language of LANGUAGES) {
      expect([...messages(language, page)].sort()).toEqual([...ids].sort());
      const lines = text(`locales/${language}/${page}.ftl`).split("\n");
      expect(lines.filter((line) => line && !/^( |[a-z-]+ = \S|})/.test(line))).toEqual([]);
    }
    const variables = (language: string) =>
      Object.fromEntries(
        text(`locales/${language}/${page}.ftl`)
          .split(/\n(?=[a-z])/)
          .map((message) => [message.split(" = ")[0], [...new Set(message.match(/\$[a-z]+/g) ?? [])].sort()]),
      );
    for (const language of LANGUAGES) expect(variables(language)).toEqual(variables("ky"));
  });

  test("no Kyrgyz text is left in Russian or English", () => {
    for (const [language, foreign] of [["ru", /[өүң]/i], ["en", /[а-яөүң]/i]] as const)
      expect(text(`locales/${language}/${page}.ftl`)).not.toMatch(foreign);
  });

  test("every text that the page asks for is there, and none that it does not", () => {
    const known = new Set([...ids, ...messages("ky", "common")]);
    const sources = folders.flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, web))
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => text(`${folder}/${name}`)),
    );
    const all = sources.join("\n");
    const asked = [...all.matchAll(/\bt\("([a-z-]+)"/g)].map((match) => match[1]!);
    for (const match of all.matchAll(/\bt\([a-z]+ \? "([a-z-]+)" : "([a-z-]+)"\)/g)) asked.push(match[1]!, match[2]!);
    for (const match of all.matchAll(/new Problem\("([a-z-]+)"/g)) asked.push(`problem-${match[1]}`, `problem-${match[1]}-next`);
    for (const match of all.matchAll(/^export type IssuanceCode = (.*);$/gm))
      for (const code of match[1]!.match(/[a-z-]+/g)!) asked.push(`problem-${code}`, `problem-${code}-next`);
    if (page !== "common") expect(asked.filter((id) => !known.has(id))).toEqual([]);
    const families = [...all.matchAll(/t\(`([a-z-]+-)\$\{/g)].map((match) => match[1]!);
    const unused = [...ids].filter(
      (id) => !asked.includes(id) && !all.includes(`"${id}"`) && !families.some((prefix) => id.startsWith(prefix)),
    );
    if (page !== "common") expect(unused).toEqual([]);
  });
});

describe("what people type", () => {
  const TD1 = ["IDKGZAN12345678<<<<<<<<<<<<<<<", "9001011M3001012KGZ<<<<<<<<<<<4", "ASANOV<<BAKYT<<<<<<<<<<<<<<<<<"];
  const TD3 = ["PNKGZASANOV<<BAKYT<<<<<<<<<<<<<<<<<<<<<<<<<<", "AC12345678KGZ9001011M30010121010119900000154"];

  test.each([
    [TD1.join("\n"), TD1],
    [TD3.join("\r\n"), TD3],
    [TD3.join(""), TD3],
    [`  ${TD1.join(" \n\n ").toLowerCase()}  `, TD1],
    [TD1.join("\n").replaceAll("<<", "‹‹"), TD1],
  ])("document lines %j", (typed, lines) => expect(readMrz(typed)).toEqual(lines));

  test.each(["", TD1[0]!, TD1.join("\n") + "<", TD3.join("\n").replace("<", "$"), [TD1[0], TD3[0]].join("\n")])(
    "no document lines: %j",
    (typed) => expect(readMrz(typed)).toBeNull(),
  );

  test("personal numbers", () => {
    expect(readPin(" 2 010119900 0001 ")).toBe("20101199000001");
    for (const typed of ["", "2010119900000", "201011990000011", "2010119900000x", "٢0101199000001"]) expect(readPin(typed)).toBeNull();
  });
});
