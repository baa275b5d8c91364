// Starts the real server, `hashgate serve`, for npm start and the browser tests.
import { spawn } from "node:child_process";

/**
 * Returns the arguments of `hashgate serve` for the demo: the raw list for confirmations, and the folders to serve.
 *
 * @param {string} folder the folder that `makeDemoList` has filled
 * @param {string} packageFolder the built package
 */
export function demoArguments(folder, packageFolder = "dist") {
  return [
    ["--list", `Demo list=${folder}/demo.csv`],
    ["--dir", `${folder}/samples/list`],
    ["--site", "www"],
    ["--site", `/hashgate=${packageFolder}`],
    ["--site", `/samples=${folder}/samples`],
    // The demo draws films in the browser. The package mediabunny writes them as film files.
    ["--site", "/mediabunny=node_modules/mediabunny/dist/bundles"],
  ].flat();
}

/**
 * Starts the server on this machine's loopback address; port 0 takes a free port. Rejects with the server's own message
 * if it doesn't start.
 */
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
    /** Returns the sum of all values of `/metrics` whose line begins with `start`. */
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
