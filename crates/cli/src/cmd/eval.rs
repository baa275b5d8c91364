//! `hashgate eval`: how well edited copies are found, on the list owner's own pictures.

mod confirm;
mod edits;
mod report;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::pdq::{MIN_QUALITY, Orientation, PdqHash};
use hashgate::{Filter, Fingerprint, Limits, Orientations, Outcome, ViewSet, Wanted, fingerprint, look_up};
use image::RgbImage;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use self::edits::EDITS;
use crate::files;
use crate::output::write_atomically;

/// Measure how well edited copies are found, on a folder of your own pictures.
///
/// Makes edited copies of every picture, each through a real encoder, and looks them up in filters that are built of the
/// originals and of numbered hashes that stand for the rest of a list. Beside it, on the same copies: exact lookup of the PDQ
/// hash, and Hamming distance of at most 31 to the raw list, both with the best of eight orientations. Nothing leaves the
/// machine.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of pictures.
    folder: PathBuf,
    /// Draws the edits, and which pictures are taken: the same seed gives the same figures, times left aside.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Pictures at most; they take 0.6 MB of memory each.
    #[arg(long, default_value_t = 500)]
    limit: usize,
    /// Hashes in the list, numbered ones included.
    #[arg(long, default_value_t = 100_000)]
    list_size: usize,
    /// Ring keys of each PDQ hash, 1 to 4.
    #[arg(long, default_value_t = 2)]
    rings: u32,
    /// Share of clean pictures that may be held by chance.
    #[arg(long, default_value_t = 1e-4)]
    escalation: f64,
    /// Threads. Default: one for each processor.
    #[arg(long)]
    threads: Option<usize>,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write a page with plots, for those who decide.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Hamming distance up to which Meta's matcher calls two PDQ hashes alike.
const HAMMING_THRESHOLD: u32 = 31;
/// Probe budgets of the plot; the further views get a quarter.
const BUDGETS: [u32; 8] = [1, 16, 128, 1024, 4096, 8192, 16_384, 65_536];
/// Escalation rates of the plot: high ones, because the rates that lists use are too low to be seen.
const RATES: [f64; 7] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001];

/// Filters over which the copies of one picture are spread: they ask for much the same keys, and one chance hit would count for
/// all of them.
const SALTS: usize = 8;

/// All figures.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    seed: u64,
    pictures: usize,
    /// Pictures that could not be used, and why.
    left_out: Vec<String>,
    list_size: usize,
    rings: u32,
    escalation: f64,
    bytes_per_hash: f64,
    bits_per_key: f64,
    lookups: u64,
    edits: Vec<Recall>,
    all: Recall,
    confirm: confirm::Confirm,
    budgets: Vec<Budget>,
    false_positives: Vec<FalsePositives>,
    times: Times,
}

/// How many copies were found.
#[derive(Serialize, Clone, Default)]
#[serde(rename_all = "camelCase")]
struct Recall {
    edit: String,
    about: String,
    copies: u32,
    /// Copies whose PDQ quality is under 50: no way finds them.
    low_quality: u32,
    /// Found by exact lookup of the PDQ hash.
    exact: u32,
    /// Found at Hamming distance 31 or less.
    near: u32,
    /// Found by the filter.
    found: u32,
}

/// Recall at another probe budget.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Budget {
    probe_budget: u32,
    view_probe_budget: u32,
    lookups: u64,
    bytes_per_hash: f64,
    copies: u32,
    found: u32,
}

/// Pictures that are not on the list, and were held.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FalsePositives {
    escalation: f64,
    bits_per_key: f64,
    pictures: u32,
    held: u32,
}

/// What depends on the machine.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Times {
    /// Milliseconds, median: a clean picture's lookups.
    lookup_ms: f64,
    /// Nanoseconds a lookup.
    lookup_ns: f64,
    /// Milliseconds, median: the Hamming distances of all eight orientations to every hash of the list.
    scan_ms: f64,
}

/// An edited copy, hashed. Edit `None` is the picture itself.
struct Copy {
    picture: usize,
    edit: Option<usize>,
    print: Fingerprint,
    /// The eight hashes, if the quality is 50 or more.
    hashes: Option<[PdqHash; 8]>,
}

/// Measures, prints, and writes the report.
pub fn run(args: &Args) -> Result<ExitCode> {
    rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?.install(|| measure(args))
}

