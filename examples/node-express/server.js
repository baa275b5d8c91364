// Checks what is uploaded, as a form and as a raw body. A changed page can skip its check, so a server should repeat it.
import express from "express";
import { decide, openGate } from "hashgate";
import multer from "multer";

const MOST_BYTES = 20 * 2 ** 20;

const gate = await openGate({ filters: [process.env.FILTER ?? "demo.hgf"] });
const app = express();

/** Answers 200 if the file may be kept, and 451 with the verdict if it is held. */
async function answer(bytes, response) {
  const verdict = await gate.check(bytes);
  const held = decide(verdict, { unchecked: "block" }) === "hold";
  response.status(held ? 451 : 200).json(verdict);
}

const form = multer({ storage: multer.memoryStorage(), limits: { fileSize: MOST_BYTES } });
app.post("/form", form.single("picture"), (request, response) => answer(request.file.buffer, response));

app.put("/raw", async (request, response) => {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MOST_BYTES) return response.status(413).end();
    chunks.push(chunk);
  }
  await answer(Buffer.concat(chunks), response);
});

const server = app.listen(process.env.PORT ?? 3000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
