/** First enrolment: document, camera, face, passkey; or an appointment at a consulate. */

import { useState } from "preact/hooks";
import { Busy, ErrorBox, Field, Heading, useTexts, useWork } from "../common/page";
import { createPasskey, registrationJson } from "../common/passkey";
import { enrolment, faceCheck, type Started, type Step } from "./api";
import { Liveness } from "./liveness";
import { readMrz, readPin } from "./mrz";

/** What a browser does; passive authentication needs a terminal with a reader. */
const SHOWN: Step[] = ["document", "liveness", "face", "passkey"];

interface Props {
  onBack(): void;
  onSignIn(): void;
}

export function Enrol({ onBack, onSignIn }: Props) {
  const [started, setStarted] = useState<Started | null>(null);
  const [left, setLeft] = useState<Step[]>(["document", "liveness", "face", "passkey"]);
  const shown = SHOWN.filter((step) => !started || step === "document" || started.steps.includes(step));
  const finish = (...steps: Step[]) => setLeft(left.filter((step) => !steps.includes(step)));
  const step = left[0];
  if (!step || !started) {
    return step ? (
      <>
        <Steps shown={shown} current="document" />
        <Document
          onBack={onBack}
          onStarted={(begun) => {
            setStarted(begun);
            setLeft(SHOWN.filter((name) => name !== "document" && begun.steps.includes(name)));
          }}
        />
      </>
    ) : null;
  }
  return (
    <>
      <Steps shown={shown} current={step} />
      {(step === "liveness" || step === "face") && (
        <>
          <Liveness
            check={faceCheck("/v1/enrolments", started.session)}
            match={left.includes("face")}
            onPassed={() => finish("liveness", "face")}
          />
          <OtherWay session={started.session} />
        </>
      )}
      {step === "passkey" && <MakePasskey session={started.session} onSignIn={onSignIn} />}
    </>
  );
}

function Steps({ shown, current }: { shown: Step[]; current: Step }) {
  const { t } = useTexts();
  const at = shown.indexOf(current);
  return (
    <ol class="steps" aria-label={t("steps-label")}>
      {shown.map((step, i) => (
        <li key={step} class={i < at ? "done" : ""} aria-current={step === current ? "step" : undefined}>
          {t(`step-${step}`)}
        </li>
      ))}
    </ol>
  );
}

function Document({ onBack, onStarted }: { onBack(): void; onStarted(started: Started): void }) {
  const { t, language } = useTexts();
  const [pin, setPin] = useState("");
  const [mrz, setMrz] = useState("");
  const [wrong, setWrong] = useState<"pin" | "mrz" | null>(null);
  const { busy, problem, run } = useWork();
  const submit = () => {
    const digits = readPin(pin);
    const lines = readMrz(mrz);
    const first = !digits ? "pin" : !lines ? "mrz" : null;
    setWrong(first);
    if (first) document.getElementById(first)?.focus();
    else if (digits && lines) run(async () => onStarted(await enrolment.start(digits, lines, language)));
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Heading>{t("document-title")}</Heading>
      <Field
        id="pin"
        label={t("pin")}
        hint={t("pin-hint")}
        error={wrong === "pin" ? t("pin-wrong") : null}
        value={pin}
        onInput={setPin}
        mode="numeric"
      />
      <Field
        id="mrz"
        label={t("mrz")}
        hint={t("mrz-hint")}
        error={wrong === "mrz" ? t("mrz-wrong") : null}
        value={mrz}
        onInput={setMrz}
        lines={3}
      />
      {problem && <ErrorBox problem={problem} />}
      {busy && <Busy />}
      <p class="row">
        <button type="submit" class="main" disabled={busy}>
          {t("document-send")}
        </button>
        <button type="button" onClick={onBack}>
          {t("back")}
        </button>
      </p>
    </form>
  );
}

function OtherWay({ session }: { session: string }) {
  const { t } = useTexts();
  const [consulate, setConsulate] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const { busy, problem, run } = useWork();
  const submit = () => run(async () => setCode((await enrolment.appointment(session, consulate.trim())).appointment));
  return (
    <details>
      <summary>{t("other-way")}</summary>
      <p>{t("other-way-text")}</p>
      {code ? (
        <p role="status">{t("appointment-done", { code })}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (consulate.trim()) submit();
          }}
        >
          <Field id="consulate" label={t("consulate")} value={consulate} onInput={setConsulate} />
          {problem && <ErrorBox problem={problem} />}
          <p>
            <button type="submit" disabled={busy || !consulate.trim()}>
              {t("appointment-ask")}
            </button>
          </p>
        </form>
      )}
    </details>
  );
}

function MakePasskey({ session, onSignIn }: { session: string; onSignIn(): void }) {
  const { t } = useTexts();
  const [made, setMade] = useState(false);
  const { busy, problem, run } = useWork();
  const make = () =>
    run(async () => {
      const { publicKey } = await enrolment.passkeyOptions(session);
      const credential = await createPasskey(publicKey);
      await enrolment.passkey(session, registrationJson(credential));
      setMade(true);
    });
  if (made) {
    return (
      <>
        <Heading>{t("enrolled-title")}</Heading>
        <p>{t("enrolled-text")}</p>
        <p>
          <button type="button" class="main" onClick={onSignIn}>
            {t("sign-in")}
          </button>
        </p>
      </>
    );
  }
  return (
    <>
      <Heading>{t("passkey-title")}</Heading>
      <p>{t("passkey-text")}</p>
      {problem && <ErrorBox problem={problem} />}
      {busy && <Busy />}
      <p>
        <button type="button" class="main" onClick={make} disabled={busy}>
          {t("passkey-create")}
        </button>
      </p>
    </>
  );
}
