// What browsers let an extension see of shadow trees.
import type { ShadowOf } from "../js/integrations/intercept/dom.js";

/** Returns the shadow root of an element, even a closed one. */
export const shadowOf: ShadowOf = (host) => {
  const own = host as Element & { openOrClosedShadowRoot?: ShadowRoot | null };
  // Firefox has a property, Chromium a function, which takes HTML elements alone.
  if ("openOrClosedShadowRoot" in own) return own.openOrClosedShadowRoot ?? null;
  return host instanceof HTMLElement ? chrome.dom.openOrClosedShadowRoot(host) : null;
};