fn measure(args: &Args) -> Result<ExitCode> {
    let (pictures, left_out) = read(args)?;
    let copies = edit(&pictures, args.seed)?;
    let originals: Vec<PdqHash> = copies.iter().filter(|copy| copy.edit.is_none()).filter_map(upright).collect();
    if args.list_size < originals.len() {
        bail!("--list-size: expected at least the {} pictures, got {}", originals.len(), args.list_size);
    }
    let request =
        Request { rings: args.rings, image_false_positive_rate: args.escalation, ..Request::new("eval", "evaluation") };
    let list = |held: &mut dyn Iterator<Item = PdqHash>| -> Entries {
        let mut entries = Entries { pdq: held.collect(), ..Entries::default() };
        let numbered = (0..(args.list_size - entries.pdq.len()) as u64).map(|n| Sha256Digest::of(&n.to_le_bytes()));
        entries.pdq.extend(numbered.map(|digest| PdqHash(digest.0)));
        entries.normalise();
        entries
    };
    let whole = list(&mut originals.iter().copied());
    let (plan, filter) = build(&request, &whole)?;
    let bytes_per_hash = |filter: &Filter| filter.info().bytes as f64 / args.list_size as f64;

    let found = found(&copies, &filter);
    let (edits, all) = recall(&copies, &originals, &found);
    let mut budgets = Vec::new();
    for probe_budget in BUDGETS {
        let view_probe_budget = (probe_budget / 4).max(1);
        let (plan, filter) = build(
            &Request { lookup_budget: probe_budget, view_lookup_budget: view_probe_budget, ..request.clone() },
            &whole,
        )?;
        let found = self::found(&copies, &filter);
        let (_, all) = recall(&copies, &originals, &found);
        budgets.push(Budget {
            probe_budget,
            view_probe_budget,
            lookups: plan.lookups,
            bytes_per_hash: bytes_per_hash(&filter),
            copies: all.copies,
            found: all.found,
        });
    }
    let mut false_positives = Vec::new();
    for escalation in RATES.into_iter().chain([args.escalation]) {
        false_positives.push(strangers(
            &copies,
            &originals,
            &Request { image_false_positive_rate: escalation, ..request.clone() },
            &list,
        )?);
    }
    let figures = Figures {
        seed: args.seed,
        pictures: pictures.len(),
        left_out,
        list_size: args.list_size,
        rings: args.rings,
        escalation: args.escalation,
        bytes_per_hash: bytes_per_hash(&filter),
        bits_per_key: plan.bits_per_item(),
        lookups: plan.lookups,
        edits,
        all,
        confirm: confirm::measure(&copies, &originals, &whole.pdq, &filter),
        budgets,
        false_positives,
        times: times(&copies, &whole, &filter, &found),
    };
    match args.format {
        Format::Json => files::say(&serde_json::to_string_pretty(&figures)?)?,
        Format::Text => print(&figures)?,
    }
    if let Some(path) = &args.report {
        write_atomically(path, report::page(&figures).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The pictures that can be used, and why others can't.
fn read(args: &Args) -> Result<(Vec<RgbImage>, Vec<String>)> {
    let name = args.folder.display();
    if !args.folder.is_dir() {
        bail!("{name}: expected a folder of pictures");
    }
    let mut paths = files::in_folder(&args.folder);
    paths.shuffle(&mut ChaCha8Rng::seed_from_u64(args.seed));
    paths.truncate(args.limit);
    let read: Vec<_> = paths.par_iter().map(|path| usable(path)).collect();
    let (mut pictures, mut left_out) = (Vec::new(), Vec::new());
    for (path, read) in paths.iter().zip(read) {
        match read {
            Ok(picture) => pictures.push(picture),
            Err(error) => left_out.push(format!("{}: {error:#}", path.display())),
        }
    }
    if pictures.len() < 2 {
        bail!("{name}: expected at least 2 pictures of PDQ quality 50 or more, got {}", pictures.len());
    }
    Ok((pictures, left_out))
}

fn usable(path: &Path) -> Result<RgbImage> {
    let bytes = std::fs::read(path)?;
    let wanted = Wanted { pdq: true, views: ViewSet::Plain, ..Wanted::default() };
    match fingerprint(&bytes, &Limits::default(), &wanted).picture {
        Some(Ok(hashed)) if hashed.frames[0].views[0].quality < MIN_QUALITY => {
            bail!("PDQ quality: expected at least {MIN_QUALITY}, got {}", hashed.frames[0].views[0].quality)
        }
        Some(Ok(_)) => {}
        Some(Err(failure)) => bail!(failure.detail),
        None => bail!("no hash"),
    }
    Ok(image::load_from_memory(&bytes).context("can't be edited")?.to_rgb8())
}

/// Makes and hashes the copies of every picture, the picture itself first.
fn edit(pictures: &[RgbImage], seed: u64) -> Result<Vec<Copy>> {
    let bar = files::progress((pictures.len() * EDITS.len()) as u64);
    let wanted = Wanted { pdq: true, views: ViewSet::All, ..Wanted::default() };
    let hash = |picture: usize, edit: Option<usize>, bytes: &[u8]| {
        let print = fingerprint(bytes, &Limits::default(), &wanted);
        let hashes = match &print.picture {
            Some(Ok(hashed)) => {
                let seen = &hashed.frames[0].views[0];
                let turned = || Orientation::ALL.map(|orientation| seen.coefficients.oriented(orientation).hash());
                (seen.quality >= MIN_QUALITY).then(turned)
            }
            _ => None,
        };
        Copy { picture, edit, print, hashes }
    };
    let copies = pictures.par_iter().enumerate().map(|(number, picture)| {
        let mut plain = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut plain, image::ImageFormat::Bmp)?;
        let mut copies = vec![hash(number, None, plain.get_ref())];
        for (index, edit) in EDITS.iter().enumerate() {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream((number * EDITS.len() + index) as u64);
            copies.push(hash(number, Some(index), &edit.make(picture, &mut random)?));
            bar.inc(1);
        }
        Ok(copies)
    });
    let copies = copies.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    bar.finish_and_clear();
    Ok(copies)
}

fn upright(copy: &Copy) -> Option<PdqHash> {
    copy.hashes.map(|hashes| hashes[0])
}

fn build(request: &Request, entries: &Entries) -> Result<(Plan, Filter)> {
    let plan = Plan::new(request, entries)?;
    let filter = Filter::open(write(request, &plan, entries)?)?;
    Ok((plan, filter))
}

/// Which of the copies the filter finds.
fn found(copies: &[Copy], filter: &Filter) -> Vec<bool> {
    copies.par_iter().map(|copy| holds(copy, filter)).collect()
}

fn holds(copy: &Copy, filter: &Filter) -> bool {
    let report = look_up(&copy.print, std::slice::from_ref(filter), Orientations::All);
    matches!(report.outcome, Outcome::PossibleMatch { .. })
}

/// Whether one of the copy's eight hashes is near one of `hashes`.
fn is_near(copy: &Copy, hashes: &[PdqHash]) -> bool {
    let near = |turned: &PdqHash| hashes.iter().any(|hash| hash.distance(turned) <= HAMMING_THRESHOLD);
    copy.hashes.iter().flatten().any(near)
}

fn recall(copies: &[Copy], originals: &[PdqHash], found: &[bool]) -> (Vec<Recall>, Recall) {
    let listed: HashSet<_> = originals.iter().collect();
    let mut edits: Vec<_> = EDITS
        .iter()
        .map(|edit| Recall { edit: edit.name.into(), about: edit.about.into(), ..Recall::default() })
        .collect();
    let near: Vec<_> = copies.par_iter().map(|copy| is_near(copy, originals)).collect();
    for ((copy, &found), near) in copies.iter().zip(found).zip(near) {
        let Some(edit) = copy.edit else { continue };
        let of = &mut edits[edit];
        of.copies += 1;
        of.low_quality += u32::from(copy.hashes.is_none());
        of.exact += u32::from(copy.hashes.iter().flatten().any(|hash| listed.contains(hash)));
        of.near += u32::from(near);
        of.found += u32::from(found);
    }
    let mut all = Recall { edit: "all".into(), about: "every edit".into(), ..Recall::default() };
    for edit in &edits {
        all.copies += edit.copies;
        all.low_quality += edit.low_quality;
        all.exact += edit.exact;
        all.near += edit.near;
        all.found += edit.found;
    }
    (edits, all)
}

/// Lists one half of the pictures and looks the other half and its copies up, then the other way round. What is really near a
/// listed picture doesn't count.
fn strangers(
    copies: &[Copy],
    originals: &[PdqHash],
    request: &Request,
    list: &dyn Fn(&mut dyn Iterator<Item = PdqHash>) -> Entries,
) -> Result<FalsePositives> {
    let mut sum =
        FalsePositives { escalation: request.image_false_positive_rate, bits_per_key: 0.0, pictures: 0, held: 0 };
    for half in 0..2 {
        let listed: Vec<_> = originals.iter().copied().skip(half).step_by(2).collect();
        let entries = list(&mut listed.iter().copied());
        for salt in 0..SALTS {
            // The name salts the filter.
            let (plan, filter) = build(&Request { name: format!("eval {salt}"), ..request.clone() }, &entries)?;
            sum.bits_per_key = plan.bits_per_item();
            let strangers = copies.par_iter().filter(|copy| {
                let kind = copy.edit.map_or(0, |edit| edit + 1);
                copy.picture % 2 != half && kind % SALTS == salt && copy.hashes.is_some()
            });
            let (pictures, held) = strangers
                .filter(|copy| !is_near(copy, &listed))
                .map(|copy| (1, u32::from(holds(copy, &filter))))
                .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            sum.pictures += pictures;
            sum.held += held;
        }
    }
    Ok(sum)
}

/// Times a picture after the other, on one thread.
fn times(copies: &[Copy], list: &Entries, filter: &Filter, found: &[bool]) -> Times {
    let clean: Vec<_> = copies.iter().zip(found).filter(|(copy, found)| copy.hashes.is_some() && !**found).collect();
    let (mut lookups, mut lookup, mut scan) = (0, Vec::new(), Vec::new());
    for (copy, _) in clean.iter().take(60) {
        let start = Instant::now();
        let report = look_up(&copy.print, std::slice::from_ref(filter), Orientations::All);
        lookup.push(start.elapsed().as_secs_f64() * 1e3);
        lookups += report.lookups;
        let start = Instant::now();
        let near =
            copy.hashes.iter().flatten().flat_map(|turned| list.pdq.iter().map(move |hash| hash.distance(turned)));
        std::hint::black_box(near.filter(|&distance| distance <= HAMMING_THRESHOLD).count());
        scan.push(start.elapsed().as_secs_f64() * 1e3);
    }
    if lookup.is_empty() {
        return Times::default();
    }
    let lookup_ns = lookup.iter().sum::<f64>() * 1e6 / lookups as f64;
    Times { lookup_ms: median(&mut lookup), lookup_ns, scan_ms: median(&mut scan) }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn percent(part: u32, whole: u32) -> f64 {
    100.0 * f64::from(part) / f64::from(whole.max(1))
}

fn print(figures: &Figures) -> Result<()> {
    let say = |line: String| files::say(&line);
    for reason in &figures.left_out {
        eprintln!("left out: {reason}");
    }
    say(format!(
        "{} pictures, {} copies, seed {}; a list of {} hashes, {} rings, escalation rate {:e}",
        figures.pictures, figures.all.copies, figures.seed, figures.list_size, figures.rings, figures.escalation
    ))?;
    say(format!("\n{:<14}{:>8}{:>8}{:>12}{:>10}", "found, %", "copies", "exact", "Hamming 31", "hashgate"))?;
    for row in figures.edits.iter().chain([&figures.all]) {
        let [exact, near, found] = [row.exact, row.near, row.found].map(|part| percent(part, row.copies));
        say(format!("{:<14}{:>8}{exact:>8.1}{near:>12.1}{found:>10.1}", row.edit, row.copies))?;
    }
    if figures.all.low_quality > 0 {
        say(format!("{} copies are of PDQ quality under 50, which nothing here finds", figures.all.low_quality))?;
    }
    say(format!("\n{}", figures.confirm.text()))?;
    say(format!("\n{:>12}{:>10}{:>12}{:>14}", "probe budget", "found, %", "lookups", "bytes a hash"))?;
    for row in &figures.budgets {
        let found = percent(row.found, row.copies);
        say(format!("{:>12}{found:>10.1}{:>12}{:>14.2}", row.probe_budget, row.lookups, row.bytes_per_hash))?;
    }
    say(format!("\n{:>12}{:>14}{:>12}{:>8}{:>12}", "asked for", "bits a key", "strangers", "held", "measured"))?;
    for row in &figures.false_positives {
        let rate = f64::from(row.held) / f64::from(row.pictures.max(1));
        say(format!(
            "{:>12e}{:>14.2}{:>12}{:>8}{rate:>12.5}",
            row.escalation, row.bits_per_key, row.pictures, row.held
        ))?;
    }
    let Times { lookup_ms, lookup_ns, scan_ms } = figures.times;
    say(format!(
        "\n{:.2} bytes a hash, {:.1} bits a key; a picture that isn't found costs {lookup_ms:.2} ms ({lookup_ns:.1} ns a lookup); \
         a scan of the raw list {scan_ms:.2} ms",
        figures.bytes_per_hash, figures.bits_per_key
    ))
}
