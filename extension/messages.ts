// What the parts of the extension say to each other. The manifest asks for structured clone, so a `File` arrives as a
// `File`: a handle to bytes that the browser holds, read where it is checked. Under JSON it would arrive as `{}`.
import type { FilterInfo, Verdict } from "hashgate";
import type { Settings } from "./settings.js";

/** How files are treated. */
export type Policy = Pick<Settings, "unchecked" | "override">;

/** What is asked of whom, and answered. */
export interface Requests {
  /** The background: be ready to check. */
  prepare: { to: "background"; ask: undefined; answer: Policy };
  /** The background: show this on the button of the tab. */
  badge: { to: "background"; ask: { held: number; unchecked: number }; answer: null };
  /** The background: the settings were changed. */
  changed: { to: "background"; ask: undefined; answer: null };
  /** The checker. */
  check: { to: "checker"; ask: File; answer: Verdict };
  status: { to: "checker"; ask: undefined; answer: { filters: readonly FilterInfo[] } | { error: string } };
}

type Kind = keyof Requests;
type To<K extends Kind> = Requests[K]["to"];
type KindsOf<T> = { [K in Kind]: To<K> extends T ? K : never }[Kind];

/** Rejects if nobody answers. */
export async function send<K extends Kind>(
  to: To<K>,
  kind: K,
  ask: Requests[K]["ask"],
): Promise<Requests[K]["answer"]> {
  const answer = await chrome.runtime.sendMessage({ to, kind, ask });
  if (answer === undefined) throw new Error(`the extension's ${to} did not answer`);
  return answer;
}

type Handlers<T> = {
  [K in KindsOf<T>]: (ask: Requests[K]["ask"], sender: chrome.runtime.MessageSender) => Promise<Requests[K]["answer"]>;
};

/** Answers what is meant for this part. */
export function receive<T extends To<Kind>>(to: T, handlers: Handlers<T>): void {
  chrome.runtime.onMessage.addListener((message, sender, respond) => {
    if (message?.to !== to) return false;
    const handler = handlers[message.kind as KindsOf<T>];
    // Without an answer, `send` rejects, and the file counts as unchecked.
    handler(message.ask as never, sender).then(respond, () => respond(undefined));
    return true;
  });
}
