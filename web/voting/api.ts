/** Interfaces that the voting host's page calls on other hosts: identity provider, registrar, issuers. */

import { type Bytes, fromBase64url, fromHex, toBase64url, toHex } from "../common/bytes";
import { call, Problem, problemOf, retrying, send } from "../common/http";
import type { Language } from "../common/i18n";
import { type Election, ElectionError, openElection } from "../credential/election";
import type { Request } from "../credential/request";

/**
 * `election/election.json`: which election this host serves, and where its services are. Voting passkeys are made before
 * the election is opened, and need no more than this. What issuance needs comes from the opening entry.
 */
export interface Site {
  format: "evoting-vote-page/v1";
  /** Origin line of the election's log. */
  origin: string;
  title: Partial<Record<Language, string>>;
  model: boolean;
  identity: string;
  registrar: string;
  /** Once the election is open: fingerprint in hex, and the issuers' addresses by index. */
  opening: { fingerprint: string; issuers: string[] } | null;
}

export async function loadSite(): Promise<Site> {
  const site = await retrying(() => call<Site>("/election/election.json", { method: "GET" }));
  if (site.format !== "evoting-vote-page/v1") throw new Problem("bad-election");
  return site;
}

async function file(name: string): Promise<Bytes> {
  const response = await retrying(() => send(`/election/${name}`, { method: "GET", seconds: 120 }));
  if (!response.ok) throw await problemOf(response);
  return new Uint8Array(await response.arrayBuffer());
}

/** The opened election, checked against its fingerprint. */
export async function loadElection(site: Site): Promise<Election> {
  if (!site.opening) throw new Problem("not-open");
  const [opening, manifest, keys] = await Promise.all(["opening.cbor", "manifest.cbor", "keys.cbor"].map(file));
  try {
    const election = openElection(fromHex(site.opening.fingerprint), opening!, manifest!, keys!);
    if (election.votingOrigin !== location.origin) throw new ElectionError("the election votes on another host");
    if (election.identityOrigin !== site.identity) throw new ElectionError("another identity provider");
    if (election.origin !== site.origin) throw new ElectionError("another log");
    if (site.opening.issuers.length !== election.issuers) throw new ElectionError("not one address for each issuer");
    return election;
  } catch (error) {
    console.error(error);
    throw new Problem("bad-election");
  }
}

export interface VotingSession {
  session: string;
  /** Origin line of the election's log. */
  election: string;
  purpose: string;
  position?: number;
  style?: string;
}

type Options = Record<string, unknown>;

export function identityProvider(site: Site) {
  const base = `${site.identity}/v1/voting`;
  return {
    open: (code: string) => call<VotingSession>(`${base}/session`, { json: { code } }),
    passkeyOptions: (session: string) =>
      call<{ publicKey: Options; id: string }>(`${base}/passkey/options`, {
        json: { election: site.origin },
        session,
      }),
    passkey: (session: string, id: string, credential: unknown, language: string) =>
      retrying(() =>
        call<{ enrolment: string; key_digest: string; registrar: string; channel_hint: string }>(`${base}/passkey`, {
          json: { id, credential, language },
          session,
          idempotencyKey: id,
        }),
      ),
    complete: (session: string, enrolment: string) =>
      retrying(() =>
        call<{ state: "pending" | "logged"; position: number; style: string }>(`${base}/passkey/complete`, {
          json: { enrolment },
          session,
        }),
      ),
    /** Safe to repeat: the key stands for the request, and the same request gets the same ticket. */
    ticket: async (session: string, fingerprint: Bytes, request: Request, key: string): Promise<{ hash: Bytes; ticket: Bytes }> => {
      const answer = await retrying(() =>
        call<{ hash: string; ticket: string }>(`${base}/tickets`, {
          json: {
            election: toHex(fingerprint),
            style: request.style,
            position: request.position,
            credential: toBase64url(request.credential),
            blinded: toBase64url(request.blinded),
          },
          session,
          idempotencyKey: key,
        }),
      );
      try {
        return { hash: fromBase64url(answer.hash), ticket: fromBase64url(answer.ticket) };
      } catch {
        throw new Problem("wrong-ticket");
      }
    },
  };
}

export const confirmAtRegistrar = (registrar: string, enrolment: string, code: string, digest: string) =>
  call<{ state: "confirmed" }>(`${registrar}/v1/confirmations`, { json: { enrolment, code, key_digest: digest } });

export const sendCodeAgain = (registrar: string, enrolment: string) =>
  call<unknown>(`${registrar}/v1/resends`, { json: { enrolment } });

/** One issuer's answer: CBOR, whether it signs or refuses. The same bytes are sent again where the network failed. */
export async function askIssuer(origin: string, request: Bytes): Promise<Bytes> {
  const response = await retrying(async () => {
    const answer = await send(`${origin}/v1/issuances`, { body: request, type: "application/cbor", seconds: 20 });
    if (answer.headers.get("content-type") !== "application/cbor") throw await problemOf(answer);
    return answer;
  });
  return new Uint8Array(await response.arrayBuffer());
}
