// What the parts of the interception ask of each other.
import type { ShadowOf } from "./dom.js";

/** Hands files on to the page. */
export type Deliver = (files: readonly File[]) => void;

/**
 * Checks files, and calls `deliver` with those that may pass: once, or more often if a held file is released later.
 * Resolves to whether all of them may pass. Never rejects; if `signal` is aborted, hands nothing on.
 */
export type Check = (files: File[], place: Node, deliver: Deliver, signal: AbortSignal) => Promise<boolean>;

export interface Interception {
  readonly check: Check;
  readonly shadowOf: ShadowOf;
  /** Whether files that a script put into an input are checked as well, when the form is sent. */
  readonly takesScripted: boolean;
  /** Aborted when the interception ends. */
  readonly signal: AbortSignal;
  readonly stopped: boolean;
  /** Whether what happens at a node, by an event, is to be taken. */
  covers(place: Node, event?: Event): boolean;
  /** Whether an event was made by {@link fire}. */
  isOwn(event: Event): boolean;
  /** Dispatches an event that is for the page. Returns false if the page cancelled it. */
  fire(place: Node, event: Event): boolean;
}
