// Compares the engine's verdict on a file with what browsers paint.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { bmp } from "./bmp-files.mjs";
import { allListed } from "./pictures.mjs";

const CLI = process.env.HASHGATE_CLI ?? "target/debug/hashgate";
export const FOLDER = process.env.PAINT_FOLDER ?? "target/paint";

/**
 * Builds two filters: one of all listed pictures, and a small one that the pages use only to hash what browsers paint.
 * Returns both, and the PDQ hashes of the listed pictures in all eight orientations.
 */
export function buildFilters() {
  const hashes = hashesOf(allListed());
  // A picture's hash is the same at each size, within two bits. So only the small sizes are turned, which is quicker.
  const turned = hashesOf(
    allListed()
      .filter(({ width }) => width < 400)
      .flatMap(orientations),
  );
  const build = (name, listed, ...more) => {
    // The lists have PDQ hashes only. A digest could match a file by its bytes, whatever browsers paint of it.
    writeFileSync(`${FOLDER}/${name}.csv`, `hash,type\n${listed.map((hash) => `${hash},pdq`).join("\n")}\n`);
    const names = ["--name", name, "--category", "drawn pictures", "--out", `${FOLDER}/${name}.hgf`];
    execFileSync(CLI, ["build", `${FOLDER}/${name}.csv`, ...names, ...more]);
    return readFileSync(`${FOLDER}/${name}.hgf`);
  };
  const small = build(
    "none",
    ["0123456789abcdef".repeat(4)],
    "--rings",
    "1",
    "--lookup-budget",
    "1",
    "--view-lookup-budget",
    "1",
  );
  return {
    filters: { "/list.hgf": build("list", hashes), "/none.hgf": small },
    hashes: [...new Set([...hashes, ...turned])],
  };
}

function hashesOf(pictures) {
  rmSync(`${FOLDER}/listed`, { recursive: true, force: true });
  mkdirSync(`${FOLDER}/listed`, { recursive: true });
  for (const [at, picture] of pictures.entries()) writeFileSync(`${FOLDER}/listed/${at}.bmp`, bmp({ picture }));
  const [head, ...lines] = execFileSync(CLI, ["hash", `${FOLDER}/listed`], { encoding: "utf8" })
    .trim()
    .split("\n");
  const column = head.split(",").indexOf("pdq");
  return lines.map((line) => line.split(",")[column]);
}

/** Returns a picture in its eight orientations, that is turned and mirrored. */
function orientations(picture) {
  const { width, height, planes } = picture;
  return Array.from({ length: 8 }, (_, way) => {
    const [across, down] = way & 4 ? [height, width] : [width, height];
    const turned = planes.map((plane) =>
      Uint8Array.from(plane, (_, at) => {
        const place = [at % across, Math.floor(at / across)];
        const [x, y] = way & 4 ? place.reverse() : place;
        return plane[(way & 2 ? height - 1 - y : y) * width + (way & 1 ? width - 1 - x : x)];
      }),
    );
    return { width: across, height: down, planes: turned };
  });
}

/**
 * Checks files by the native tool. Returns a verdict for each; the outcome is `crashed` if the tool ended without one.
 */
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
  // If the tool crashed at a file, the files without a verdict are checked again, one by one.
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

/**
 * Returns a verdict in one word: `match`, `clear`, `caveat`, `unchecked`, `crashed`, or `none` without a verdict. A
 * file that is unchecked because it is no picture is `passed`, since the default policy lets it pass.
 */
export function word(verdict) {
  if (!verdict) return "none";
  if (verdict.outcome === "possible-match") return "match";
  if (verdict.outcome === "clear") return caveatsOf(verdict).length > 0 ? "caveat" : "clear";
  if (verdict.outcome === "unchecked") return verdict.reason === "not-a-picture" ? "passed" : "unchecked";
  return "crashed";
}

/** Returns the same as `word`, with the caveats, or the reason and detail. */
export function described(verdict) {
  const short = word(verdict);
  if (short === "caveat") return `clear (${caveatsOf(verdict).join(", ")})`;
  if (verdict?.outcome === "unchecked") return `unchecked: ${verdict.reason} (${verdict.detail ?? ""})`;
  return short === "clear" ? `plainly clear (read by ${verdict.decodedBy})` : short;
}

/**
 * Says what browsers show of a file: `match` if the gate matches some painting, `other` if only something else is
 * painted, `nothing` if no browser shows the file. `matching` lists the matching paintings, the nearest first.
 */
export function shown(paintings) {
  const all = Object.entries(paintings).flatMap(([browser, list]) =>
    list.map((painting) => ({ browser, ...painting })),
  );
  if (all.length === 0) return { kind: "nothing", matching: [] };
  const matching = all.filter(({ match }) => match).sort((one, two) => one.bits - two.bits);
  return { kind: matching.length > 0 ? "match" : "other", matching };
}

/**
 * If a verdict's hash is within this Hamming distance of a painting's hash, both are taken for hashes of the same
 * picture. Decoders round differently.
 */
const SAME_PICTURE = 12;
/**
 * If a picture's hash is farther from the listed hash than this Hamming distance, lookups find only some of such
 * pictures. Other tests measure how many.
 */
const SURELY_FOUND = 14;

/**
 * Returns the word for a verdict, given what browsers paint. Says `edge` instead of `clear` if the engine hashed the
 * painted picture, and its distance from the listed picture is so large that lookups may miss it.
 */
export function outcome(verdict, { matching }) {
  const said = word(verdict);
  if (said !== "clear" || matching.length === 0) return said;
  const [{ bits, pdq }] = matching;
  return bits > SURELY_FOUND && verdict.pdq && distance(pdq, verdict.pdq) <= SAME_PICTURE ? "edge" : said;
}

const OUTCOMES = ["match", "caveat", "unchecked", "edge", "passed", "clear", "crashed"];

/**
 * Returns a Markdown table: for each kind of file, the numbers of outcomes of each reader among the files that are
 * painted as listed.
 */
export function table(rows, readers) {
  const kinds = [...new Set(rows.map(({ kind }) => kind))].sort();
  const line = (name, of) => {
    const listed = of.filter(({ shown }) => shown.kind === "match");
    const painted = of.filter(({ shown }) => shown.kind !== "nothing");
    const cells = readers.map((reader) =>
      OUTCOMES.map((outcome) => listed.filter(({ words }) => words[reader] === outcome).length).join(" / "),
    );
    return [name, of.length, painted.length, listed.length, ...cells];
  };
  const head = [
    "kind",
    "files",
    "painted",
    "as listed",
    ...readers.map((reader) => `${reader}: ${OUTCOMES.join(" / ")}`),
  ];
  const lines = [
    ...kinds.map((kind) =>
      line(
        kind,
        rows.filter((row) => row.kind === kind),
      ),
    ),
    line("all", rows),
  ];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
