/** Name of the event by which page.ts reports a node to the content script. The event's `relatedTarget` is the node. */
export const OPENED = "hashgate-opened";
/**
 * Names of two events: by `QUESTION`, page.ts asks the content script about the files of an input; `ANSWER` is the
 * reply.
 */
export const QUESTION = "hashgate-question";
export const ANSWER = "hashgate-answer";
/**
 * Attribute on the input of a question. The content script writes the indices of files that may pass, separated by
 * commas.
 */
export const PASSED = "data-hashgate-passed";
