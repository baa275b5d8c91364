// Handles the public log that must contain a followed release: fetches its proof, and checks without a network that the
// log only grows.
import { GateError, isCoded } from "../../errors.js";
import { type Logged, MAX_PROOF_BYTES } from "../../generated/core.js";
import type { FollowingLog } from "../../protocol.js";
import type { ClockHint, LoggedCheckpoint } from "../../types/types.js";
import type { Engine } from "../engine.js";
import { fetchSmall, type Network } from "./download.js";
import type { SeenLog } from "./store.js";

/** A clock that is wrong by at most this many seconds isn't reported. */
const TOLERANCE_S = 600;

export interface Proved {
  proof: Uint8Array;
  logged: Logged;
}

/**
 * Fetches the proof that a verified manifest is in the log. While a release is being published, the newest proof may
 * belong to another release; then fetches the proof whose name has the manifest's release number.
 *
 * @throws GateError `log-proof-unavailable`; or the core's error about the proof.
 */
export async function fetchProof(
  network: Network,
  engine: Engine,
  manifestUrl: string,
  manifest: { text: Uint8Array; release: number },
  trust: FollowingLog,
): Promise<Proved> {
  const newest = proofUrl(manifestUrl);
  const prove = async (url: string): Promise<Proved> => {
    const limits = {
      max: MAX_PROOF_BYTES,
      unavailable: "log-proof-unavailable",
      tooLarge: "log-proof-unavailable",
    } as const;
    const answer = await fetchSmall(network, url, undefined, limits);
    if (answer === "unchanged") throw new Error("a proof that wasn't asked for by its ETag can't be unchanged");
    try {
      return { proof: answer.text, logged: engine.verifyLogProof(answer.text, manifest.text, trust) };
    } catch (error) {
      if (isCoded(error)) error.message = `${url}: ${error.message}`;
      throw error;
    }
  };
  try {
    return await prove(newest);
  } catch (error) {
    if (!isCoded(error) || error.code !== "log-not-included") throw error;
    const own = newest.replace(/\.tlog-proof(?=$|\?)/, `-${manifest.release}.tlog-proof`);
    // If that proof fails, too, throws the error of the newest proof, which says more.
    return prove(own).catch(() => {
      throw error;
    });
  }
}

/** Returns the URL of the proof: that of the manifest, with the ending `.tlog-proof`. */
function proofUrl(manifestUrl: string): string {
  const url = new URL(manifestUrl);
  url.pathname = `${url.pathname.replace(/\.[^./]*$/, "")}.tlog-proof`;
  return url.href;
}

/**
 * Throws if a proof contradicts an earlier checkpoint of the log. A log may only grow, and for each size it has only
 * one root.
 */
export function assertSuccession(url: string, seen: SeenLog | undefined, { index, checkpoint }: Logged): void {
  if (!seen || seen.origin !== checkpoint.origin) return;
  const isFork = seen.size === checkpoint.size && seen.root !== checkpoint.root;
  if (!isFork && !(index > seen.index && checkpoint.size < seen.size)) return;
  const expected = `a log that continues ${seen.size} entries with root ${seen.root}`;
  const got = `${checkpoint.size} entries with root ${checkpoint.root}`;
  throw new GateError({
    code: "log-inconsistent",
    message: `${url}: expected ${expected}, got ${got}`,
    url,
    expected,
    got,
  });
}

/** Returns the larger of two states of a log: the one that was seen before, or that of the new proof. */
export function seenAfter(seen: SeenLog | undefined, { index, checkpoint }: Logged): SeenLog {
  const { origin, size, root } = checkpoint;
  return seen && seen.origin === origin && seen.size > size ? seen : { origin, size, root, index };
}

export function statusOf({ index, checkpoint }: Logged): LoggedCheckpoint {
  const { origin, size, root, witnesses, witnessedUnixS, note } = checkpoint;
  return { origin, size, root, index, witnesses, ...(witnessedUnixS > 0 && { witnessedUnixS }), note };
}

/**
 * Explains an error by this device's clock, if the clock seems wrong. `server` is the time of the server that sent an
 * expired list.
 */
export function clockHint(
  nowUnixS: number,
  logged: Logged | undefined,
  server: number | undefined,
): ClockHint | undefined {
  const behind = (logged?.checkpoint.witnessedUnixS ?? 0) - nowUnixS;
  if (behind > TOLERANCE_S) return { off: "behind", byS: behind, by: "witnesses" };
  const ahead = server === undefined ? 0 : nowUnixS - server;
  return ahead > TOLERANCE_S ? { off: "ahead", byS: ahead, by: "server" } : undefined;
}
