// The interfaces between the parts of the interception.
import type { ShadowOf } from "./dom.js";

/** Gives files to the page. */
export type Deliver = (files: readonly File[]) => void;

/**
 * Checks files, and calls `deliver` with those that may pass, and again if a held file is released later. Resolves to
 * whether all files may pass. Never rejects. If `signal` is aborted, doesn't call `deliver` any more.
 */
export type Check = (files: File[], place: Node, deliver: Deliver, signal: AbortSignal) => Promise<boolean>;

export interface Interception {
  readonly check: Check;
  readonly shadowOf: ShadowOf;
  /** Whether files that a script has put into an input are checked, too, when the form is submitted. */
  readonly takesScripted: boolean;
  /** Aborted when the interception ends. */
  readonly signal: AbortSignal;
  readonly stopped: boolean;
  /** Returns whether to take files at a node. */
  covers(place: Node, event?: Event): boolean;
  /** Returns whether an event was dispatched by {@link fire}. */
  isOwn(event: Event): boolean;
  /** Dispatches an event for the page, which no interception takes. Returns false if the page cancelled it. */
  fire(place: Node, event: Event): boolean;
}
