// The worker script for browsers.
import type { FromWorker } from "../protocol.js";
import { decodeInBrowser } from "./browser-decode.js";
import { serve } from "./handler.js";
import { ListStore } from "./list/store.js";
import { IndexedDb } from "./list/store-indexeddb.js";

const handle = serve({
  post: (message, transfer) => self.postMessage(message, { transfer }),
  open: (url, init) => fetch(url, init),
  store: ({ manifestUrl }) =>
    typeof indexedDB === "undefined"
      ? new ListStore(undefined, { reason: "unavailable", message: "there is no IndexedDB here" })
      : new ListStore(new IndexedDb(manifestUrl)),
  decode: decodeInBrowser,
});
self.onmessage = (event) => handle(event.data);
// Tells the page that the script has loaded. Until then, the page holds back its messages.
self.postMessage({ type: "loaded" } satisfies FromWorker);
