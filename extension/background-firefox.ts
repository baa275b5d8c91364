// Firefox's background page, which can start workers itself: the checker is in it. Firefox ends the page when it has been
// idle, and starts it for the next message.
import { startBackground } from "./background.js";
import { closeGate, startChecker } from "./checker.js";

startChecker();
startBackground({
  async ready() {},
  async end() {
    closeGate();
  },
});
