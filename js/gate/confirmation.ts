// What a host's `confirm` is asked about a possible match, and what its answers make of the verdict.
import type {
  Candidate,
  Clear,
  Confirm,
  ConfirmedMatch,
  Findings,
  Match,
  PossibleMatch,
  Unchecked,
  Unconfirmed,
} from "../types/types.js";

type Answer = { is: "listed" | "not-listed" } | { is: Unconfirmed; why?: string };

/** Asks about each candidate, at once. The first "listed" settles it; only if all are "not-listed" is the match gone. */
export async function confirmed(
  verdict: PossibleMatch,
  confirm: Confirm,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ConfirmedMatch | Clear | Unchecked | PossibleMatch> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const forward = () => settled.abort(signal.reason);
  signal.addEventListener("abort", forward, { once: true });
  const { matches, ifNotListed, outcome: _, ...findings } = verdict;
  const confirmedBy = confirm.confirmer ?? "host";
  try {
    const asked = candidatesOf(matches, findings).map((candidate) =>
      ask(confirm, candidate, timeoutMs, settled.signal),
    );
    const answers = await firstListedOrAll(asked, settled.signal);
    if (answers.some(({ is }) => is === "listed")) return { outcome: "match", ...findings, matches, confirmedBy };
    const open = answers.filter((answer) => answer.is !== "not-listed");
    if (open.length === 0) {
      const rest = ifNotListed?.outcome === "unchecked" ? ifNotListed : ({ outcome: "clear" } as const);
      return { ...rest, ...findings, matches, confirmedBy };
    }
    // What is worth mending comes first.
    const worst = (["failed", "timed-out", "unknown"] as const).find((is) => open.some((answer) => answer.is === is));
    const why = open.find((answer) => answer.is === worst && "why" in answer);
    return {
      ...verdict,
      confirmation: worst ?? "unknown",
      ...(why && "why" in why && { confirmationDetail: why.why }),
    };
  } finally {
    signal.removeEventListener("abort", forward);
    // The host need not go on asking what nobody waits for.
    settled.abort();
  }
}

/** One for each distinct hash, ring and key; the digests, and what they matched, ride along. */
function candidatesOf(matches: Match[], { pdq, quality, sha256, md5 }: Omit<Findings, "lookups">): Candidate[] {
  const whole = { ...(sha256 && { sha256 }), ...(md5 && { md5 }), ...(quality !== undefined && { quality }) };
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

/** Never rejects, and never waits for a host that doesn't heed its signal. */
function ask(confirm: Confirm, candidate: Candidate, timeoutMs: number, given: AbortSignal): Promise<Answer> {
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
