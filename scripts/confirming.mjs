// The real server, `hashgate serve`, as npm start and the browser tests run it.
import { spawn } from "node:child_process";

/** Where the demo page's parts are, and the list that it confirms by. */
export const DEMO = [
  ["--list", "Demo list=target/demo.csv"],
  ["--dir", "target/samples/list"],
  ["--site", "www"],
  ["--site", "/hashgate=dist"],
  ["--site", "/samples=target/samples"],
].flat();

/** Starts it on this machine alone; port 0 takes a free one. Rejects with what it said if it doesn't start. */
export async function startServer(args, { port = 0 } = {}) {
  const child = spawn("target/debug/hashgate", ["serve", "--listen", `127.0.0.1:${port}`, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let log = "";
  child.stderr.on("data", (data) => {
    log += data;
  });
  const url = await new Promise((resolve, reject) => {
    child.once("error", reject);
    ended.then(() => reject(new Error(log.trim())));
    child.stdout.once("data", (line) => resolve(String(line).trim().replace("listening on ", "")));
  });
  return {
    url,
    ended,
    /** Adds up the lines of `/metrics` that begin so. */
    async metric(start) {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
      const values = lines.filter((line) => line.startsWith(start)).map((line) => Number(line.split(" ").pop()));
      return values.reduce((sum, value) => sum + value, 0);
    },
    close() {
      child.kill();
      return ended;
    },
  };
}
