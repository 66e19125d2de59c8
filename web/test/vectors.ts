/** The worked vectors of docs/spec/vectors, which the Python code and the verifier are tested with as well. */

import { readFileSync } from "node:fs";

export function vectors<T = Record<string, any>>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../docs/spec/vectors/${name}.json`, import.meta.url), "utf8")) as T;
}
