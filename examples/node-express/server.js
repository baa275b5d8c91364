// Checks uploads, sent as a form or as a raw body. A tampered page can skip its own check, so a server should check
// again.
import express from "express";
import { decide, openGate } from "hashgate";
import multer from "multer";

const MOST_BYTES = 20 * 2 ** 20;

const gate = await openGate({ filters: [process.env.FILTER ?? "demo.hgf"], maxFileBytes: MOST_BYTES });
const app = express();

/** Answers 200 if the file may be kept, and 413 or 451 with the verdict if it is held. */
async function answer(file, response) {
  const verdict = await gate.check(file);
  const held = decide(verdict, { unchecked: "block" }) === "hold";
  response.status(!held ? 200 : verdict.reason === "too-large" ? 413 : 451).json(verdict);
}

const form = multer({ storage: multer.memoryStorage(), limits: { fileSize: MOST_BYTES } });
app.post("/form", form.single("picture"), (request, response) => answer(request.file.buffer, response));

// A request is a stream. The gate reads it to its end, or until it exceeds the limit.
app.put("/raw", (request, response) => answer(request, response));

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
