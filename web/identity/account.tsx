/** A person's own page: elections and the way to the voting host, passkeys, template, notices. */

import { useEffect, useState } from "preact/hooks";
import { Busy, ErrorBox, Heading, useTexts, useWork } from "../common/page";
import { type Account as AccountData, session as api } from "./api";

interface Props {
  token: string;
  onSignOut(): void;
}

export function Account({ token, onSignOut }: Props) {
  const { t, has, language } = useTexts();
  const [account, setAccount] = useState<AccountData | null>(null);
  const [templatesGone, setTemplatesGone] = useState(false);
  const { busy, problem, run } = useWork();
  const load = async () => setAccount(await api.account(token));
  useEffect(() => run(load), []);
  const day = (days: number) =>
    new Date(days * 86_400_000).toLocaleDateString(dateLocale(language), { timeZone: "UTC" });
  const handOver = (election: string, purpose: "voting-passkey" | "ticket") =>
    run(async () => {
      const { code, voting_origin } = await api.handoff(token, election, purpose);
      // The code is in the fragment, which no server sees; the voting page removes it from the history.
      location.assign(`${voting_origin}/voting-passkey/#${new URLSearchParams({ purpose, code })}`);
    });
  return (
    <>
      <Heading>{t("account-title")}</Heading>
      {problem && <ErrorBox problem={problem} onRetry={account ? undefined : () => run(load)} />}
      {busy && <Busy />}
      {account && (
        <>
          <h2>{t("elections-title")}</h2>
          {account.elections.length === 0 && <p>{t("elections-none")}</p>}
          {account.elections.map((item) => (
            <section class="choice" key={item.election} aria-label={item.title[language] ?? item.election}>
              <p>
                <strong>{item.title[language] ?? item.election}</strong>
                {item.model && <span> · {t("model-mark")}</span>}
              </p>
              {item.position !== null && item.style !== null && (
                <p class="small">{t("roll-place", { position: String(item.position), style: item.style })}</p>
              )}
              <p>{t(`voting-passkey-state-${item.voting_passkey}`)}</p>
              <button
                type="button"
                class={item.voting_passkey === "logged" ? "" : "main"}
                disabled={busy}
                onClick={() => handOver(item.election, "voting-passkey")}
              >
                {t("make-voting-passkey")}
              </button>
              <p class="small">{t("make-voting-passkey-text")}</p>
              <button
                type="button"
                class={item.voting_passkey === "logged" ? "main" : ""}
                disabled={busy}
                onClick={() => handOver(item.election, "ticket")}
              >
                {t("get-credential")}
              </button>
            </section>
          ))}
          <h2>{t("passkeys-title")}</h2>
          <ul class="items">
            {account.passkeys
              .filter(({ state }) => state === "active")
              .map(({ credential, date }) => (
                <li class="row" key={credential}>
                  <span>
                    <code>{credential.slice(0, 8)}</code>{" "}
                    <span class="small">{t("passkey-added", { date: day(date) })}</span>
                  </span>
                  <Asked
                    label={t("revoke")}
                    question={t("revoke-passkey-ask")}
                    disabled={busy}
                    onYes={() => run(async () => (await api.revokePasskey(token, credential), await load()))}
                  />
                </li>
              ))}
          </ul>
          <h2>{t("templates-title")}</h2>
          <p>{t("templates-text")}</p>
          {templatesGone ? (
            <p role="status">{t("templates-revoked")}</p>
          ) : (
            <Asked
              label={t("revoke-templates")}
              question={t("revoke-templates-ask")}
              disabled={busy}
              onYes={() => run(async () => (await api.revokeTemplates(token), setTemplatesGone(true)))}
            />
          )}
          <h2>{t("notices-title")}</h2>
          {account.notices.length === 0 && <p>{t("notices-none")}</p>}
          <ul class="items">
            {account.notices.map(({ kind, date }, i) => (
              <li key={i}>
                <span class="small">{day(date)}</span> {has(`notice-${kind}`) ? t(`notice-${kind}`) : kind}
              </li>
            ))}
          </ul>
        </>
      )}
      <p>
        <button
          type="button"
          onClick={() => {
            // Signed out here at once; the service is told as well as it can be.
            api.signOut(token).catch(() => undefined);
            onSignOut();
          }}
        >
          {t("sign-out")}
        </button>
      </p>
    </>
  );
}

/** Not every browser has Kyrgyz dates; day, month, year in figures are read everywhere. */
function dateLocale(language: string): string {
  return language === "en" ? "en-GB" : "ru";
}

interface AskedProps {
  label: string;
  question: string;
  disabled: boolean;
  onYes(): void;
}

/** A button for what cannot be taken back: it asks once more. */
function Asked({ label, question, disabled, onYes }: AskedProps) {
  const { t } = useTexts();
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <button type="button" disabled={disabled} onClick={() => setAsking(true)}>
        {label}
      </button>
    );
  }
  return (
    <span role="group" aria-label={question}>
      <span>{question} </span>
      <button
        type="button"
        onClick={() => {
          setAsking(false);
          onYes();
        }}
      >
        {t("yes")}
      </button>{" "}
      <button type="button" class="main" onClick={() => setAsking(false)}>
        {t("no")}
      </button>
    </span>
  );
}
