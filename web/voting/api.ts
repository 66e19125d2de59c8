/** Interfaces that the voting host's page calls on other hosts: identity provider, registrar, issuers. */

import { type Bytes, fromHex, toBase64url, toHex, fromBase64url } from "../common/bytes";
import { call, Problem, problemOf, retrying, send } from "../common/http";
import { type Election, ElectionError, openElection } from "../credential/election";
import type { Request } from "../credential/request";

/** `election/election.json`: where things are. What they are comes from the opening entry. */
interface Where {
  format: "evoting-vote-page/v1";
  fingerprint: string;
  registrar: string;
  issuers: string[];
}

export interface Site {
  election: Election;
  registrar: string;
  issuers: string[];
}

async function file(name: string): Promise<Bytes> {
  const response = await retrying(() => send(`/election/${name}`, { method: "GET", seconds: 120 }));
  if (!response.ok) throw await problemOf(response);
  return new Uint8Array(await response.arrayBuffer());
}

export async function loadSite(): Promise<Site> {
  const where = await retrying(() => call<Where>("/election/election.json", { method: "GET" }));
  const [opening, manifest, keys] = await Promise.all(["opening.cbor", "manifest.cbor", "keys.cbor"].map(file));
  try {
    if (where.format !== "evoting-vote-page/v1") throw new ElectionError("unknown format");
    const election = openElection(fromHex(where.fingerprint), opening!, manifest!, keys!);
    if (election.votingOrigin !== location.origin) throw new ElectionError("the election votes on another host");
    if (where.issuers.length !== election.issuers) throw new ElectionError("not one address for each issuer");
    return { election, registrar: where.registrar, issuers: where.issuers };
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

export function identityProvider(election: Election) {
  const base = `${election.identityOrigin}/v1/voting`;
  return {
    open: (code: string) => call<VotingSession>(`${base}/session`, { json: { code } }),
    passkeyOptions: (session: string) =>
      call<{ publicKey: Options; id: string }>(`${base}/passkey/options`, {
        json: { election: election.origin },
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
    ticket: async (session: string, request: Request, key: string): Promise<{ hash: Bytes; ticket: Bytes }> => {
      const answer = await retrying(() =>
        call<{ hash: string; ticket: string }>(`${base}/tickets`, {
          json: {
            election: toHex(election.fingerprint),
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
