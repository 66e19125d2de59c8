/** Sign-in by passkey, and a fresh face check where policy demands one. */

import { useState } from "preact/hooks";
import { Busy, ErrorBox, Heading, useTexts, useWork } from "../common/page";
import { assertionJson, signIn } from "../common/passkey";
import { faceCheck, session, type SignedIn } from "./api";
import { Liveness } from "./liveness";

interface Props {
  client: string | null;
  onSignedIn(token: string): void;
  onBack(): void;
}

export function SignIn({ client, onSignedIn, onBack }: Props) {
  const { t } = useTexts();
  const [signed, setSigned] = useState<SignedIn | null>(null);
  const { busy, problem, run } = useWork();
  const start = () =>
    run(async () => {
      const { publicKey, id } = await session.options();
      const answer = await session.signIn(id, assertionJson(await signIn(publicKey)));
      if (answer.must?.length) setSigned(answer);
      else onSignedIn(answer.session);
    });
  if (signed) {
    return (
      <Liveness
        check={faceCheck("/v1/sign-in", signed.session)}
        match={true}
        onPassed={() => onSignedIn(signed.session)}
      />
    );
  }
  return (
    <>
      <Heading>{t("sign-in-title")}</Heading>
      {client && <p>{t("continue-to", { client })}</p>}
      <p>{t("sign-in-text")}</p>
      {problem && <ErrorBox problem={problem} />}
      {busy && <Busy />}
      <p class="row">
        <button type="button" class="main" onClick={start} disabled={busy}>
          {t("sign-in")}
        </button>
        <button type="button" onClick={onBack}>
          {t("back")}
        </button>
      </p>
    </>
  );
}
