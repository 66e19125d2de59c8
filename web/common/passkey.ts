/** WebAuthn, between the JSON forms of W3C Web Authentication Level 3 (section 5.1.8) and what browsers take. */

import { type Bytes, equal, fromBase64url, toBase64url } from "./bytes";
import { decode, requireBytes, requireMap } from "./cbor";
import { Problem } from "./http";

type Json = Record<string, any>;

export function isSupported(): boolean {
  return typeof PublicKeyCredential === "function" && typeof navigator.credentials?.create === "function";
}

function descriptors(list: Json[] | undefined): PublicKeyCredentialDescriptor[] {
  return (list ?? []).map((item) => ({ ...item, type: "public-key", id: fromBase64url(item.id) }));
}

/**
 * Make a passkey as a service's creation options say; user verification is demanded whatever they say.
 *
 * `prf`: whether it should be able to seal a wallet, which an authenticator has to be told when the passkey is made.
 */
export async function createPasskey(options: Json, prf = false): Promise<PublicKeyCredential> {
  const publicKey = {
    ...options,
    extensions: { ...options.extensions, ...(prf ? { prf: {} } : {}) },
    challenge: fromBase64url(options.challenge),
    user: { ...options.user, id: fromBase64url(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
    authenticatorSelection: { ...options.authenticatorSelection, userVerification: "required" },
  } as unknown as PublicKeyCredentialCreationOptions;
  return ask(() => navigator.credentials.create({ publicKey }));
}

/** An assertion over the challenge of a service's request options. For sign-in only: never for a request of a credential. */
export async function signIn(options: Json): Promise<PublicKeyCredential> {
  const publicKey = {
    ...options,
    challenge: fromBase64url(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
    userVerification: "required",
  } as unknown as PublicKeyCredentialRequestOptions;
  return ask(() => navigator.credentials.get({ publicKey }));
}

/** An assertion over a challenge that the page computed, and the passkey's PRF output for `salt` where there is one. */
export async function signChallenge(
  rpId: string,
  challenge: Bytes,
  credential: Bytes | null,
  salt: Bytes,
): Promise<{ credential: PublicKeyCredential; prf: Bytes | null }> {
  const signed = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge,
        rpId,
        allowCredentials: credential ? [{ type: "public-key", id: credential }] : [],
        userVerification: "required",
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const first = signed.getClientExtensionResults().prf?.results?.first;
  if (!first) return { credential: signed, prf: null };
  return { credential: signed, prf: new Uint8Array(ArrayBuffer.isView(first) ? (first.buffer as ArrayBuffer) : first) };
}

async function ask(work: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await work();
    if (credential instanceof PublicKeyCredential) return credential;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "InvalidStateError") throw new Problem("passkey-exists");
    if (name === "SecurityError" || name === "NotSupportedError") throw new Problem("passkey-impossible");
  }
  // Browsers do not tell apart: cancelled, timed out, not verified, no such passkey.
  throw new Problem("passkey-refused");
}

export function bytesOf(buffer: ArrayBuffer): Bytes {
  return new Uint8Array(buffer);
}

function results(credential: PublicKeyCredential): Json {
  const found = credential.getClientExtensionResults();
  // A PRF output is the wallet's key and goes to nobody.
  return found.credProps ? { credProps: found.credProps } : {};
}

export function registrationJson(credential: PublicKeyCredential): Json {
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    id: credential.id,
    rawId: credential.id,
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: results(credential),
    response: {
      clientDataJSON: toBase64url(bytesOf(response.clientDataJSON)),
      attestationObject: toBase64url(bytesOf(response.attestationObject)),
      transports: response.getTransports?.() ?? [],
    },
  };
}

export function assertionJson(credential: PublicKeyCredential): Json {
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    id: credential.id,
    rawId: credential.id,
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: results(credential),
    response: {
      clientDataJSON: toBase64url(bytesOf(response.clientDataJSON)),
      authenticatorData: toBase64url(bytesOf(response.authenticatorData)),
      signature: toBase64url(bytesOf(response.signature)),
      userHandle: response.userHandle ? toBase64url(bytesOf(response.userHandle)) : null,
    },
  };
}

/** Credential id and COSE key of a new passkey, read here from what the authenticator made, not from what a service says. */
export function newKeyOf(credential: PublicKeyCredential): { id: Bytes; key: Bytes } {
  const response = credential.response as AuthenticatorAttestationResponse;
  const data = response.getAuthenticatorData
    ? bytesOf(response.getAuthenticatorData())
    : authenticatorDataIn(bytesOf(response.attestationObject));
  const found = attestedKey(data);
  if (!equal(found.id, bytesOf(credential.rawId))) throw new Problem("passkey-impossible");
  return found;
}

function authenticatorDataIn(attestationObject: Bytes): Bytes {
  try {
    const members = requireMap(decode(attestationObject, 65_536), ["fmt", "attStmt", "authData"], "attestation object");
    return requireBytes(members.authData, "authenticator data", 37, 65_536);
  } catch {
    throw new Problem("passkey-impossible");
  }
}

const ED25519 = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
const ES256 = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
const ATTESTED = 0x40;

/** Attested credential data (WebAuthn section 6.5.1), with one of the two key encodings of docs/spec/05-credentials.md 5.3. */
export function attestedKey(data: Bytes): { id: Bytes; key: Bytes } {
  const length = data.length >= 55 ? data[53]! * 256 + data[54]! : 0;
  const id = data.slice(55, 55 + length);
  const rest = data.slice(55 + length);
  if (!length || id.length !== length || !(data[32]! & ATTESTED)) throw new Problem("passkey-impossible");
  const starts = (prefix: number[]) => prefix.every((byte, i) => rest[i] === byte);
  if (starts(ED25519) && rest.length >= 42) return { id, key: rest.slice(0, 42) };
  if (starts(ES256) && rest.length >= 77 && rest[42] === 0x22 && rest[43] === 0x58 && rest[44] === 0x20)
    return { id, key: rest.slice(0, 77) };
  throw new Problem("passkey-impossible");
}
