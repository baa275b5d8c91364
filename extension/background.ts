// The service worker: makes the offscreen document, and shows counts on the extension's button. It never sees a file.
import { receive } from "./messages.js";
import { readSettings } from "./settings.js";

let creating: Promise<void> | undefined;

async function exists(): Promise<boolean> {
  const contexts = await chrome.runtime.getContexts({ contextTypes: ["OFFSCREEN_DOCUMENT"] });
  return contexts.length > 0;
}

/** There can be one offscreen document, and it closes itself when it has been idle. */
async function ready(): Promise<void> {
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
}

receive("background", {
  async prepare() {
    await ready();
    const { unchecked, override } = await readSettings();
    return { unchecked, override };
  },
  async badge({ held, unchecked }, { tab }) {
    const tabId = tab?.id;
    if (tabId === undefined) return null;
    // The browser empties both when the tab goes to another page.
    const before = Number(await chrome.action.getBadgeText({ tabId })) || 0;
    await chrome.action.setBadgeBackgroundColor({ tabId, color: "#8a3b00" });
    await chrome.action.setBadgeText({ tabId, text: held > 0 ? String(before + held) : String(before || "!") });
    const title = held > 0 ? chrome.i18n.getMessage("badgeHeld", [String(before + held)]) : "";
    const missed = unchecked > 0 ? chrome.i18n.getMessage("badgeUnchecked", [String(unchecked)]) : "";
    await chrome.action.setTitle({ tabId, title: [title, missed].filter(Boolean).join(" ") });
    return null;
  },
  async changed() {
    // The next check makes another, with the new settings.
    if (await exists()) await chrome.offscreen.closeDocument();
    return null;
  },
});

chrome.action.onClicked.addListener(() => chrome.runtime.openOptionsPage());
