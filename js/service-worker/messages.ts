// The messages between the service worker and the page. A page answers on the port that comes with the request.
import type { Verdict } from "../types/types.js";

/** The service worker asks a page to check these files. */
export interface CheckRequest {
  hashgate: "check";
  /** The URL to which the files are about to be sent. */
  url: string;
  files: File[];
}

/**
 * The page's answers. A page that listens sends `accepted` at once, and then either `settled` or `failed`. So the service
 * worker knows at once whether a page will answer.
 */
export type CheckAnswer =
  | { is: "accepted" }
  | { is: "settled"; held: HeldFile[] }
  /** The page's gate could not be opened or could not check. `detail` says why, for developers. */
  | { is: "failed"; detail: string };

/** A held file, as the 451 response names it. */
export interface HeldFile {
  name: string;
  /** `clear` if the file is held for a caveat. */
  outcome: Verdict["outcome"];
  /** The reason, if the outcome is `unchecked`. */
  reason?: string;
}

/** Returns whether a message is a request of this service worker. A page's other messages are ignored. */
export function isCheckRequest(message: unknown): message is CheckRequest {
  return typeof message === "object" && message !== null && "hashgate" in message && message.hashgate === "check";
}
