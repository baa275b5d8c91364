// Compares the engine's verdict on a file with what browsers paint.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { bmp } from "./bmp-files.mjs";
import { allListed } from "./pictures.mjs";

const CLI = process.env.HASHGATE_CLI ?? "target/debug/hashgate";
export const FOLDER = process.env.PAINT_FOLDER ?? "target/paint";

/**
 * Builds the filter of the listed pictures, and a small one that is asked for nothing but the hash of painted pixels.
 * Returns both, and the PDQ hashes of the listed pictures in all eight orientations.
 */
export function buildFilters() {
  const hashes = hashesOf(allListed());
  // The same picture has the same hash, within two bits, at each size: small ones are quicker to turn.
  const turned = hashesOf(
    allListed()
      .filter(({ width }) => width < 400)
      .flatMap(orientations),
  );
  const build = (name, listed, ...more) => {
    // By PDQ hashes alone: a digest of a file matches nothing that is painted.
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

/** A picture turned and mirrored in every way. */
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

/**
 * A verdict in one word: `match`, `clear`, `caveat`, `unchecked` or `crashed`. `passed` is an unchecked file that no
 * default policy holds, as it is said to be no picture.
 */
export function word(verdict) {
  if (!verdict) return "none";
  if (verdict.outcome === "possible-match") return "match";
  if (verdict.outcome === "clear") return caveatsOf(verdict).length > 0 ? "caveat" : "clear";
  if (verdict.outcome === "unchecked") return verdict.reason === "not-a-picture" ? "passed" : "unchecked";
  return "crashed";
}

/** The same with what a reader of the table wants to know next. */
export function described(verdict) {
  const short = word(verdict);
  if (short === "caveat") return `clear (${caveatsOf(verdict).join(", ")})`;
  if (verdict?.outcome === "unchecked") return `unchecked: ${verdict.reason} (${verdict.detail ?? ""})`;
  return short === "clear" ? `plainly clear (read by ${verdict.decodedBy})` : short;
}

/**
 * What the browsers show of a file: `match` if the gate finds some painting in the list, `other` if something else is
 * painted, `nothing` if no browser shows it. `matching` holds the matching paintings, the nearest first.
 */
export function shown(paintings) {
  const all = Object.entries(paintings).flatMap(([browser, list]) =>
    list.map((painting) => ({ browser, ...painting })),
  );
  if (all.length === 0) return { kind: "nothing", matching: [] };
  const matching = all.filter(({ match }) => match).sort((one, two) => one.bits - two.bits);
  return { kind: matching.length > 0 ? "match" : "other", matching };
}

/** So near to a painting, a verdict's own hash is of the same picture: two decoders round differently. */
const SAME_PICTURE = 12;
/** Beyond this distance a lookup finds some pictures and not others: the filter's recall is measured elsewhere. */
const SURELY_FOUND = 14;

/**
 * A verdict in one word, as `word` says it. `edge` takes the place of `clear` where the engine hashed what is painted,
 * and that is so far from the listed picture that lookups don't always find it.
 */
export function outcome(verdict, { matching }) {
  const said = word(verdict);
  if (said !== "clear" || matching.length === 0) return said;
  const [{ bits, pdq }] = matching;
  return bits > SURELY_FOUND && verdict.pdq && distance(pdq, verdict.pdq) <= SAME_PICTURE ? "edge" : said;
}

const OUTCOMES = ["match", "caveat", "unchecked", "edge", "passed", "clear", "crashed"];

/** A table of kinds and outcomes, in Markdown: what each reader says of the files that are painted as listed. */
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
