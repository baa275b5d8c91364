// The worker script for Node.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import { serve } from "./handler.js";
import { ListStore } from "./list/store.js";
import { Folder } from "./list/store-folder.js";

const handle = serve({
  post: (message, transfer) => parentPort?.postMessage(message, transfer),
  open: async (url, init) => {
    if (!url.startsWith("file:")) return fetch(url, init);
    const path = fileURLToPath(url);
    const { size } = await stat(path);
    const body = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
    return new Response(body, { headers: { "content-length": String(size) } });
  },
  store: ({ cacheDir, manifestUrl }) =>
    new ListStore(cacheDir === undefined ? undefined : new Folder(cacheDir, manifestUrl)),
});
parentPort?.on("message", handle);
