/** Page of the voting host: voting passkey and credential. It is entered with a one-time code from the identity host. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "../common/style.css";
import { toHex } from "../common/bytes";
import { Problem } from "../common/http";
import { asProblem, Busy, ErrorBox, Heading, Page, useTexts } from "../common/page";
import type { Election } from "../credential/election";
import { DeviceStore } from "../credential/store";
import en from "../locales/en/voting.ftl?raw";
import ky from "../locales/ky/voting.ftl?raw";
import ru from "../locales/ru/voting.ftl?raw";
import { identityProvider, loadElection, loadSite, type Site, type VotingSession } from "./api";
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
  /** Loaded and checked only where it is needed. */
  election: Election | null;
}

async function prepare(onSite: (site: Site) => void): Promise<Ready> {
  const site = await loadSite();
  onSite(site);
  const store = await DeviceStore.open().catch(() => {
    throw new Problem("storage");
  });
  // The election first: a hand-off code is good once.
  const election = entry?.purpose === "ticket" ? await loadElection(site) : null;
  const session = entry ? await identityProvider(site).open(entry.code) : null;
  if (session && session.election !== site.origin) throw new Problem("bad-election");
  return { site, store, session, election };
}

function Content({ onModel }: { onModel(model: boolean): void }) {
  const { t, language } = useTexts();
  const [site, setSite] = useState<Site | null>(null);
  const [ready, setReady] = useState<Ready | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    prepare((found) => {
      setSite(found);
      onModel(found.model);
    }).then(
      (found) => {
        // What the opening entry says counts more than what the host says.
        if (found.election) onModel(found.election.model);
        setReady(found);
      },
      (error: unknown) => setProblem(asProblem(error)),
    );
  }, []);
  const election = ready?.election;
  return (
    <>
      {site && (
        <p class="small">
          <strong>{(election?.title ?? site.title)[language] ?? site.origin}</strong>
          {election && (
            <>
              <br />
              {t("election-fingerprint", { fingerprint: groups(toHex(election.fingerprint).slice(0, 16)) })}
            </>
          )}
        </p>
      )}
      {problem && <ErrorBox problem={problem} />}
      {!ready && !problem && <Busy text={t("loading")} />}
      {((ready && !ready.session) || (problem && site)) && site && <WithoutCode identity={site.identity} />}
      {ready?.session && entry?.purpose === "voting-passkey" && (
        <MakeVotingPasskey site={ready.site} session={ready.session.session} store={ready.store} />
      )}
      {ready?.session && election && <Issuance {...ready} session={ready.session} election={election} />}
    </>
  );
}

type IssuanceProps = Ready & { session: VotingSession; election: Election };

function Issuance({ site, store, session, election }: IssuanceProps) {
  const { session: token, position, style } = session;
  // Somebody without a place on the roll, or whose voting passkey was never begun.
  if (position === undefined || style === undefined) return <ErrorBox problem={new Problem("no-place")} />;
  return <Credential site={site} election={election} session={token} position={position} style={style} store={store} />;
}

function groups(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, "$1 ");
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
      <Content onModel={setModel} />
    </Page>
  );
}

render(<App />, document.getElementById("app")!);
