// Asks a host's `confirm` about the candidates of a possible match.
import type { Candidate, Confirm, Findings, Match, PossibleMatch, Unconfirmed } from "../types/types.js";

/** The combined answer about all candidates of a verdict. */
export type Answer = { is: "listed" | "not-listed"; why?: never } | { is: Unconfirmed; why?: string };

/**
 * Asks about all candidates of a verdict at the same time. Resolves to "listed" with the first such answer, and to
 * "not-listed" only if every candidate is.
 */
export async function ask(
  { matches, ...findings }: PossibleMatch,
  confirm: Confirm,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const pending = AbortSignal.any([signal, settled.signal]);
  try {
    const asked = candidatesOf(matches, findings).map((candidate) => askOne(confirm, candidate, timeoutMs, pending));
    const answers = await firstListedOrAll(asked, pending);
    if (answers.some(({ is }) => is === "listed")) return { is: "listed" };
    const open = answers.filter((answer) => answer.is !== "not-listed");
    if (open.length === 0) return { is: "not-listed" };
    // Reports the answer that most needs a developer's attention.
    const worst = (["failed", "timed-out", "unknown"] as const).find((is) => open.some((answer) => answer.is === is));
    return open.find((answer) => answer.is === worst && "why" in answer) ?? { is: worst ?? "unknown" };
  } finally {
    // Tells the host to stop its other requests, because nobody waits for their answers.
    settled.abort();
  }
}

/**
 * Makes one candidate for each different combination of hash, ring and ring key. Each also has the digests and the
 * lists that they matched.
 */
function candidatesOf(matches: Match[], { pdq, quality, sha256, md5 }: Omit<Findings, "lookups">): Candidate[] {
  const whole = { ...(sha256 && { sha256 }), ...(md5 && { md5 }), ...(quality !== undefined && { quality }) };
  const found = matches.filter((match) => match.signal === "pdq" && match.frames);
  if (found.length > 0) return [ofFrames(matches, whole)];
  const candidates = new Map<string, Candidate>();
  const exact: Candidate["lists"] = [];
  for (const match of matches) {
    const { list, category, release, signal, strength } = match;
    const entry = { list, category, release, signal, strength };
    if (match.signal !== "pdq") {
      exact.push(entry);
      continue;
    }
    const { ring, rings, key, view, orientation, frame } = match;
    const id = `${match.pdq} ${ring} ${key}`;
    const known = candidates.get(id);
    if (known) known.lists.push(entry);
    else candidates.set(id, { ...whole, pdq: match.pdq, ring, rings, key, view, orientation, frame, lists: [entry] });
  }
  if (candidates.size === 0) return [{ ...whole, ...(pdq && { pdq }), lists: exact }];
  for (const candidate of candidates.values()) candidate.lists.unshift(...exact);
  return [...candidates.values()];
}

/** Makes one candidate of all frames of a film or stream that matched, and of the digests. */
function ofFrames(matches: Match[], whole: Partial<Candidate>): Candidate {
  const lists = matches.map(({ list, category, release, signal, strength }) => ({
    list,
    category,
    release,
    signal,
    strength,
  }));
  const frames = matches.flatMap((match) => match.frames ?? []);
  const [best] = matches.filter((match) => match.signal === "pdq");
  if (!best) return { ...whole, lists };
  const { pdq, ring, rings, key, view, orientation } = best;
  return { ...whole, pdq, ring, rings, key, view, orientation, frames, lists };
}

/** Asks about one candidate. Never rejects, and doesn't wait for a host that ignores its signal. */
function askOne(confirm: Confirm, candidate: Candidate, timeoutMs: number, given: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const end = (answer: Answer, reason?: unknown) => {
      clearTimeout(timer);
      given.removeEventListener("abort", stop);
      resolve(answer);
      controller.abort(reason);
    };
    const stop = () => end({ is: "unknown" }, given.reason);
    const timer = setTimeout(() => {
      const why = `confirm: expected an answer within ${timeoutMs} ms, got none`;
      end({ is: "timed-out", why }, new DOMException(why, "TimeoutError"));
    }, timeoutMs);
    given.addEventListener("abort", stop, { once: true });
    if (given.aborted) return stop();
    new Promise<unknown>((answer) => answer(confirm(candidate, { signal: controller.signal }))).then(
      (answer) => {
        if (answer === "listed" || answer === "not-listed" || answer === "unknown") return end({ is: answer });
        const got = typeof answer === "string" ? `"${answer}"` : typeof answer;
        end({ is: "failed", why: `confirm: expected "listed", "not-listed" or "unknown", got ${got}` });
      },
      (error) => end({ is: "failed", why: `confirm: ${error instanceof Error ? error.message : String(error)}` }),
    );
  });
}

function firstListedOrAll(asked: Promise<Answer>[], signal: AbortSignal): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    for (const one of asked) void one.then((answer) => answer.is === "listed" && resolve([answer]));
    void Promise.all(asked).then(resolve);
  });
}
