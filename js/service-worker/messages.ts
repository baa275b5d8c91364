// What the service worker and the page say to each other. A page answers on the port that comes with the question.

/** From the service worker: please check these files. */
export interface CheckRequest {
  hashgate: "check";
  /** Where the page is about to send the files. */
  url: string;
  files: File[];
}

/** From the page. `accepted` comes at once, so that the service worker knows that a gate is there. */
export type CheckAnswer =
  | { is: "accepted" }
  | { is: "settled"; held: HeldFile[] }
  /** The page has no gate that can answer, in words for developers. */
  | { is: "failed"; detail: string };

/** A file that may not be uploaded, as the 451 response names it. */
export interface HeldFile {
  name: string;
  outcome: "match" | "possible-match" | "unchecked";
  /** With outcome `unchecked`: why. */
  reason?: string;
}

/** Tells whether a message is a question of the service worker; a page's own messages are left alone. */
export function isCheckRequest(message: unknown): message is CheckRequest {
  return typeof message === "object" && message !== null && "hashgate" in message && message.hashgate === "check";
}
