// The background script for Firefox: a page, which can start workers, so the checker runs in it. Firefox ends the page
// when it has been idle, and starts it again for the next message.
import { startBackground } from "./background.js";
import { closeGate, startChecker } from "./checker.js";

startChecker();
startBackground({
  async ready() {},
  async end() {
    closeGate();
  },
});
