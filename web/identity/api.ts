/** The identity provider's interface, as the page on its own host uses it. */

import { concat } from "../common/bytes";
import { type Call, call } from "../common/http";
import type { Language } from "../common/i18n";

export type Step = "document" | "passive-authentication" | "liveness" | "face" | "passkey";
export type Action = "turn-left" | "turn-right" | "blink";

export interface Started {
  session: string;
  steps: Step[];
}

/** What the person is to do now. The service tells one action after the other, so that none can be prepared. */
export interface Prompt {
  state: "continue" | "passed";
  /** `look-ahead`: the service has not yet seen the person look straight into the camera. */
  next_action: Action | "look-ahead" | null;
  /** The action of now, with the time that is left for it. */
  actions: { action: Action | "look-ahead"; seconds: number }[];
  /** How many actions are done, and of how many. */
  step: number;
  steps: number;
}

export interface Challenge extends Prompt {
  id: string;
  frames_per_second: number;
}

export interface SignedIn {
  session: string;
  must?: string[];
}

export interface Account {
  /** Dates are days since 1970. */
  passkeys: { credential: string; state: "active" | "revoked"; date: number }[];
  notices: { kind: string; date: number }[];
  proofing: string;
  elections: {
    /** Origin line of the election's log. */
    election: string;
    title: Partial<Record<Language, string>>;
    model: boolean;
    position: number | null;
    style: string | null;
    voting_passkey: "none" | "pending" | "logged";
  }[];
}

export interface Handoff {
  code: string;
  voting_origin: string;
}

type Options = Record<string, unknown>;

const post = <T>(path: string, json: unknown, session: string | null = null, more: Call = {}) =>
  call<T>(path, { json, session, ...more });

export const enrolment = {
  start: (pin: string, mrz: string[], language: Language) =>
    post<Started>("/v1/enrolments", { pin, document: { mrz }, language }),
  passkeyOptions: (session: string) => post<{ publicKey: Options }>("/v1/enrolments/passkey/options", {}, session),
  passkey: (session: string, credential: unknown) => post<void>("/v1/enrolments/passkey", { credential }, session),
  appointment: (session: string, consulate: string) =>
    post<{ appointment: string }>("/v1/enrolments/appointment", { consulate }, session),
};

/** Camera and face at enrolment (`/v1/enrolments`) and at sign-in (`/v1/sign-in`): the same steps under another path. */
export function faceCheck(base: "/v1/enrolments" | "/v1/sign-in", session: string) {
  return {
    challenge: () => post<Challenge>(`${base}/liveness`, {}, session),
    frames: (sequence: number, frames: Uint8Array[]) =>
      call<Prompt>(`${base}/liveness/frames?sequence=${sequence}`, {
        body: framed(frames),
        type: "application/octet-stream",
        session,
      }),
    match: () => post<{ matched: true }>(`${base}/face`, {}, session),
  };
}

/** Each frame after its length as four bytes, big-endian. */
function framed(frames: Uint8Array[]) {
  return concat(
    ...frames.flatMap((frame) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, frame.length);
      return [length, frame];
    }),
  );
}

export const session = {
  options: () => post<{ publicKey: Options; id: string }>("/v1/sign-in/options", {}),
  signIn: (id: string, credential: unknown) => post<SignedIn>("/v1/sign-in", { id, credential }),
  signOut: (token: string) => post<void>("/v1/sign-out", {}, token),
  account: (token: string) => call<Account>("/v1/account", { method: "GET", session: token }),
  revokePasskey: (token: string, credential: string) =>
    post<void>("/v1/account/passkeys/revoke", { credential }, token),
  revokeTemplates: (token: string) => post<void>("/v1/account/templates/revoke", {}, token),
  handoff: (token: string, election: string, purpose: "voting-passkey" | "ticket") =>
    post<Handoff>("/v1/handoff", { election, purpose }, token),
  /** For another service (OpenID Connect): the parameters of the page's own address go back as they came. */
  authorize: (token: string, query: string) =>
    post<{ redirect: string }>("/oidc/authorize", Object.fromEntries(new URLSearchParams(query)), token),
};
