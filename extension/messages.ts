// The messages between the parts of the extension. The manifest asks for structured clone, so a `File` arrives as a
// `File`, and its bytes are only read where it is checked. With JSON messages it would arrive as `{}`.
import type { FilterInfo, Verdict } from "hashgate";
import type { Settings } from "./settings.js";

/** The settings that decide about files. */
export type Policy = Pick<Settings, "unchecked" | "override">;

/** The messages: to which part each goes, what it asks, and what the answer is. */
export interface Requests {
  /** Asks the background to start the checker, and for the settings. */
  prepare: { to: "background"; ask: undefined; answer: Policy };
  /** Asks the background to show these counts on the button of the tab. */
  badge: { to: "background"; ask: { held: number; unchecked: number }; answer: null };
  /** Tells the background that the settings have changed. */
  changed: { to: "background"; ask: undefined; answer: null };
  /** Asks the checker about a file. */
  check: { to: "checker"; ask: File; answer: Verdict };
  status: { to: "checker"; ask: undefined; answer: { filters: readonly FilterInfo[] } | { error: string } };
}

type Kind = keyof Requests;
type To<K extends Kind> = Requests[K]["to"];
type KindsOf<T> = { [K in Kind]: To<K> extends T ? K : never }[Kind];

/** Sends a message. Rejects if nobody answers. */
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

/** Answers the messages that are meant for this part. */
export function receive<T extends To<Kind>>(to: T, handlers: Handlers<T>): void {
  chrome.runtime.onMessage.addListener((message, sender, respond) => {
    if (message?.to !== to) return false;
    const handler = handlers[message.kind as KindsOf<T>];
    // Without an answer, `send` rejects, and the file counts as unchecked.
    handler(message.ask as never, sender).then(respond, () => respond(undefined));
    return true;
  });
}
