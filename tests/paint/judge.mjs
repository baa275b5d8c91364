// Holds what the engine says of a file against what browsers paint.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { bmp } from "./bmp-files.mjs";
import { allListed } from "./pictures.mjs";

const CLI = process.env.HASHGATE_CLI ?? "target/debug/hashgate";
export const FOLDER = process.env.PAINT_FOLDER ?? "target/paint";

/** Builds the filter of the listed pictures. Returns it and their PDQ hashes. */
export function buildFilter() {
  rmSync(`${FOLDER}/listed`, { recursive: true, force: true });
  mkdirSync(`${FOLDER}/listed`, { recursive: true });
  allListed().forEach((picture, at) => writeFileSync(`${FOLDER}/listed/${at}.bmp`, bmp({ picture })));
  const list = execFileSync(CLI, ["hash", `${FOLDER}/listed`], { encoding: "utf8" });
  writeFileSync(`${FOLDER}/list.csv`, list);
  const [head, ...lines] = list.trim().split("\n");
  const column = head.split(",").indexOf("pdq");
  const hashes = lines.map((line) => line.split(",")[column]);
  // By their PDQ hashes alone: a digest of the file would match nothing that is painted.
  writeFileSync(`${FOLDER}/hashes.csv`, `hash,type\n${hashes.map((hash) => `${hash},pdq`).join("\n")}\n`);
  const out = `${FOLDER}/list.hgf`;
  execFileSync(CLI, ["build", `${FOLDER}/hashes.csv`, "--out", out, "--name", "Listed", "--category", "drawn pictures"]);
  return { filter: readFileSync(out), hashes };
}

/** Has the native tool check files. Returns a verdict for each; `crashed` where it ended without one. */
export function checkNatively(files) {
  const folder = `${FOLDER}/checked`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const paths = files.map(({ bytes }, at) => {
    const path = `${folder}/${String(at).padStart(5, "0")}`;
    writeFileSync(path, bytes);
    return path;
  });
  const lines = new Map();
  const ask = (asked) => {
    const args = ["check", "--format", "jsonl", "--filter", `${FOLDER}/list.hgf`, ...asked];
    const { stdout } = spawnSync(CLI, args, { encoding: "utf8", maxBuffer: 1 << 28 });
    for (const line of stdout.trim().split("\n").filter(Boolean)) {
      const verdict = JSON.parse(line);
      lines.set(verdict.path, verdict);
    }
  };
  ask(paths);
  // Where one file ended the tool, the others are asked again, each alone.
  for (const path of paths) if (!lines.has(path)) ask([path]);
  return paths.map((path) => lines.get(path) ?? { outcome: "crashed" });
}

export function distance(one, two) {
  let different = BigInt(`0x${one}`) ^ BigInt(`0x${two}`);
  let bits = 0;
  for (; different > 0n; different &= different - 1n) bits += 1;
  return bits;
}

const caveatsOf = (verdict) => verdict.caveats ?? (verdict.caveat ? [verdict.caveat] : []);

/** A verdict in one word: `match`, `clear`, `caveat`, `unchecked` or `crashed`. */
export function word(verdict) {
  if (!verdict) return "none";
  if (verdict.outcome === "possible-match") return "match";
  if (verdict.outcome === "clear") return caveatsOf(verdict).length > 0 ? "caveat" : "clear";
  return verdict.outcome === "unchecked" ? "unchecked" : "crashed";
}

/** The same with what a reader of the table wants to know next. */
export function described(verdict) {
  const short = word(verdict);
  if (short === "caveat") return `clear (${caveatsOf(verdict).join(", ")})`;
  if (short === "unchecked") return `unchecked: ${verdict.reason} (${verdict.detail ?? ""})`;
  return short === "clear" ? `plainly clear (read by ${verdict.decodedBy})` : short;
}

/**
 * What the browsers show of a file: `match` if some painting is a possible match of the list, `other` if something else is
 * painted, `nothing` if no browser shows it. `bits` is the least distance of a painting to a listed hash.
 */
export function shown(paintings, hashes) {
  const all = Object.entries(paintings).flatMap(([browser, list]) => list.map((painting) => ({ browser, ...painting })));
  if (all.length === 0) return { kind: "nothing", matching: [] };
  const near = (pdq) => (pdq ? Math.min(...hashes.map((hash) => distance(pdq, hash))) : 256);
  const matching = all
    .filter(({ outcome }) => outcome === "possible-match")
    .map((painting) => ({ ...painting, bits: near(painting.pdq) }))
    .sort((one, two) => one.bits - two.bits);
  return { kind: matching.length > 0 ? "match" : "other", matching, bits: matching[0]?.bits };
}

/** A table of kinds and outcomes, in Markdown. */
export function table(rows, readers) {
  const kinds = [...new Set(rows.map(({ kind }) => kind))].sort();
  const count = (list, test) => list.filter(test).length;
  const head = ["kind", "files", "painted", "painted as listed", ...readers.map((reader) => `${reader}: match / caveat / unchecked / **clear**`)];
  const line = (name, of) => {
    const listed = of.filter(({ shown }) => shown.kind === "match");
    const cells = readers.map((reader) =>
      ["match", "caveat", "unchecked", "clear"].map((outcome) => count(listed, ({ words }) => words[reader] === outcome)).join(" / "),
    );
    return [name, of.length, count(of, ({ shown }) => shown.kind !== "nothing"), listed.length, ...cells];
  };
  const lines = [...kinds.map((kind) => line(kind, rows.filter((row) => row.kind === kind))), line("all", rows)];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
