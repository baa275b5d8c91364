// npm start: sets up what is missing, then serves the demo page, its list and its confirmations on this machine alone.
import { cpSync, rmSync } from "node:fs";
import { demoArguments, startServer } from "./confirming.mjs";
import { makeDemoList } from "./demo-list.mjs";
import { stop } from "./run.mjs";
import { setUp } from "./setup.mjs";

const FOLDER = "target/demo";
const PACKAGE = `${FOLDER}/hashgate`;

setUp();
makeDemoList(FOLDER);
// The demo serves a copy, so that a later build doesn't change what an open page loads.
rmSync(PACKAGE, { recursive: true, force: true });
cpSync("dist", PACKAGE, { recursive: true });
const port = Number(process.env.PORT ?? 8080);
try {
  // A person may check all samples of the demo several times, so raises the rate limit.
  const server = await startServer([...demoArguments(FOLDER, PACKAGE), "--rate", "500"], { port });
  console.log(`\nhashgate: open ${server.url}/ (Ctrl-C ends it)`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
  process.exitCode = Number(await server.ended) === 0 ? 0 : 1;
} catch (error) {
  if (!/address (already )?in use/i.test(error.message)) throw error;
  stop(`port ${port} is in use; end what uses it, or choose another: PORT=8081 npm start`);
}
