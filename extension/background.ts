// The part of the background that both browsers share: starts the checker when it is needed, and shows counts on the
// extension's button.
import { receive } from "./messages.js";
import { readSettings } from "./settings.js";

/** Starts and ends the checker, which runs in another place in each browser. */
export interface CheckerHost {
  /** Starts the checker if it isn't running. Resolves when it can answer. */
  ready(): Promise<void>;
  /** Ends the checker. The next check starts it again, with the settings of that time. */
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
      // The browser clears the badge and the title when the tab goes to another page.
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
