// The worker script of browsers.
import { serve } from "./serve.js";

const handle = serve({
  post: (message, transfer) => self.postMessage(message, { transfer }),
  open: (url) => fetch(url),
});
self.onmessage = (event) => handle(event.data);
