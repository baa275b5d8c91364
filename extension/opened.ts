/** The event by which page.ts reports a node, its `relatedTarget`, to the content script. */
export const OPENED = "hashgate-opened";
/**
 * The events by which page.ts asks the content script about the files of an input, and by which the content script
 * answers.
 */
export const QUESTION = "hashgate-question";
export const ANSWER = "hashgate-answer";
/** The attribute of that input with the indices of the files that may pass, separated by commas. */
export const PASSED = "data-hashgate-passed";
