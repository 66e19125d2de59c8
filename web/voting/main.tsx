/** Page of the voting host: voting passkey and credential. It is entered with a one-time code from the identity host. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "../common/style.css";
import { toHex } from "../common/bytes";
import { Problem } from "../common/http";
import { asProblem, Busy, ErrorBox, Heading, Page, useTexts } from "../common/page";
import { DeviceStore } from "../credential/store";
import en from "../locales/en/voting.ftl?raw";
import ky from "../locales/ky/voting.ftl?raw";
import ru from "../locales/ru/voting.ftl?raw";
import { identityProvider, loadSite, type Site, type VotingSession } from "./api";
import { Credential } from "./credential";
import { MakeVotingPasskey } from "./passkey";

interface Entry {
  purpose: "voting-passkey" | "ticket";
  code: string;
}

/** Take the hand-off out of the address, so that neither history nor a screenshot keeps it. */
function takeEntry(): Entry | null {
  const values = new URLSearchParams(location.hash.slice(1));
  const [purpose, code] = [values.get("purpose"), values.get("code")];
  history.replaceState(null, "", location.pathname + location.search);
  return code && (purpose === "voting-passkey" || purpose === "ticket") ? { purpose, code } : null;
}

const entry = takeEntry();

interface Ready {
  site: Site;
  store: DeviceStore;
  session: VotingSession | null;
}

function Site({ onModel }: { onModel(model: boolean): void }) {
  const { t, language } = useTexts();
  const [ready, setReady] = useState<Ready | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    (async () => {
      const site = await loadSite();
      onModel(site.election.model);
      const store = await DeviceStore.open().catch(() => {
        throw new Problem("storage");
      });
      const session = entry ? await identityProvider(site.election).open(entry.code) : null;
      if (session && session.election !== site.election.origin) throw new Problem("bad-election");
      setReady({ site, store, session });
    })().catch((error: unknown) => setProblem(asProblem(error)));
  }, []);
  if (problem) return <ErrorBox problem={problem} />;
  if (!ready) return <Busy text={t("loading")} />;
  const { site, store, session } = ready;
  const { election } = site;
  return (
    <>
      <p class="small election">
        <strong>{election.title[language] ?? Object.values(election.title)[0]}</strong>
        <br />
        {t("election-fingerprint", { fingerprint: toHex(election.fingerprint).slice(0, 16).replace(/(.{4})(?=.)/g, "$1 ") })}
      </p>
      {!session && <WithoutCode identity={election.identityOrigin} />}
      {session && entry?.purpose === "voting-passkey" && (
        <MakeVotingPasskey site={site} session={session.session} store={store} />
      )}
      {session && entry?.purpose === "ticket" && session.position !== undefined && session.style !== undefined && (
        <Credential
          site={site}
          session={session.session}
          position={session.position}
          style={session.style}
          store={store}
        />
      )}
    </>
  );
}

function WithoutCode({ identity }: { identity: string }) {
  const { t } = useTexts();
  return (
    <>
      <Heading>{t("no-code-title")}</Heading>
      <p>{t("no-code-text")}</p>
      <p>
        <a href={identity}>{t("go-identity")}</a>
      </p>
    </>
  );
}

function App() {
  const [model, setModel] = useState(false);
  return (
    <Page sources={{ ky, ru, en }} model={model}>
      <Site onModel={setModel} />
    </Page>
  );
}

render(<App />, document.getElementById("app")!);
