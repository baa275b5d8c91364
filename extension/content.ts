// The content script: stops files that a person chooses, drops or pastes until they are checked, and asks the person
// about held files. The engine and the list aren't here, because the page's Content-Security-Policy would apply to
// them.
import type { Verdict } from "hashgate";
import { elementsIn, isElement, isFileInput } from "../js/integrations/intercept/dom.js";
import { type Deliver, Interceptor } from "../js/integrations/intercept.js";
import { decide } from "../js/policy/decision.js";
import type { UncheckedPolicy } from "../js/types/policy.js";
import { type Policy, send } from "./messages.js";
import { ask, type Checked, tell, whileChecking } from "./notice.js";
import { OPENED } from "./opened.js";
import { answerPage } from "./questions.js";
import { shadowOf } from "./shadow.js";

/** The policy if the settings can't be read. */
const CAUTIOUS: Policy = { unchecked: "hold", override: true };
/** The policy for files that are no pictures, such as documents and films: they pass. */
const LET_THROUGH: UncheckedPolicy = { "not-a-picture": "allow" };

/**
 * Returns whether the extension still exists. After it was removed or replaced, the script that is left in a page does
 * nothing.
 */
const alive = () => chrome.runtime?.id !== undefined;

async function check(file: File): Promise<Verdict> {
  try {
    return await send("checker", "check", file);
  } catch {
    // The checker closes itself when it has been idle, perhaps just now. So a failed request is repeated once.
    try {
      await send("background", "prepare", undefined);
      return await send("checker", "check", file);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { outcome: "unchecked", reason: "unavailable", detail, lookups: 0 };
    }
  }
}

/** Resolves to the files that may pass, after asking the person about the others. */
async function passing(files: File[], signal: AbortSignal): Promise<File[]> {
  const work = async (): Promise<[Policy, Checked[]]> => {
    const policy = await send("background", "prepare", undefined).catch(() => CAUTIOUS);
    return [policy, await Promise.all(files.map(async (file) => ({ file, verdict: await check(file) })))];
  };
  const [policy, checked] = await whileChecking(files.length, work());
  // A newer choice or a reset has made this choice void, so the person isn't asked.
  if (signal.aborted) return [];
  const unchecked = policy.unchecked === "allow" ? "allow" : LET_THROUGH;
  const held = checked.filter(({ verdict }) => decide(verdict, { unchecked }) === "hold");
  const through = checked.filter(
    (one) => !held.includes(one) && one.verdict.outcome === "unchecked" && one.verdict.reason !== "not-a-picture",
  );
  if (held.length + through.length > 0) {
    const counts = { held: held.length, unchecked: through.length };
    void send("background", "badge", counts).catch(() => undefined);
  }
  if (through.length > 0) tell(through);
  if (held.length > 0 && (await ask(held, policy.override)) === "leave-out") {
    const out = new Set(held.map(({ file }) => file));
    return files.filter((file) => !out.has(file));
  }
  return files;
}

async function checkAll(files: File[], _place: Node, deliver: Deliver, signal: AbortSignal): Promise<boolean> {
  const passed = await passing(files, signal);
  if (passed.length > 0) deliver(passed);
  return passed.length === files.length;
}

const interceptor = new Interceptor({ check: checkAll, shadowOf, trustedOnly: true, active: alive });
// Listens before the page's own scripts run, so that no listener of the page comes first.
interceptor.watch(window);

// page.ts reports inputs that are about to be opened and whose events don't reach the window.
addEventListener(
  OPENED,
  (event) => {
    const { relatedTarget } = event as MouseEvent;
    if (!isElement(relatedTarget)) return;
    event.stopImmediatePropagation();
    if (isFileInput(relatedTarget)) interceptor.own(relatedTarget);
    else for (const element of elementsIn(relatedTarget, shadowOf)) if (isFileInput(element)) interceptor.own(element);
  },
  true,
);

answerPage(passing, alive);
