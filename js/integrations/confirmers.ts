// Functions for a gate's option `confirm`: they ask this project's confirming server, or Meta's
// Hasher-Matcher-Actioner.
import type { Candidate, Confirm } from "../types/types.js";

export type { Candidate, Confirm } from "../types/types.js";

/** Options for reaching a service. */
export interface ConfirmerOptions {
  /** The service's URL, which may be relative to the page. */
  url: string | URL;
  /** The function that makes requests. Default: the platform's `fetch`. */
  fetch?: typeof fetch;
}

/** Returns a `confirm` that asks `POST {url}/v1/confirm` of a `hashgate serve`, or of a server with the same API. */
export function hashgateConfirmer({
  token,
  ...options
}: ConfirmerOptions & {
  /** Sent as a bearer token. */
  token?: string;
}): Confirm {
  const ask = asker(options, "v1/confirm");
  return named(
    "hashgate",
    eachFrame(async (candidate, { signal }) => {
      const { pdq, ring, key, sha256, md5 } = candidate;
      const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
      const body = JSON.stringify({ pdq, ring, key, sha256, md5, ...(isWhole(candidate) && { view: candidate.view }) });
      const answer = await ask("", { method: "POST", headers, body, signal });
      const outcome = isObject(answer) ? answer.outcome : undefined;
      if (outcome === "listed" || outcome === "not-listed" || outcome === "unknown") return outcome;
      throw new Error(`outcome: expected "listed", "not-listed" or "unknown", got ${JSON.stringify(outcome)}`);
    }),
  );
}

/**
 * Returns a `confirm` that asks `GET {url}/m/lookup` of a Hasher-Matcher-Actioner (HMA). HMA knows no digests, and
 * finds only PDQ hashes within a Hamming distance of 31; the edits that derived views undo change more bits. So if HMA
 * finds nothing, the answer is "not-listed" only if the match was a PDQ hash of a full view, and "unknown" otherwise.
 */
export function hmaConfirmer(options: ConfirmerOptions): Confirm {
  const ask = asker(options, "m/lookup");
  return named(
    "hasher-matcher-actioner",
    eachFrame(async (candidate, { signal }) => {
      if (candidate.pdq === undefined) return "unknown";
      // HMA can enable a bank for only a share of the lookups, which it chooses at random. With the hash as the seed,
      // one hash always gets the same answer.
      const query = new URLSearchParams({ signal_type: "pdq", signal: candidate.pdq, seed: candidate.pdq });
      const banks = await ask(`?${query}`, { signal });
      if (!isObject(banks) || !Object.values(banks).every(Array.isArray)) {
        throw new Error(`expected matches by bank, got ${JSON.stringify(banks)?.slice(0, 100)}`);
      }
      if (Object.values(banks).some((matches) => (matches as unknown[]).length > 0)) return "listed";
      return isWhole(candidate) ? "not-listed" : "unknown";
    }),
  );
}

/**
 * Asks about each frame of a film, one after the other: the service knows hashes of pictures. A film is listed if one
 * of its frames is, and not listed if none of them is.
 */
function eachFrame(confirm: Confirm): Confirm {
  return async (candidate, options) => {
    const { frames, ...whole } = candidate;
    if (!frames || frames.length === 0) return confirm(candidate, options);
    let isUnknown = false;
    for (const { pdq, ring, key, view, orientation } of frames) {
      const answer = await confirm({ ...whole, pdq, ring, rings: [ring], key, view, orientation }, options);
      if (answer === "listed") return answer;
      isUnknown ||= answer === "unknown";
    }
    return isUnknown ? "unknown" : "not-listed";
  };
}

/** Returns whether only the PDQ hash of a full view matched: the picture as it is, or without its border. */
function isWhole({ view, lists }: Candidate): boolean {
  return (view === "plain" || view === "border-cut") && lists.every(({ signal }) => signal === "pdq");
}

/** Returns a function that requests JSON from a path below the service's URL. */
function asker({ url, fetch: given }: ConfirmerOptions, path: string) {
  return async (query: string, init: RequestInit): Promise<unknown> => {
    const base = new URL(url, globalThis.document?.baseURI);
    base.pathname = `${base.pathname.replace(/\/$/, "")}/${path}`;
    const address = `${base.origin}${base.pathname}${query}`;
    // Sends neither cookies nor the page's address, because the service needs hashes and nothing about the person.
    const response = await (given ?? globalThis.fetch)(address, {
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      ...init,
    });
    const name = `${base.origin}${base.pathname}`;
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${name}: expected HTTP status 200, got ${response.status}`);
    }
    return response.json().catch((error) => {
      throw new Error(`${name}: expected JSON, got ${error instanceof Error ? error.message : error}`);
    });
  };
}

function named(confirmer: string, confirm: Confirm): Confirm {
  return Object.assign(confirm, { confirmer });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
