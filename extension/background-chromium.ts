// The background script for Chromium: a service worker. It never gets a file, because the checker runs in an offscreen
// document.
import { startBackground } from "./background.js";

let creating: Promise<void> | undefined;

async function exists(): Promise<boolean> {
  const contexts = await chrome.runtime.getContexts({ contextTypes: ["OFFSCREEN_DOCUMENT"] });
  return contexts.length > 0;
}

startBackground({
  // Opens the offscreen document if it isn't open: it closes itself when idle, and an extension can have only one.
  async ready() {
    if (await exists()) return;
    creating ??= chrome.offscreen
      .createDocument({
        url: "offscreen.html",
        reasons: ["WORKERS"],
        justification: "Hashes pictures in workers, with WebAssembly, which a page's own policy may forbid.",
      })
      .finally(() => {
        creating = undefined;
      });
    await creating;
  },
  async end() {
    if (await exists()) await chrome.offscreen.closeDocument();
  },
});
