/** What every page has: language switch, MODEL mark, title, errors that a person can use, and focus on what is new. */

import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Problem } from "./http";
import {
  bundleOf,
  has,
  initialLanguage,
  keepLanguage,
  type Language,
  LANGUAGES,
  type Sources,
  type Translate,
  translator,
} from "./i18n";

const NAMES: Record<Language, string> = { ky: "Кыргызча", ru: "Русский", en: "English" };

interface Texts {
  language: Language;
  t: Translate;
  has(id: string): boolean;
}

const TextsContext = createContext<Texts>({ language: "ky", t: (id) => id, has: () => false });

export function useTexts(): Texts {
  return useContext(TextsContext);
}

interface PageProps {
  sources: Sources;
  /** Whether this is a MODEL election, which every page says. */
  model: boolean;
  children: ComponentChildren;
}

export function Page({ sources, model, children }: PageProps) {
  const [language, setLanguage] = useState(initialLanguage);
  const texts = useMemo(() => {
    const bundle = bundleOf(language, sources);
    return { language, t: translator(bundle), has: (id: string) => has(bundle, id) };
  }, [language, sources]);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = texts.t("title");
  }, [texts, language]);
  const choose = (chosen: Language) => {
    keepLanguage(chosen);
    setLanguage(chosen);
  };
  return (
    <TextsContext.Provider value={texts}>
      <a class="skip" href="#content">
        {texts.t("skip")}
      </a>
      <header>
        <p class="site">{texts.t("title")}</p>
        <nav aria-label={texts.t("language")}>
          {LANGUAGES.map((code) => (
            <button type="button" lang={code} aria-pressed={code === language} onClick={() => choose(code)} key={code}>
              {NAMES[code]}
            </button>
          ))}
        </nav>
      </header>
      {model && (
        <aside class="model" aria-label={texts.t("model-mark")}>
          <strong>{texts.t("model-mark")}</strong> {texts.t("model-note")}
        </aside>
      )}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </TextsContext.Provider>
  );
}

/** The heading of a step. It takes the focus, so that a screen reader says where one is. */
export function Heading({ children }: { children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem("unexpected");
}

/** An error: what is wrong, what to do, the code for the help line. Announced at once. */
export function ErrorBox({ problem, onRetry }: { problem: Problem; onRetry?: (() => void) | undefined }) {
  const { language, t, has: known } = useTexts();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollIntoView?.({ block: "nearest" }), [problem]);
  const own = known(`problem-${problem.code}`) ? problem.code : "unexpected";
  const left = problem.detail.left;
  return (
    <div class="problem" role="alert" ref={box} data-code={problem.code}>
      <p>
        <strong>{problem.texts?.[language] ?? t(`problem-${own}`)}</strong>
      </p>
      <p>{problem.next?.[language] ?? t(`problem-${own}-next`)}</p>
      {typeof left === "number" && <p>{t("attempts-left", { count: left })}</p>}
      {onRetry && (
        <p>
          <button type="button" onClick={onRetry}>
            {t("retry")}
          </button>
        </p>
      )}
      <p class="small">{t("problem-code", { code: problem.code })}</p>
    </div>
  );
}

export function Busy({ text }: { text?: string }) {
  const { t } = useTexts();
  return (
    <p class="busy" role="status">
      {text ?? t("working")}
    </p>
  );
}

interface FieldProps {
  id: string;
  label: string;
  hint?: string;
  error?: string | null;
  value: string;
  onInput(value: string): void;
  lines?: number;
  mode?: "numeric" | "text";
  autocomplete?: string;
}

/** A labelled input; hint and error belong to it for a screen reader as well. */
export function Field({ id, label, hint, error, value, onInput, lines, mode = "text", autocomplete = "off" }: FieldProps) {
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const common = {
    id,
    name: id,
    value,
    autocomplete,
    spellcheck: false,
    autocapitalize: "characters" as const,
    inputMode: mode,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? (true as const) : undefined,
  };
  return (
    <p class="field">
      <label for={id}>{label}</label>
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && (
        <span class="error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
      {lines ? (
        <textarea {...common} rows={lines} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input {...common} type="text" onInput={(event) => onInput(event.currentTarget.value)} />
      )}
    </p>
  );
}

/** Something that is under way, or failed. One at a time; pressing twice starts nothing twice. */
export function useWork(): {
  busy: boolean;
  problem: Problem | null;
  run(work: () => Promise<void>): void;
  clear(): void;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const running = useRef(false);
  return {
    busy,
    problem,
    clear: () => setProblem(null),
    run: (work) => {
      if (running.current) return;
      running.current = true;
      setBusy(true);
      setProblem(null);
      work()
        .catch((error: unknown) => setProblem(asProblem(error)))
        .finally(() => {
          running.current = false;
          setBusy(false);
        });
    },
  };
}
