//! `hashgate eval`: measures how well edited copies are found, on the list owner's own pictures.

mod confirm;
mod copies;
mod edits;
mod figures;
mod films;
mod print;
mod recall;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::ValueEnum;
use hashgate::Filter;
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::pdq::PdqHash;
use hashgate_native::atomic::write_atomically;
use hashgate_native::terminal::say_pretty_json;

use self::figures::{Budget, Figures};

/// Measure how well edited copies are found, on a folder of your own pictures or films.
///
/// Makes edited copies of every picture, each by a real encoder, and looks them up in filters. The filters hold the
/// originals, and numbered hashes that stand for the rest of a list. For comparison, the same copies are looked up in the
/// raw list: by equal PDQ hashes, and by a Hamming distance of at most 31, each in the best of eight orientations. Nothing
/// leaves the machine.
///
/// Copies that other programs made are measured instead if --copies names their folder, at the default lookup budget
/// alone. bench/augly makes such copies by edits that nobody of this project wrote.
///
/// If the folder holds films, these are measured, and not the pictures. ffmpeg makes edited copies of the first 40 seconds
/// of each. The copies are looked up in a list whose frames were chosen by content and in one of one frame per second, and
/// compared by vPDQ's own rules. Copies that you have count as well if they lie in a folder with the film's name: those of
/// film.mp4 in film/.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of pictures or films.
    folder: PathBuf,
    /// Folder of copies to measure instead of making them: in it, a folder for each edit, with copies named as their
    /// pictures are, such as crop/cat.jpg of cat.png.
    #[arg(long, value_name = "FOLDER")]
    copies: Option<PathBuf>,
    /// Seed of the random numbers that choose pictures and edits. The same seed gives the same figures, but for times.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of pictures at most, and of films. Each picture takes 0.6 MB of memory.
    #[arg(long, default_value_t = 500)]
    limit: usize,
    /// Number of hashes in the list, with the numbered ones.
    #[arg(long, default_value_t = 100_000)]
    list_size: usize,
    /// Number of ring keys per PDQ hash, 1 to 4.
    #[arg(long, default_value_t = 2)]
    rings: u32,
    /// Share of clean pictures that may match by chance (image false-positive rate).
    #[arg(long, default_value_t = 1e-4, alias = "escalation")]
    false_positive_rate: f64,
    /// Number of threads. Default: one per processor.
    #[arg(long)]
    threads: Option<usize>,
    /// Of films, measure this edit alone. May be given several times.
    #[arg(long = "edit", value_name = "NAME")]
    edits: Vec<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// HTML page with plots to write, for readers who decide rather than program.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Lookup budgets that the plot compares. Derived views have a quarter of each budget.
const BUDGETS: [u32; 8] = [1, 16, 128, 1024, 4096, 8192, 16_384, 65_536];
/// Image false-positive rates that the plot compares. They are much higher than those of real lists, at which hardly
/// any picture would match by chance and nothing could be measured.
const RATES: [f64; 7] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001];

/// Measures, prints the figures, and writes the report.
///
/// # Errors
/// The folder holds fewer than two usable pictures, or an argument is out of range.
pub fn run(args: &Args) -> Result<ExitCode> {
    rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?.install(|| measure(args))
}

fn measure(args: &Args) -> Result<ExitCode> {
    let films = films::of_folder(&args.folder);
    if films.is_empty() {
        return measure_pictures(args);
    }
    if args.report.is_some() {
        bail!("--report: expected a folder of pictures, got films; films have no page");
    }
    if args.copies.is_some() {
        bail!(
            "--copies: expected a folder of pictures, got films; put copies of film.mp4 into the folder film/ beside it"
        );
    }
    let settings = films::Settings {
        limit: args.limit,
        list_size: args.list_size,
        rings: args.rings,
        seed: args.seed,
        edits: args.edits.clone(),
    };
    let figures = films::measure(&films, &settings)?;
    match args.format {
        Format::Json => say_pretty_json(&figures)?,
        Format::Text => figures.print()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn measure_pictures(args: &Args) -> Result<ExitCode> {
    if args.report.is_some() && args.copies.is_some() {
        bail!("--report: expected no --copies, got both; the page's plots need copies that are made here");
    }
    let copies::Set { pictures, edits: named, copies, left_out } = match &args.copies {
        Some(given) => copies::given(&args.folder, given, args.seed, args.limit)?,
        None => copies::made(&args.folder, args.seed, args.limit)?,
    };
    let originals: Vec<PdqHash> =
        copies.iter().filter(|copy| copy.edit.is_none()).filter_map(copies::upright).collect();
    if args.list_size < originals.len() {
        bail!("--list-size: expected at least {}, the number of pictures, got {}", originals.len(), args.list_size);
    }
    let request = Request::new("eval", "evaluation")
        .with_rings(args.rings)
        .with_image_false_positive_rate(args.false_positive_rate);
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

    let found = recall::found(&copies, &filter);
    let (edits, all) = recall::recall(&named, &copies, &originals, &found);
    // Copies that are given can be many, and the other budgets take fifteen times as long as this one.
    let whole_plot = args.copies.is_none();
    let mut budgets = Vec::new();
    for lookup_budget in BUDGETS.into_iter().filter(|_| whole_plot) {
        let view_lookup_budget = (lookup_budget / 4).max(1);
        let (plan, filter) = build(
            &request.clone().with_lookup_budget(lookup_budget).with_view_lookup_budget(view_lookup_budget),
            &whole,
        )?;
        let found = recall::found(&copies, &filter);
        let (_, all) = recall::recall(&named, &copies, &originals, &found);
        budgets.push(Budget {
            lookup_budget,
            view_lookup_budget,
            lookups: plan.lookups,
            bytes_per_hash: bytes_per_hash(&filter),
            copies: all.copies,
            found: all.found,
        });
    }
    let mut false_positives = Vec::new();
    for false_positive_rate in RATES.into_iter().filter(|_| whole_plot).chain([args.false_positive_rate]) {
        false_positives.push(recall::strangers(
            &copies,
            &originals,
            &request.clone().with_image_false_positive_rate(false_positive_rate),
            &list,
        )?);
    }
    let figures = Figures {
        seed: args.seed,
        pictures,
        left_out,
        list_size: args.list_size,
        rings: args.rings,
        false_positive_rate: args.false_positive_rate,
        bytes_per_hash: bytes_per_hash(&filter),
        bits_per_item: plan.bits_per_item(),
        lookups: plan.lookups,
        edits,
        all,
        confirm: confirm::measure(&copies, &originals, &whole.pdq, &filter),
        budgets,
        false_positives,
        times: recall::times(&copies, &whole, &filter, &found),
    };
    match args.format {
        Format::Json => say_pretty_json(&figures)?,
        Format::Text => print::print(&figures)?,
    }
    if let Some(path) = &args.report {
        write_atomically(path, report::page(&figures).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn build(request: &Request, entries: &Entries) -> Result<(Plan, Filter)> {
    let plan = Plan::new(request, entries)?;
    let filter = Filter::open(write(request, &plan, entries)?)?;
    Ok((plan, filter))
}
