/** An event by which the page's world names a node to the content script, as `relatedTarget`. */
export const OPENED = "hashgate-opened";
/** An event by which the page's world asks about the files of an input, and by which it is answered. */
export const QUESTION = "hashgate-question";
export const ANSWER = "hashgate-answer";
/** The attribute of such an input that holds the indices of the files that may pass, with commas between them. */
export const PASSED = "data-hashgate-passed";
