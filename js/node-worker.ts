// The worker script of Node.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import { serve } from "./serve.js";

const handle = serve({
  post: (message, transfer) => parentPort?.postMessage(message, transfer),
  open: async (url) => {
    if (!url.startsWith("file:")) return fetch(url);
    const path = fileURLToPath(url);
    const { size } = await stat(path);
    const body = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
    return new Response(body, { headers: { "content-length": String(size) } });
  },
});
parentPort?.on("message", handle);
