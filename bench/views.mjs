// npm run bench:views -- FOLDER [--before REVISION] [--rounds 15]
//
// Measures what a clean photograph costs natively after decoding, in one run: making its views, and looking them up in
// a list of 200,000 hashes. Measures the tree as it is and an earlier revision side by side, picture by picture; by
// default the last one before located views. FOLDER has photographs, none of which is listed.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root, run, stop } from "../scripts/run.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { before: { type: "string", default: "1369f37" }, rounds: { type: "string", default: "15" } },
});
const [folder] = positionals;
if (positionals.length !== 1 || !existsSync(folder)) stop("expected one folder of photographs; see bench/views.mjs.");
const pictures = readdirSync(folder)
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .sort()
  .map((name) => resolve(folder, name));

const home = join(root, "target/bench/views");
const before = join(root, "target/bench/views-before");
rmSync(before, { recursive: true, force: true });
mkdirSync(join(home, "src"), { recursive: true });
mkdirSync(before, { recursive: true });
const archive = execFileSync("git", ["archive", values.before], { maxBuffer: 1 << 30 });
execFileSync("tar", ["-x", "-C", before], { input: archive });
// Cargo tells two packages of one name by their versions.
for (const manifest of ["Cargo.toml", "crates/heic/Cargo.toml"].map((path) => join(before, path)))
  writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll('"0.1.0"', '"0.0.9"'));

writeFileSync(
  join(home, "Cargo.toml"),
  `[package]
name = "views"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
now = { package = "hashgate", path = "${root}", features = ["build"] }
before = { package = "hashgate", path = "${before}", features = ["build"] }
`,
);
writeFileSync(
  join(home, "src/main.rs"),
  `use std::time::Instant;

/// Makes a function that returns the fastest times in ms of the views and the lookups of a picture, the number of views
/// and that of lookups; \`None\` for a picture that matches.
macro_rules! measure {
    ($name:ident, $list:ident, $crate_name:ident) => {
        fn $list() -> $crate_name::Filter {
            use $crate_name::filter::build::{Entries, Plan, Request, write};
            let digest = |n: u32| $crate_name::digest::Sha256Digest::of(&n.to_le_bytes());
            let mut entries = Entries::default();
            entries.pdq = (0..200_000).map(|n| $crate_name::pdq::PdqHash(digest(n).0)).collect();
            entries.normalise();
            let request = Request::new("bench", "numbered");
            let plan = Plan::new(&request, &entries).unwrap();
            $crate_name::Filter::open(write(&request, &plan, &entries).unwrap()).unwrap()
        }
        fn $name(bytes: &[u8], list: &[$crate_name::Filter], rounds: u32) -> Option<[f64; 4]> {
            use $crate_name::*;
            let picture = image::read(bytes, &Limits::default()).ok()?;
            let luma = &picture.frames[0].luma;
            let (mut views_ms, mut lookups_ms) = (f64::MAX, f64::MAX);
            let print = fingerprint(bytes, &Limits::default(), &wanted(list, ViewSet::All));
            let mut lookups = 0;
            let mut count = 0;
            for _ in 0..rounds {
                let start = Instant::now();
                count = std::hint::black_box(views::of(luma, ViewSet::All)).len();
                views_ms = views_ms.min(start.elapsed().as_secs_f64() * 1e3);
                let start = Instant::now();
                let verdict = std::hint::black_box(look_up(&print, list, Orientations::All));
                lookups_ms = lookups_ms.min(start.elapsed().as_secs_f64() * 1e3);
                if verdict.outcome != Outcome::Clear { return None; }
                lookups = verdict.lookups;
            }
            Some([views_ms, lookups_ms, count as f64, lookups as f64])
        }
    };
}
measure!(of_now, list_now, now);
measure!(of_before, list_before, before);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().unwrap().parse().unwrap();
    let (now, before) = ([list_now()], [list_before()]);
    let mut rows = Vec::new();
    for path in arguments {
        let bytes = std::fs::read(path).unwrap();
        rows.extend(of_before(&bytes, &before, rounds).zip(of_now(&bytes, &now, rounds)));
    }
    let median = |value: &dyn Fn(&([f64; 4], [f64; 4])) -> f64| {
        let mut all: Vec<f64> = rows.iter().map(value).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!("{} clean photographs, the median of the fastest of {rounds} rounds\\n", rows.len());
    println!("                        before        now      ratio");
    let row = |name: &str, digits: usize, value: &dyn Fn(&[f64; 4]) -> f64| {
        let (before, now) = (median(&|row| value(&row.0)), median(&|row| value(&row.1)));
        println!("{name:<20}{before:>10.digits$} {now:>10.digits$} {:>10.2}", now / before);
    };
    row("views", 0, &|it| it[2]);
    row("lookups", 0, &|it| it[3]);
    row("views, ms", 3, &|it| it[0]);
    row("lookups, ms", 3, &|it| it[1]);
    row("both, ms", 3, &|it| it[0] + it[1]);
}
`,
);
run("cargo", ["build", "--release", "--quiet", "--manifest-path", join(home, "Cargo.toml")]);
run(join(home, "target/release/views"), [values.rounds, ...pictures]);
