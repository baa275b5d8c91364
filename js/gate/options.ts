// Checks the options of `openGate`, and turns them into what the workers take.
import { invalidOptions } from "../errors.js";
import type { FollowingLog, Source } from "../protocol.js";
import type { FilterSource, GateOptions, Trust } from "../types/types.js";
import type { Host } from "./connection.js";
import { DEFAULTS } from "./defaults.js";
import { kindOf, viewOf } from "./input.js";
import type { Feed } from "./lookup-worker.js";

/** Returns what the lookup worker loads: filter files, or a list that it follows. */
export function feedOf(host: Host, options: GateOptions): Feed {
  const { filters, source, trust, whenUnavailable, cacheDir } = options ?? {};
  const { refreshIntervalMs = DEFAULTS.refreshIntervalMs } = options ?? {};
  const { maxFilterBytes: maxBytes = DEFAULTS.maxFilterBytes, timeoutMs = DEFAULTS.timeoutMs } = options ?? {};
  if (source === undefined) {
    if (!Array.isArray(filters) || filters.length === 0) {
      throw invalidOptions("filters", "at least one filter, or a source", filters === undefined ? "neither" : "none");
    }
    return { load: { sources: filters.map((filter) => sourceOf(host, filter)), maxBytes } };
  }
  if (filters !== undefined) throw invalidOptions("source", "no filters beside it", "both");
  if (typeof source !== "string" && !(source instanceof URL)) throw invalidOptions("source", "a URL", kindOf(source));
  const keys = trust?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => typeof key !== "string")) {
    throw invalidOptions("trust.keys", "at least one public key, as text", keys === undefined ? "none" : kindOf(keys));
  }
  const threshold = trust?.threshold ?? 1;
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys.length) {
    throw invalidOptions("trust.threshold", `a whole number from 1 to the ${keys.length} keys`, String(threshold));
  }
  const list = trust?.list;
  if (list !== undefined && (typeof list?.name !== "string" || list.name === "")) {
    throw invalidOptions("trust.list", "the name of a list, as { name }", kindOf(list?.name ?? list));
  }
  if (list?.category !== undefined && typeof list.category !== "string") {
    throw invalidOptions("trust.list.category", "a string", kindOf(list.category));
  }
  if (whenUnavailable !== "block" && whenUnavailable !== "allow") {
    throw invalidOptions("whenUnavailable", '"block" or "allow"', String(whenUnavailable));
  }
  if (typeof refreshIntervalMs !== "number" || !(refreshIntervalMs > 0)) {
    throw invalidOptions("refreshIntervalMs", "a number of milliseconds above 0", String(refreshIntervalMs));
  }
  const manifestUrl = host.resolve(source);
  const trusted = list && { name: list.name, ...(list.category !== undefined && { category: list.category }) };
  return {
    follow: {
      manifestUrl,
      keys: [...keys],
      threshold,
      list: trusted,
      log: logOf(trust),
      maxBytes,
      timeoutMs,
      refreshIntervalMs,
      cacheDir,
    },
  };
}

/** The log that releases must be in, if the host asks for one. */
function logOf({ log, witnesses }: Partial<Trust> = {}): FollowingLog | undefined {
  if (log === undefined) {
    if (witnesses !== undefined) throw invalidOptions("trust.witnesses", "trust.log beside it", "witnesses alone");
    return undefined;
  }
  if (typeof log?.key !== "string")
    throw invalidOptions("trust.log.key", "a public key, as text", kindOf(log?.key ?? log));
  if (log.origin !== undefined && (typeof log.origin !== "string" || log.origin === "")) {
    throw invalidOptions("trust.log.origin", "the name of a log", kindOf(log.origin));
  }
  const origin = log.origin === undefined ? {} : { origin: log.origin };
  if (witnesses === undefined) return { key: log.key, ...origin, witnesses: [], threshold: 0 };
  const { keys, maxAgeS } = witnesses;
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => typeof key !== "string")) {
    throw invalidOptions("trust.witnesses.keys", "at least one public key, as text", kindOf(keys));
  }
  const threshold = witnesses.threshold ?? Math.floor(keys.length / 2) + 1;
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys.length) {
    throw invalidOptions(
      "trust.witnesses.threshold",
      `a whole number from 1 to the ${keys.length} keys`,
      String(threshold),
    );
  }
  if (maxAgeS !== undefined && !(typeof maxAgeS === "number" && maxAgeS > 0)) {
    throw invalidOptions("trust.witnesses.maxAgeS", "a number of seconds above 0", String(maxAgeS));
  }
  return { key: log.key, ...origin, witnesses: [...keys], threshold, ...(maxAgeS !== undefined && { maxAgeS }) };
}

function sourceOf(host: Host, filter: FilterSource): Source {
  if (typeof filter === "string" || filter instanceof URL) return { url: host.resolve(filter) };
  const given = typeof filter === "object" && filter !== null ? viewOf(filter) : undefined;
  if (given) return { bytes: new Uint8Array(given) };
  throw invalidOptions("filters", "a URL, an ArrayBuffer or a Uint8Array", kindOf(filter));
}

export function atLeastOne(field: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1))
    throw invalidOptions(field, "a whole number of at least 1", String(value));
}

export function assertConfirm({ confirm, confirmTimeoutMs }: GateOptions): void {
  if (confirm !== undefined && typeof confirm !== "function")
    throw invalidOptions("confirm", "a function", kindOf(confirm));
  if (confirmTimeoutMs === undefined || (confirmTimeoutMs > 0 && confirmTimeoutMs < 2 ** 31)) return;
  throw invalidOptions("confirmTimeoutMs", `milliseconds above 0 and below ${2 ** 31}`, String(confirmTimeoutMs));
}
