/** Calls of services. An error is always a Problem with a code, in words that a person can use. */

import type { Language } from "./i18n";

export type Texts = Partial<Record<Language, string>>;

/** What went wrong. Texts come from the service where it answered (RFC 9457), else from the page's own by `code`. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly texts: Texts | null;
  readonly next: Texts | null;
  readonly detail: Record<string, unknown>;
  readonly retryAfter: number | null;

  constructor(code: string, status = 0, body: Record<string, unknown> = {}, retryAfter: number | null = null) {
    super(code);
    this.code = code;
    this.status = status;
    this.texts = texts(body.message);
    this.next = texts(body.next);
    this.detail = typeof body.detail === "object" && body.detail !== null ? (body.detail as Record<string, unknown>) : {};
    this.retryAfter = retryAfter;
  }

  /** Whether the same call may succeed a little later. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

function texts(value: unknown): Texts | null {
  if (typeof value !== "object" || value === null) return null;
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string"));
}

export interface Call {
  method?: "GET" | "POST";
  json?: unknown;
  body?: Uint8Array<ArrayBuffer>;
  type?: string;
  session?: string | null;
  /** Same key and same body: same answer, however often it is sent. */
  idempotencyKey?: string;
  seconds?: number;
}

/** Send nothing that the caller did not name: no cookie, no referrer, no cache, no redirect. */
export async function send(url: string, call: Call): Promise<Response> {
  const headers: Record<string, string> = {};
  if (call.json !== undefined) headers["content-type"] = "application/json";
  if (call.type) headers["content-type"] = call.type;
  if (call.session) headers.authorization = `Bearer ${call.session}`;
  if (call.idempotencyKey) headers["idempotency-key"] = call.idempotencyKey;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), (call.seconds ?? 30) * 1000);
  try {
    const response = await fetch(url, {
      method: call.method ?? "POST",
      headers,
      body: call.json !== undefined ? JSON.stringify(call.json) : (call.body ?? null),
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
      referrerPolicy: "no-referrer",
      signal: stop.signal,
    });
    // The body belongs to the time limit as well.
    return new Response(response.status === 204 ? null : await response.arrayBuffer(), response);
  } catch {
    throw new Problem("network");
  } finally {
    clearTimeout(timer);
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  try {
    const body = (await response.json()) as Record<string, unknown>;
    return new Problem(typeof body.code === "string" ? body.code : "unexpected", response.status, body, retryAfter);
  } catch {
    return new Problem("unexpected", response.status, {}, retryAfter);
  }
}

/** The JSON answer. Throws Problem. */
export async function call<T>(url: string, options: Call = {}): Promise<T> {
  const response = await send(url, options);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem("unexpected", response.status);
  }
}

/** Run again what failed for a transient reason, waiting a little longer each time, as long as `tries` says. */
export async function retrying<T>(work: () => Promise<T>, tries = 4): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || !error.isTransient || attempt >= tries) throw error;
      const seconds = error.retryAfter ?? 0.5 * 2 ** (attempt - 1);
      await pause(Math.min(seconds, 15) * (0.75 + Math.random() / 2));
    }
  }
}

export function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
