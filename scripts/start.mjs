// npm start: sets up what is missing, then serves the demo page, its list and its confirmations on this machine alone.
import { DEMO, startServer } from "./confirming.mjs";
import { setUp, stop } from "./setup.mjs";

setUp();
const port = Number(process.env.PORT ?? 8080);
try {
  // One person at a time tries it, but perhaps all samples at once, several times.
  const server = await startServer([...DEMO, "--rate", "500"], { port });
  console.log(`\nhashgate: open ${server.url}/ (Ctrl-C ends it)`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
  process.exitCode = Number(await server.ended) === 0 ? 0 : 1;
} catch (error) {
  if (!/address (already )?in use/i.test(error.message)) throw error;
  stop(`port ${port} is in use; end what uses it, or choose another: PORT=8081 npm start`);
}
