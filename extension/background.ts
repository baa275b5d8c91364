// What the background does in both browsers: has the checker ready, and shows counts on the extension's button.
import { receive } from "./messages.js";
import { readSettings } from "./settings.js";

/** Where the checker is differs from browser to browser. */
export interface CheckerHost {
  /** Resolves when the checker answers. */
  ready(): Promise<void>;
  /** Ends the checker. The next check starts another, with the settings of then. */
  end(): Promise<void>;
}

export function startBackground(host: CheckerHost): void {
  receive("background", {
    async prepare() {
      await host.ready();
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
      await host.end();
      return null;
    },
  });
  chrome.action.onClicked.addListener(() => chrome.runtime.openOptionsPage());
}
