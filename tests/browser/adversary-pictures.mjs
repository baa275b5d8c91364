// Code that the pages of the scripted adversaries (adversary.test.mjs) share.

/**
 * Page script: loads one listed and one clean picture, has the engine check both, and defines a seeded random
 * generator.
 */
export const PICTURES = `
import { openGate } from "hashgate";
const real = await openGate({ filters: ["/filters/demo.hgf"], workers: 1 });
const bytesOf = async (path) => new Uint8Array(await (await fetch("/samples/" + path)).arrayBuffer());
const listed = await bytesOf("listed/listed-0.jpg"); const clean = await bytesOf("clean/clean-1.jpg");
const verdicts = { listed: await real.check(listed), clean: await real.check(clean) };
if (verdicts.listed.outcome !== "possible-match" || verdicts.clean.outcome !== "clear") throw new Error("samples");
// All files are made from these two Blobs: thousands of copies would fill the memory that the browser allots to Blobs.
const blobs = { listed: new Blob([listed]), clean: new Blob([clean]) };
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
`;
