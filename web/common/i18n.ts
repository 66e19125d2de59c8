/** Texts in Kyrgyz, Russian and English (Fluent); Kyrgyz first. A page brings its files, the choice is remembered. */

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import commonEn from "../locales/en/common.ftl?raw";
import commonKy from "../locales/ky/common.ftl?raw";
import commonRu from "../locales/ru/common.ftl?raw";

export const LANGUAGES = ["ky", "ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export type Sources = Record<Language, string>;
export type Translate = (id: string, values?: Record<string, FluentVariable>) => string;

const COMMON: Sources = { ky: commonKy, ru: commonRu, en: commonEn };
const KEPT = "language";

export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.includes(value as Language);
}

/** The one asked for in the address (`?lang=`), else the one chosen before, else Kyrgyz. */
export function initialLanguage(): Language {
  const asked = new URLSearchParams(location.search).get("lang");
  if (isLanguage(asked)) return asked;
  try {
    const kept = localStorage.getItem(KEPT);
    return isLanguage(kept) ? kept : "ky";
  } catch {
    return "ky";
  }
}

export function keepLanguage(language: Language): void {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // A browser that keeps nothing shows Kyrgyz the next time.
  }
}

export function bundleOf(language: Language, page: Sources): FluentBundle {
  const bundle = new FluentBundle(language, { useIsolating: false });
  bundle.addResource(new FluentResource(COMMON[language]));
  bundle.addResource(new FluentResource(page[language]));
  return bundle;
}

export function has(bundle: FluentBundle, id: string): boolean {
  return bundle.hasMessage(id);
}

/** A text that is missing shows as its name, which a test finds. */
export function translator(bundle: FluentBundle): Translate {
  return (id, values) => {
    const pattern = bundle.getMessage(id)?.value;
    return pattern ? bundle.formatPattern(pattern, values ?? null) : `{${id}}`;
  };
}
