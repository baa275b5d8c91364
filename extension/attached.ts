/** Marks what holds an input of the page that isn't in its document. */
export const ATTACHED = "data-hashgate-attached";
