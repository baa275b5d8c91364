//! Leaves entries out of lists that were read: disputed entries, entries on an allow list, entries of other categories,
//! and suspect hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};
use hashgate::confirm::Index;
use hashgate::pdq::PdqHash;

use super::sanity::{self, Doubt};
use super::{Entry, List, Opinion, Options, Signal, Suspect};
use crate::terminal::complain;

/// Number of hashes that are shown in each report as examples.
const SHOWN: usize = 5;

/// Leaves entries out of the lists, as the options say, and counts them there.
///
/// # Errors
/// An allow list can't be read. A hash is suspect, and `--suspect` refuses such lists. No entry has a category of
/// `--only-category`.
pub(super) fn select(lists: &mut [List], options: &Options) -> Result<()> {
    disputes(lists, options);
    categories(lists, options)?;
    allowed(lists, options)?;
    suspects(lists, options)
}

/// Leaves out hashes that a source disputes or denies, even if another source asserts them.
fn disputes(lists: &mut [List], options: &Options) {
    let mut denied: BTreeMap<Signal, &Path> = BTreeMap::new();
    for list in &*lists {
        let doubted = list.entries.iter().filter(|entry| entry.opinion != Opinion::Asserted);
        doubted.for_each(|entry| {
            denied.entry(entry.signal).or_insert(&list.path);
        });
    }
    if denied.is_empty() {
        return;
    }
    let mut contested: BTreeMap<Signal, (&Path, &Path)> = BTreeMap::new();
    for list in &*lists {
        for entry in list.entries.iter().filter(|entry| entry.opinion == Opinion::Asserted) {
            if let Some(by) = denied.get(&entry.signal) {
                contested.entry(entry.signal).or_insert((&list.path, by));
            }
        }
    }
    if !options.quiet && !contested.is_empty() {
        let kept = if options.include_disputed { "kept, by --include-disputed" } else { "left out" };
        let count = contested.len();
        complain(&format!("disputed: {count} hashes that one source asserts and another disputes or denies; {kept}"));
        for (signal, (asserted, disputed)) in contested.iter().take(SHOWN) {
            complain(&format!("  {signal}: asserted in {}, disputed in {}", asserted.display(), disputed.display()));
        }
        if contested.len() > SHOWN {
            complain("  more follow");
        }
    }
    let denied: BTreeSet<_> = denied.into_keys().collect();
    for list in lists {
        let List { entries, disputed, negative, contested, .. } = list;
        for entry in entries.iter() {
            match entry.opinion {
                Opinion::Disputed => *disputed += 1,
                Opinion::Negative => *negative += 1,
                Opinion::Asserted => *contested += u64::from(denied.contains(&entry.signal)),
            }
        }
        if !options.include_disputed {
            entries.retain(|entry| !denied.contains(&entry.signal));
        }
    }
}

fn categories(lists: &mut [List], options: &Options) -> Result<()> {
    if options.only_category.is_empty() {
        return Ok(());
    }
    let is_wanted = |entry: &Entry| {
        let category = entry.category.as_deref().unwrap_or_default();
        options.only_category.iter().any(|wanted| wanted.eq_ignore_ascii_case(category))
    };
    for list in &mut *lists {
        let before = list.entries.len();
        list.entries.retain(is_wanted);
        list.other_category += (before - list.entries.len()) as u64;
    }
    if lists.iter().all(|list| list.entries.is_empty()) {
        let wanted = options.only_category.join(", ");
        bail!("--only-category: expected a category of the lists, got {wanted}, which no entry has");
    }
    Ok(())
}

/// Leaves out the hashes on an allow list, and PDQ hashes within `--exclude-distance` bits of one of them.
fn allowed(lists: &mut [List], options: &Options) -> Result<()> {
    if options.exclude.is_empty() {
        return Ok(());
    }
    // A hash on an allow list is allowed, whatever category or opinion the allow list gives it.
    let plain = Options {
        include_disputed: true,
        exclude: Vec::new(),
        only_category: Vec::new(),
        suspect: Suspect::Report,
        ..options.clone()
    };
    let allowed = super::read_all(&options.exclude, &plain)?;
    let signals: BTreeSet<Signal> = allowed.iter().flat_map(|list| &list.entries).map(|entry| entry.signal).collect();
    let pdq = |signal: &Signal| match signal {
        Signal::Pdq(hash) => Some(*hash),
        _ => None,
    };
    let hashes: Vec<PdqHash> = signals.iter().filter_map(pdq).collect();
    let index = Index::new(&hashes);
    for list in lists {
        let List { entries, excluded, excluded_near, .. } = list;
        entries.retain(|entry| {
            if signals.contains(&entry.signal) {
                *excluded += 1;
                return false;
            }
            let near = pdq(&entry.signal).and_then(|hash| index.nearest(&hash));
            let is_near = near.is_some_and(|near| near.distance <= options.exclude_distance);
            *excluded_near += u64::from(is_near);
            !is_near
        });
    }
    Ok(())
}

/// Reports suspect hashes, and leaves them out if `--suspect` says so.
fn suspects(lists: &mut [List], options: &Options) -> Result<()> {
    let mut refused = 0;
    for list in lists {
        let looks_like_sha256 = sanity::looks_like_sha256(&list.entries);
        let mut doubts: BTreeMap<Doubt, Vec<Signal>> = BTreeMap::new();
        for entry in &list.entries {
            if let Some(doubt) = sanity::doubt(&entry.signal, looks_like_sha256) {
                doubts.entry(doubt).or_default().push(entry.signal);
            }
        }
        for (doubt, signals) in &doubts {
            refused += signals.len();
            if options.quiet {
                continue;
            }
            let what = match options.suspect {
                Suspect::LeaveOut => "left out",
                Suspect::Report => "kept; --suspect leave-out leaves them out",
                Suspect::Refuse => "refused",
            };
            complain(&format!("{}: suspect: {} {doubt}; {what}", list.path.display(), signals.len()));
            for signal in signals.iter().take(SHOWN) {
                complain(&format!("  {signal}"));
            }
        }
        if options.suspect == Suspect::LeaveOut {
            let before = list.entries.len();
            list.entries.retain(|entry| sanity::doubt(&entry.signal, looks_like_sha256).is_none());
            list.suspect += (before - list.entries.len()) as u64;
        }
    }
    if options.suspect == Suspect::Refuse && refused > 0 {
        bail!(
            "lists: expected hashes of pictures, got {refused} suspect ones; mend the lists, or use --suspect leave-out"
        );
    }
    Ok(())
}
