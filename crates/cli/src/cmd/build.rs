//! `hashgate build`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use hashgate::filter::build::{Entries, Plan, Request, write};

use crate::files::remark;
use crate::list::{self, List};
use crate::output::write_atomically;

/// Build a filter file from lists of hashes.
///
/// The same lists and options give the same bytes.
#[derive(clap::Args)]
pub struct Args {
    /// Lists: CSV with a header (hash,type[,quality,category]), JSON Lines, or one hash a line.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    /// Filter file to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// Release number.
    #[arg(long, default_value_t = 1)]
    release: u64,
    /// Build time in seconds since 1970 UTC. Default: SOURCE_DATE_EPOCH, or else when the newest list was last changed.
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    built_at: Option<u64>,
    #[command(flatten)]
    reading: list::Options,
}

/// What the owner of a list asks of a filter.
#[derive(Debug, Clone, clap::Args)]
pub struct RequestArgs {
    /// Name of the list.
    #[arg(long)]
    pub name: String,
    /// What the list holds, in words for those whose upload is held.
    #[arg(long)]
    pub category: String,
    /// Ring keys of each PDQ hash, 1 to 4: more find more edited copies and take more bytes.
    #[arg(long, default_value_t = 2)]
    pub rings: u32,
    /// Share of clean pictures that may be held by chance.
    #[arg(long, default_value_t = 1e-4)]
    pub escalation: f64,
    /// Probes a ring key of the picture as it is, 1 to 65536. Default: as docs/lab/near-match.md measures.
    #[arg(long)]
    pub probe_budget: Option<u32>,
    /// Probes a ring key of each further view (zooms, painted-over captions), at most the probe budget.
    #[arg(long)]
    pub view_probe_budget: Option<u32>,
    /// Use only hashes that at least this many of the lists hold.
    #[arg(long, default_value_t = 1, value_name = "K")]
    pub require_sources: usize,
}

impl RequestArgs {
    /// The request, but for release and time.
    pub fn request(&self) -> Request {
        let defaults = Request::new(&self.name, &self.category);
        Request {
            rings: self.rings,
            image_false_positive_rate: self.escalation,
            lookup_budget: self.probe_budget.unwrap_or(defaults.lookup_budget),
            view_lookup_budget: self.view_probe_budget.unwrap_or(defaults.view_lookup_budget),
            ..defaults
        }
    }

    /// What enough of the lists hold.
    pub fn entries(&self, lists: &[List]) -> Result<Entries> {
        if !(1..=lists.len()).contains(&self.require_sources) {
            bail!(
                "--require-sources: expected 1 to {} (the number of lists), got {}",
                lists.len(),
                self.require_sources
            );
        }
        Ok(list::entries(lists, self.require_sources))
    }
}

/// Reads the lists, plans, writes, and says what it did.
pub fn run(args: &Args) -> Result<ExitCode> {
    let lists = list::read_all(&args.lists, &args.reading)?;
    let entries = args.request.entries(&lists)?;
    let built_at_unix_s = match args.built_at {
        Some(seconds) => seconds,
        None => newest(&args.lists)?,
    };
    let request = Request { release: args.release, built_at_unix_s, ..args.request.request() };
    let plan = Plan::new(&request, &entries)?;
    say_lists(&lists, &entries);
    say_plan(&plan, &entries);
    say_recall(&request, &entries);
    let file = write(&request, &plan, &entries)?;
    write_atomically(&args.out, &file)?;
    remark(&format!("wrote {}", args.out.display()));
    Ok(ExitCode::SUCCESS)
}

/// What was read and what was left out.
pub fn say_lists(lists: &[List], entries: &Entries) {
    for list in lists {
        remark(&format!("{}: {} hashes", list.path.display(), list.entries.len()));
        let left_out = |count: u64, what: &str| {
            if count > 0 {
                remark(&format!("  left out: {count} {what}"));
            }
        };
        left_out(list.low_quality, "PDQ hashes of quality under 50");
        left_out(list.bad, "bad lines");
        list.other
            .iter()
            .for_each(|(name, &count)| left_out(count, &format!("of type {name}, which no picture matches")));
        let mut categories = std::collections::BTreeMap::new();
        for category in list.entries.iter().filter_map(|entry| entry.category.as_deref()) {
            *categories.entry(category).or_insert(0u64) += 1;
        }
        categories.iter().for_each(|(category, count)| remark(&format!("  category {category}: {count}")));
    }
    let (pdq, sha256, md5) = (entries.pdq.len(), entries.sha256.len(), entries.md5.len());
    remark(&format!("distinct: {pdq} PDQ, {sha256} SHA-256, {md5} MD5"));
}

/// What the filter will be.
pub fn say_plan(plan: &Plan, entries: &Entries) {
    let hashes = entries.pdq.len() + entries.sha256.len() + entries.md5.len();
    let each = plan.file_bytes as f64 / hashes as f64;
    remark(&format!(
        "plan: {} bytes, {each:.2} a hash; {:.2} bits a key, k = {}",
        plan.file_bytes,
        plan.bits_per_item(),
        plan.k
    ));
    remark(&format!(
        "  a clean picture costs at most {} lookups and is held by chance with a probability of {:.2e}",
        plan.lookups,
        plan.expected_image_false_positive_rate()
    ));
}

/// Share of edited copies that were found, in per cent, by rings and probe budget with the further views at a quarter of it:
/// `hashgate eval --rings N` on 90 photographs (docs/lab/near-match.md).
const MEASURED: [(u32, &[(u32, f64)]); 4] = [
    (1, &[(1024, 88.4), (8192, 93.4)]),
    (
        2,
        &[(1, 54.2), (16, 72.7), (128, 84.5), (1024, 90.3), (4096, 93.3), (8192, 94.4), (16_384, 95.4), (65_536, 96.5)],
    ),
    (3, &[(1024, 91.4), (8192, 95.1)]),
    (4, &[(1024, 91.8), (8192, 95.3)]),
];

/// What is to be expected of the filter: what was measured with as many rings and no larger a budget.
pub fn say_recall(request: &Request, entries: &Entries) {
    if entries.pdq.is_empty() {
        return;
    }
    let budget = request.lookup_budget.min(request.view_lookup_budget.saturating_mul(4).max(1));
    let of_rings = MEASURED.iter().find(|(rings, _)| *rings == request.rings).map_or(&[][..], |(_, rows)| rows);
    remark(&match of_rings.iter().rev().find(|(measured, _)| *measured <= budget) {
        Some((measured, share)) => format!(
            "  expected recall: {share:.1}% of edited copies, as `hashgate eval` measured with {} rings and probe budget {measured} on 90 \
             photographs; measure on your own pictures",
            request.rings
        ),
        None => "  expected recall: not measured with so few probes; `hashgate eval` measures it on your own pictures"
            .into(),
    });
}

fn newest(lists: &[PathBuf]) -> Result<u64> {
    let mut newest = 0;
    for path in lists {
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        let modified = modified.with_context(|| path.display().to_string())?;
        newest = newest.max(modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    }
    Ok(newest)
}
