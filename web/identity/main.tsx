/** Pages of the identity provider's host. The session token is in this page's memory and nowhere else. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "../common/style.css";
import { call } from "../common/http";
import { ErrorBox, Heading, Page, useTexts, useWork } from "../common/page";
import en from "../locales/en/identity.ftl?raw";
import ky from "../locales/ky/identity.ftl?raw";
import ru from "../locales/ru/identity.ftl?raw";
import { Account } from "./account";
import { session } from "./api";
import { Enrol } from "./enrol";
import { SignIn } from "./signin";

type View = "home" | "enrol" | "sign-in" | "account";

/** Another service sent the person here to sign in (OpenID Connect). */
const AUTHORIZE = location.pathname === "/oidc/authorize";

function App() {
  const [view, setView] = useState<View>(AUTHORIZE ? "sign-in" : "home");
  const [token, setToken] = useState<string | null>(null);
  const { problem, run } = useWork();
  const client = AUTHORIZE ? new URLSearchParams(location.search).get("client_id") : null;
  const signedIn = (fresh: string) => {
    if (AUTHORIZE) {
      run(async () => location.assign((await session.authorize(fresh, location.search)).redirect));
      return;
    }
    setToken(fresh);
    setView("account");
  };
  return (
    <>
      {problem && <ErrorBox problem={problem} />}
      {view === "home" && <Home onEnrol={() => setView("enrol")} onSignIn={() => setView("sign-in")} />}
      {view === "enrol" && <Enrol onBack={() => setView("home")} onSignIn={() => setView("sign-in")} />}
      {view === "sign-in" && <SignIn client={client} onSignedIn={signedIn} onBack={() => setView("home")} />}
      {view === "account" && token && (
        <Account
          token={token}
          onSignOut={() => {
            setToken(null);
            setView("home");
          }}
        />
      )}
    </>
  );
}

function Home({ onEnrol, onSignIn }: { onEnrol(): void; onSignIn(): void }) {
  const { t } = useTexts();
  return (
    <>
      <Heading>{t("home-title")}</Heading>
      <p>{t("home-text")}</p>
      <div class="choice">
        <button type="button" class="main" onClick={onEnrol}>
          {t("home-enrol")}
        </button>
        <p class="small">{t("home-enrol-text")}</p>
      </div>
      <div class="choice">
        <button type="button" onClick={onSignIn}>
          {t("home-sign-in")}
        </button>
        <p class="small">{t("home-sign-in-text")}</p>
      </div>
      <p class="small">{t("help-line")}</p>
    </>
  );
}

function Site() {
  const [model, setModel] = useState(false);
  useEffect(() => {
    // What the deployment says of itself; without it nothing is marked.
    call<{ model: boolean }>("/settings.json", { method: "GET" }).then(
      (settings) => setModel(settings.model),
      () => undefined,
    );
  }, []);
  return (
    <Page sources={{ ky, ru, en }} model={model}>
      <App />
    </Page>
  );
}

render(<Site />, document.getElementById("app")!);
