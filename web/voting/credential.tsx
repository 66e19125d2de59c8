/** Obtaining the credential: one touch of the passkey, then the issuers. */

import { useEffect, useState } from "preact/hooks";
import { concat, toHex, utf8 } from "../common/bytes";
import { Problem } from "../common/http";
import { Busy, ErrorBox, Heading, useTexts, useWork } from "../common/page";
import { bytesOf, signChallenge } from "../common/passkey";
import type { Election } from "../credential/election";
import { obtainCredential, type Outcome, IssuanceError, type Ports, type Signed } from "../credential/issuance";
import { requestHash } from "../credential/request";
import { type DeviceStore, StorageError } from "../credential/store";
import type { Sealing } from "../credential/wallet";
import { askIssuer, identityProvider, type Site } from "./api";

interface Props {
  site: Site;
  election: Election;
  session: string;
  position: number;
  style: string;
  store: DeviceStore;
}

export function Credential({ site, election, session, position, style, store }: Props) {
  const { t } = useTexts();
  const id = toHex(election.fingerprint);
  const [outcomes, setOutcomes] = useState<ReadonlyMap<number, Outcome>>(new Map());
  const [sealing, setSealing] = useState<Sealing | null>(null);
  const { busy, problem, run } = useWork();
  const showStored = async () => {
    const record = await store.load(id);
    if (record?.issued) setSealing(record.sealing);
  };
  useEffect(() => run(showStored), []);

  const obtain = () =>
    run(async () => {
      setOutcomes(new Map());
      // So that the browser does not clear the wallet when space is short; a browser may say no.
      await navigator.storage?.persist?.().catch(() => false);
      const passkey = (await store.passkey(site.origin))?.credential ?? (await chosenPasskey());
      const ports: Ports = {
        store,
        entropy: (size) => crypto.getRandomValues(new Uint8Array(size)),
        sign: (challenge) => sign(challenge, passkey),
        ticket: (request) =>
          identityProvider(site).ticket(
            session,
            election.fingerprint,
            request,
            toHex(requestHash(election.fingerprint, request)),
          ),
        issue: (issuer, data) => askIssuer(site.opening!.issuers[issuer - 1]!, data),
        progress: (found) => setOutcomes(new Map(found)),
      };
      try {
        await oneAtATime(() => obtainCredential(election, style, position, passkey, ports));
      } catch (error) {
        throw asPageProblem(error);
      }
      await showStored();
    });

  /** A passkey that was made on another device and came here with the person's account: the person picks it. */
  const chosenPasskey = async () => bytesOf((await signAny(crypto.getRandomValues(new Uint8Array(32)), null)).rawId);
  const salt = concat(utf8("evoting-browser-wallet/v1\n"), election.fingerprint);
  const rpId = new URL(election.votingOrigin).hostname;
  const signAny = async (challenge: Uint8Array<ArrayBuffer>, passkey: Uint8Array<ArrayBuffer> | null) =>
    (await signChallenge(rpId, challenge, passkey, salt)).credential;
  const sign = async (challenge: Uint8Array<ArrayBuffer>, passkey: Uint8Array<ArrayBuffer>): Promise<Signed> => {
    const { credential, prf } = await signChallenge(rpId, challenge, passkey, salt);
    const response = credential.response as AuthenticatorAssertionResponse;
    return {
      assertion: {
        credential: bytesOf(credential.rawId),
        clientData: bytesOf(response.clientDataJSON),
        authenticatorData: bytesOf(response.authenticatorData),
        signature: bytesOf(response.signature),
      },
      prf,
    };
  };

  if (sealing && !busy) {
    return (
      <>
        <Heading>{t("credential-done-title")}</Heading>
        <p>{t("credential-done-text")}</p>
        <p>{t("credential-later")}</p>
        <p class="small" data-sealing={sealing}>
          {t(`sealed-${sealing}`)}
        </p>
      </>
    );
  }
  return (
    <>
      <Heading>{t("credential-title")}</Heading>
      <p>{t("credential-text")}</p>
      <p class="warning">{t("credential-warning")}</p>
      {problem && <ErrorBox problem={problem} />}
      {(busy || outcomes.size > 0) && <Issuers count={election.issuers} outcomes={outcomes} />}
      {busy && <Busy text={t("credential-working")} />}
      {/* Where it was issued, no second try can help. */}
      {problem?.code !== "already-issued" && (
        <p>
          <button type="button" class="main" onClick={obtain} disabled={busy}>
            {t(problem ? "retry" : "credential-get")}
          </button>
        </p>
      )}
    </>
  );
}

function Issuers({ count, outcomes }: { count: number; outcomes: ReadonlyMap<number, Outcome> }) {
  const { t } = useTexts();
  return (
    <ul class="items" aria-label={t("issuers-label")}>
      {Array.from({ length: count }, (_, i) => i + 1).map((number) => {
        const outcome = outcomes.get(number);
        const kind = outcome?.kind ?? "waiting";
        return (
          <li class="row" key={number} data-issuer={number} data-outcome={kind}>
            <span>{t("issuer", { number })}</span>
            <span class={`outcome-${kind}`}>
              {t(`outcome-${kind}`)}
              {outcome?.kind === "refused" && ` (${outcome.code})`}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function asPageProblem(error: unknown): unknown {
  if (error instanceof IssuanceError) return new Problem(error.code);
  if (error instanceof StorageError) return new Problem("storage");
  return error;
}

/** Two tabs do not ask at the same time, where browsers can tell. */
function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request("issuance", work) as Promise<T>) : work();
}
