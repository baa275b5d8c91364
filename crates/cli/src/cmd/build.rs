//! `hashgate build`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use hashgate::confirm::HAMMING_THRESHOLD;
use hashgate::filter::RING_KEY_BITS;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate_native::atomic::write_atomically;
use hashgate_native::dcso::ExactFilter;
use hashgate_native::list::{self, List};
use hashgate_native::terminal::remark;
use hashgate_native::text;

use super::clean::CleanArgs;

/// Share of clean frames that match by chance in a list of frames, unless its owner says otherwise.
pub const FRAME_RATE: f64 = 1e-6;

/// Build a filter file from lists of hashes.
///
/// The same lists and options give the same bytes.
#[derive(clap::Args)]
pub struct Args {
    /// Lists, in any form that `hashgate help lists` names; `-` is standard input.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    /// Filter file to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// Also write the SHA-256 and MD5 digests into a filter of DCSO's format (version 1), for tools that read it. It
    /// holds no PDQ hash.
    #[arg(long, value_name = "FILE")]
    dcso: Option<PathBuf>,
    /// False-positive rate of one lookup of the DCSO filter.
    #[arg(long, value_name = "RATE", default_value_t = 1e-6)]
    dcso_rate: f64,
    /// Release number.
    #[arg(long, default_value_t = 1)]
    release: u64,
    /// Build time in seconds since 1970 UTC. Default: SOURCE_DATE_EPOCH, or the time of the last change to a list.
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    built_at: Option<u64>,
    #[command(flatten)]
    clean: CleanArgs,
    #[command(flatten)]
    reading: list::Options,
}

/// The requirements of a list's owner for the filter.
#[derive(Debug, Clone, clap::Args)]
pub struct RequestArgs {
    /// Name of the list.
    #[arg(long, value_parser = text::label)]
    pub name: String,
    /// What the list holds, in words for people whose upload is held.
    #[arg(long, value_parser = text::label)]
    pub category: String,
    /// Number of ring keys per PDQ hash, 1 to 4. More ring keys find more edited copies and make the file larger.
    #[arg(long, default_value_t = 2)]
    pub rings: u32,
    /// Fewest bits of a ring key, 52 to 64. The more, the longer it takes to find listed ring keys out by trying all, and
    /// the fewer edited copies are found. A long list takes more by itself.
    #[arg(long, default_value_t = *RING_KEY_BITS.start())]
    pub ring_key_bits: u32,
    /// Share of clean pictures that may match by chance (image false-positive rate). Default: 1e-4, or 1e-6 with
    /// --frames.
    #[arg(long, alias = "escalation")]
    pub false_positive_rate: Option<f64>,
    /// The lists hold frames of films: the rate counts per frame, and a film has thousands. Two more bytes per hash.
    #[arg(long)]
    pub frames: bool,
    /// Lookups per ring key of a full view, 1 to 65536. A larger budget finds more edited copies and takes more time.
    #[arg(long, alias = "probe-budget")]
    pub lookup_budget: Option<u32>,
    /// Lookups per ring key of a derived view (a zoom, a painted-over caption), at most the lookup budget. Default: a
    /// quarter of it.
    #[arg(long, alias = "view-probe-budget")]
    pub view_lookup_budget: Option<u32>,
    /// Use only hashes that at least K of the lists hold.
    #[arg(long, default_value_t = 1, value_name = "K")]
    pub require_sources: usize,
}

impl RequestArgs {
    /// Returns the request. The caller sets its release number and build time.
    pub fn request(&self) -> Request {
        let defaults = Request::new(&self.name, &self.category);
        let usual = if self.frames { FRAME_RATE } else { defaults.image_false_positive_rate };
        let rate = self.false_positive_rate.unwrap_or(usual);
        let lookup_budget = self.lookup_budget.unwrap_or(defaults.lookup_budget);
        let view_lookup_budget = self.view_lookup_budget.unwrap_or(defaults.view_lookup_budget);
        defaults
            .with_rings(self.rings)
            .with_ring_key_bits(self.ring_key_bits)
            .with_image_false_positive_rate(rate)
            .with_lookup_budget(lookup_budget)
            .with_view_lookup_budget(view_lookup_budget)
    }

