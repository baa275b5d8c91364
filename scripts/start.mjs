// npm start: sets up what is missing, then serves the demo page on this machine alone.
import { serve } from "../tests/browser/server.mjs";
import { setUp, stop } from "./setup.mjs";

setUp();
const port = Number(process.env.PORT ?? 8080);
try {
  const { url } = await serve({ port });
  console.log(`\nhashgate: open ${url}/ (Ctrl-C ends it)`);
} catch (error) {
  if (error.code !== "EADDRINUSE") throw error;
  stop(`port ${port} is in use; end what uses it, or choose another: PORT=8081 npm start`);
}
