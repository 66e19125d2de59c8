/** The voting passkey: made here, confirmed at the registrar with the code from its own channel, then in the log. */

import { useEffect, useRef, useState } from "preact/hooks";
import { toHex } from "../common/bytes";
import { pause, Problem } from "../common/http";
import { Busy, ErrorBox, Field, Heading, useTexts, useWork } from "../common/page";
import { createPasskey, newKeyOf, registrationJson } from "../common/passkey";
import { hash } from "../credential/hash";
import type { DeviceStore, VotingPasskey } from "../credential/store";
import { confirmAtRegistrar, identityProvider, sendCodeAgain, type Site } from "./api";

const POLL_SECONDS = [1, 1, 2, 2, 3, 5, 5, 10, 10, 20];

interface Props {
  site: Site;
  session: string;
  store: DeviceStore;
}

export function MakeVotingPasskey({ site, session, store }: Props) {
  const { t, language } = useTexts();
  const [passkey, setPasskey] = useState<VotingPasskey | null | undefined>(undefined);
  const { busy, problem, run } = useWork();
  const provider = identityProvider(site);
  useEffect(() => run(async () => setPasskey(await store.passkey(site.origin))), []);

  const make = () =>
    run(async () => {
      const { publicKey, id } = await provider.passkeyOptions(session);
      const credential = await createPasskey(publicKey, true);
      // Read from what the authenticator made. The identity provider's word for it is compared, never taken.
      const made = newKeyOf(credential);
      const digest = toHex(hash(made.key));
      const answer = await provider.passkey(session, id, registrationJson(credential), language);
      if (answer.key_digest !== digest) throw new Problem("other-key");
      const fresh: VotingPasskey = {
        election: site.origin,
        credential: made.id,
        digest,
        enrolment: answer.enrolment,
        channel: answer.channel_hint,
        logged: false,
      };
      await store.keepPasskey(fresh);
      setPasskey(fresh);
    });

  if (passkey === undefined) return problem ? <ErrorBox problem={problem} /> : <Busy />;
  if (passkey) return <Confirm site={site} session={session} store={store} passkey={passkey} onAgain={() => setPasskey(null)} />;
  return (
    <>
      <Heading>{t("key-title")}</Heading>
      <p>{t("key-text")}</p>
      {problem && <ErrorBox problem={problem} />}
      {busy && <Busy />}
      <p>
        <button type="button" class="main" onClick={make} disabled={busy}>
          {t("key-create")}
        </button>
      </p>
    </>
  );
}

interface ConfirmProps extends Props {
  passkey: VotingPasskey;
  onAgain(): void;
}

function Confirm({ site, session, store, passkey, onAgain }: ConfirmProps) {
  const { t } = useTexts();
  const [code, setCode] = useState("");
  const [wrong, setWrong] = useState(false);
  const [sentAgain, setSentAgain] = useState(false);
  const [phase, setPhase] = useState<"code" | "waiting" | "slow" | "logged">(passkey.logged ? "logged" : "code");
  const { busy, problem, run } = useWork();
  const gone = useRef(false);
  useEffect(() => () => void (gone.current = true), []);
  const provider = identityProvider(site);

  const isLogged = async () => {
    if ((await provider.complete(session, passkey.enrolment)).state !== "logged") return false;
    await store.keepPasskey({ ...passkey, logged: true });
    setPhase("logged");
    return true;
  };
  const wait = async () => {
    setPhase("waiting");
    for (const seconds of POLL_SECONDS) {
      if (gone.current || (await isLogged())) return;
      await pause(seconds);
    }
    setPhase("slow");
  };
  const submit = () => {
    const digits = code.replace(/\D/g, "");
    setWrong(digits.length !== 8);
    if (digits.length !== 8) document.getElementById("code")?.focus();
    else
      run(async () => {
        await confirmAtRegistrar(site.registrar, passkey.enrolment, digits, passkey.digest);
        await wait();
      });
  };

  if (phase === "logged") {
    return (
      <>
        <Heading>{t("logged-title")}</Heading>
        <p>{t("logged-text")}</p>
      </>
    );
  }
  return (
    <>
      <Heading>{t("confirm-title")}</Heading>
      <div class="digest">
        {t("digest-label")} <code data-digest={passkey.digest}>{passkey.digest.slice(0, 8)}</code>
      </div>
      <p>{t("digest-text")}</p>
      {phase === "code" ? (
        <form
          noValidate
          class="code-input"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <p>{t("confirm-text", { channel: passkey.channel })}</p>
          <Field
            id="code"
            label={t("code")}
            hint={t("code-hint")}
            error={wrong ? t("code-wrong") : null}
            value={code}
            onInput={setCode}
            mode="numeric"
            autocomplete="one-time-code"
          />
          {problem && <ErrorBox problem={problem} onRetry={problem.status === 404 || problem.status === 410 ? onAgain : undefined} />}
          {busy && <Busy />}
          {sentAgain && <p role="status">{t("code-sent-again")}</p>}
          <p class="row">
            <button type="submit" class="main" disabled={busy}>
              {t("code-send")}
            </button>
            <button
              type="button"
              disabled={busy}
              onClick={() =>
                run(async () => {
                  await sendCodeAgain(site.registrar, passkey.enrolment);
                  setSentAgain(true);
                })
              }
            >
              {t("code-again")}
            </button>
          </p>
        </form>
      ) : (
        <>
          {problem && <ErrorBox problem={problem} onRetry={() => run(wait)} />}
          {phase === "waiting" && !problem && <Busy text={t("waiting-log")} />}
          {phase === "slow" && (
            <>
              <p role="status">{t("waiting-slow")}</p>
              <button type="button" onClick={() => run(wait)}>
                {t("retry")}
              </button>
            </>
          )}
        </>
      )}
    </>
  );
}
