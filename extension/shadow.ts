// Opens shadow trees as far as browsers let an extension do so.
import type { ShadowOf } from "../js/integrations/intercept/dom.js";

/** Returns the shadow root of an element, even a closed one. */
export const shadowOf: ShadowOf = (host) => {
  const own = host as Element & { openOrClosedShadowRoot?: ShadowRoot | null };
  // Firefox has a property for this. Chromium has a function, which only takes HTML elements.
  if ("openOrClosedShadowRoot" in own) return own.openOrClosedShadowRoot ?? null;
  return host instanceof HTMLElement ? chrome.dom.openOrClosedShadowRoot(host) : null;
};
