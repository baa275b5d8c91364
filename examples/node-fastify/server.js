// Checks what is uploaded, as a form and as a raw body. A changed page can skip its check, so a server should repeat it.
import { pathToFileURL } from "node:url";
import multipart from "@fastify/multipart";
import Fastify from "fastify";
import { decide, openGate } from "hashgate";

const MOST_BYTES = 20 * 2 ** 20;

const gate = await openGate({ filters: [process.env.FILTER ?? "demo.hgf"], maxFileBytes: MOST_BYTES });
const app = Fastify();
await app.register(multipart, { limits: { fileSize: MOST_BYTES } });
// Any other body is given as the stream that it is.
app.addContentTypeParser("*", (_request, stream, done) => done(null, stream));

const isHeld = (verdict) => decide(verdict, { unchecked: "block" }) === "hold";

app.post("/form", async (request, reply) => {
  // The files are checked where they were stored. They are removed after the answer, so what passes has to be moved before.
  const { files } = await request.saveRequestFiles();
  const verdicts = await Promise.all(files.map(({ filepath }) => gate.check(pathToFileURL(filepath))));
  return reply.code(verdicts.some(isHeld) ? 451 : 200).send(verdicts);
});

app.put("/raw", async (request, reply) => {
  const verdict = await gate.check(request.body);
  return reply.code(!isHeld(verdict) ? 200 : verdict.reason === "too-large" ? 413 : 451).send(verdict);
});

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" })}`);
