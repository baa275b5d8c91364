// Starts `hashgate serve --upstream hma`, and makes hashes to ask about.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

const PROGRAM = process.env.HASHGATE ?? "target/debug/hashgate";

/** Returns a PDQ hash for a name: 256 bits, taken from the name's SHA-256 digest. */
export function hash(name) {
  return createHash("sha256").update(name).digest("hex");
}

/** Returns the hash with `bits` bits flipped, spread over all of it. */
export function near(pdq, bits) {
  const bytes = Buffer.from(pdq, "hex");
  for (let bit = 0; bit < bits; bit += 1) {
    const place = (bit * 37) % 256; // 37 has no factor in common with 256, so no bit is flipped twice
    bytes[place >> 3] ^= 1 << (place & 7);
  }
  return bytes.toString("hex");
}

/** Starts the server. Resolves once it listens. */
export async function start(upstream) {
  const args = ["serve", "--listen", "127.0.0.1:0", "--rate", "0", "--upstream", `hma=${upstream}`];
  const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "ignore"] });
  const address = await new Promise((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => resolve(line.replace("listening on ", "")));
    child.once("exit", (code) => reject(new Error(`${PROGRAM} ended with ${code}`)));
  });
  return {
    address,
    health: async () => (await (await fetch(`${address}/healthz`)).json()).status,
    end: () => child.kill(),
  };
}

/**
 * Sends a question to the server. Returns the status, then the outcome, distance and list, or the code of the problem.
 */
export async function ask({ address }, question) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${address}/v1/confirm`, { method: "POST", headers, body: JSON.stringify(question) });
  const { outcome, distance, list, code } = await response.json();
  const words = outcome === undefined ? [code] : [outcome, ...(outcome === "listed" ? [distance, list] : [])];
  return [response.status, ...words].map(String);
}
