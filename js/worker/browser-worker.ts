// The worker script of browsers.
import { serve } from "./handler.js";
import { IndexedDb, Shelf } from "./list/store.js";

const handle = serve({
  post: (message, transfer) => self.postMessage(message, { transfer }),
  open: (url, init) => fetch(url, init),
  shelf: ({ manifestUrl }) =>
    typeof indexedDB === "undefined"
      ? new Shelf(undefined, { reason: "unavailable", message: "there is no IndexedDB here" })
      : new Shelf(new IndexedDb(manifestUrl)),
});
self.onmessage = (event) => handle(event.data);
