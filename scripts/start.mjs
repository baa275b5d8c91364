// npm start: sets up what is missing, then serves the demo page on this machine alone.
import { serve } from "../tests/browser/server.mjs";
import { setUp } from "./setup.mjs";

setUp();
const { url } = await serve({ port: Number(process.env.PORT ?? 8080) });
console.log(`\nhashgate: open ${url}/ (Ctrl-C ends it)`);