    /// Returns the hashes that at least `--require-sources` of the lists hold.
    ///
    /// # Errors
    /// `--require-sources` is 0 or larger than the number of lists.
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

/// Builds the filter file and prints what it holds.
///
/// # Errors
/// A list can't be read, no such filter can be built, or the file can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let lists = list::read_all(&args.lists, &args.reading)?;
    let mut entries = args.request.entries(&lists)?;
    let built_at_unix_s = match args.built_at {
        Some(seconds) => seconds,
        None => newest(&args.lists)?,
    };
    let request = args.request.request().with_release(args.release).with_built_at_unix_s(built_at_unix_s);
    say_lists(&lists, &entries, &args.reading);
    args.clean.check(&request, &mut entries, args.reading.suspect)?;
    let plan = Plan::new(&request, &entries)?;
    say_plan(&plan, &entries);
    say_recall(&request, &entries);
    let file = write(&request, &plan, &entries)?;
    write_atomically(&args.out, &file)?;
    remark(&format!("wrote {}", args.out.display()));
    if let Some(path) = &args.dcso {
        write_dcso(path, args.dcso_rate, &entries)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what the lists hold, how they were read, and what was left out.
pub fn say_lists(lists: &[List], entries: &Entries, reading: &list::Options) {
    for list in lists {
        remark(&format!("{}: {} hashes; read as {}", list.path.display(), list.entries.len(), list.form));
        let left_out = |count: u64, what: &str| {
            if count > 0 {
                remark(&format!("  left out: {count} {what}"));
            }
        };
        left_out(list.low_quality, "PDQ hashes of quality under 50");
        left_out(list.near_repeats, "frames that nearly repeat another one of their film");
        left_out(list.bad, "bad lines");
        left_out(list.withdrawn, "that their source has withdrawn, deleted or disabled");
        let disputes = [
            (list.disputed, "that the list calls disputed"),
            (list.negative, "that the list denies (NEGATIVE_CLASS)"),
            (list.contested, "that another source disputes or denies"),
        ];
        for (count, what) in disputes.into_iter().filter(|(count, _)| *count > 0) {
            match reading.include_disputed {
                true => remark(&format!("  kept: {count} {what}, by --include-disputed")),
                false => left_out(count, what),
            }
        }
        left_out(list.other_category, "of other categories (--only-category)");
        left_out(list.excluded, "that an allow list holds (--exclude)");
        left_out(
            list.excluded_near,
            &format!("within {} bits of a hash of an allow list (--exclude)", reading.exclude_distance),
        );
        left_out(list.suspect, "that are suspect");
        left_out(list.variants, "variants of pictures (--without-variants)");
        let variants = list.entries.iter().filter(|entry| entry.role == list::Role::Variant).count();
        if variants > 0 {
            remark(&format!("  variants of pictures: {variants}, each of which costs as much as a picture"));
        }
        list.other.iter().for_each(|(name, &count)| left_out(count, &format!("of type {name}, which isn't used")));
        let mut categories = std::collections::BTreeMap::new();
        for category in list.entries.iter().filter_map(|entry| entry.category.as_deref()) {
            *categories.entry(category).or_insert(0u64) += 1;
        }
        categories.iter().for_each(|(category, count)| remark(&format!("  category {category}: {count}")));
    }
    let (pdq, sha256, md5) = (entries.pdq.len(), entries.sha256.len(), entries.md5.len());
    remark(&format!("distinct: {pdq} PDQ, {sha256} SHA-256, {md5} MD5"));
    if pdq > list::MOST_COMPARED {
        remark(&format!("  near-duplicates: not looked for among more than {} PDQ hashes", list::MOST_COMPARED));
    } else {
        let near = list::near_duplicates(entries, HAMMING_THRESHOLD);
        if near > 0 {
            remark(&format!("  near-duplicates: {near} PDQ hashes lie within {HAMMING_THRESHOLD} bits of another one"));
        }
    }
}

/// Prints how large the filter will be, how many lookups a clean picture takes at most, and how likely it matches by
/// chance.
pub fn say_plan(plan: &Plan, entries: &Entries) {
    let hashes = entries.pdq.len() + entries.sha256.len() + entries.md5.len();
    let each = plan.file_bytes as f64 / hashes as f64;
    remark(&format!(
        "plan: {} bytes, {each:.2} per hash; {:.2} bits per item, k = {}",
        plan.file_bytes,
        plan.bits_per_item(),
        plan.k
    ));
    remark(&format!(
        "  a clean picture costs at most {} lookups, and matches by chance with a probability of {:.2e}",
        plan.lookups,
        plan.expected_image_false_positive_rate()
    ));
}

/// Share of edited copies that were found, in per cent. Measured by `hashgate eval --rings N` on 90 photographs, with ring
/// keys of 64 bits and the 21 views before located views. Each row has a number of rings, and pairs of lookup budget and
/// share; derived views had a quarter of the budget.
const MEASURED: [(u32, &[(u32, f64)]); 4] = [
    (1, &[(1024, 88.4), (8192, 93.4)]),
    (
        2,
        &[(1, 54.2), (16, 72.7), (128, 84.5), (1024, 90.3), (4096, 93.3), (8192, 94.4), (16_384, 95.4), (65_536, 96.5)],
    ),
    (3, &[(1024, 91.4), (8192, 95.1)]),
    (4, &[(1024, 91.8), (8192, 95.3)]),
];

/// Prints the share of edited copies that the filter should find. Takes the measurement with the same number of rings
/// and the largest budget that isn't above the requested one.
pub fn say_recall(request: &Request, entries: &Entries) {
    if entries.pdq.is_empty() {
        return;
    }
    let budget = request.lookup_budget.min(request.view_lookup_budget.saturating_mul(4).max(1));
    let of_rings = MEASURED.iter().find(|(rings, _)| *rings == request.rings).map_or(&[][..], |(_, rows)| rows);
    remark(&match of_rings.iter().rev().find(|(measured, _)| *measured <= budget) {
        Some((measured, share)) => format!(
            "  expected recall: {share:.1}% of edited copies, as `hashgate eval` measured with {} rings and lookup budget {measured} on 90 \
             photographs and the views before located views; measure on your own pictures",
            request.rings
        ),
        None => "  expected recall: not measured with so small a lookup budget; `hashgate eval` measures it on your own pictures"
            .into(),
    });
}

/// Writes the digests into a DCSO filter. The items are lower-case hexadecimal texts, as `sha256sum` prints digests.
fn write_dcso(path: &Path, rate: f64, entries: &Entries) -> Result<()> {
    let digests = (entries.sha256.iter().map(ToString::to_string)).chain(entries.md5.iter().map(ToString::to_string));
    let digests: Vec<String> = digests.collect();
    // Plans for one item more than there are, because other programs refuse a filter that is full.
    let mut filter = ExactFilter::new(digests.len() as u64 + 1, rate).context("--dcso")?;
    digests.iter().for_each(|digest| filter.add(digest.as_bytes()));
    let bytes = filter.to_bytes();
    write_atomically(path, &bytes)?;
    remark(&format!("wrote {}: {} digests, {} bytes, DCSO version 1", path.display(), digests.len(), bytes.len()));
    Ok(())
}

fn newest(lists: &[PathBuf]) -> Result<u64> {
    let mut newest = 0;
    for path in lists.iter().filter(|path| path.as_os_str() != "-") {
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        let modified = modified.with_context(|| path.display().to_string())?;
        newest = newest.max(modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    }
    Ok(newest)
}
