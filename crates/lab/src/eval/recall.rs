//! Counts how many copies match, and how many unlisted pictures match.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::Result;
use hashgate::confirm::HAMMING_THRESHOLD;
use hashgate::filter::build::{Entries, Request};
use hashgate::pdq::PdqHash;
use hashgate::{Filter, Orientations, Outcome, look_up};
use rayon::prelude::*;

use super::build;
use super::copies::{Copy, Named};
use super::figures::{FalsePositives, Recall, Times};

/// Number of filters among which the copies of a picture are distributed. Copies of one picture look up almost the same
/// ring keys: in a single filter, if one copy matched by chance, all copies would.
const SALTS: usize = 8;

/// Returns for each copy whether the filter finds it.
pub fn found(copies: &[Copy], filter: &Filter) -> Vec<bool> {
    copies.par_iter().map(|copy| holds(copy, filter)).collect()
}

fn holds(copy: &Copy, filter: &Filter) -> bool {
    let verdict = look_up(&copy.print, std::slice::from_ref(filter), Orientations::All);
    matches!(verdict.outcome, Outcome::PossibleMatch { .. })
}

/// Returns whether one of the eight hashes of a copy is within a Hamming distance of 31 of one of `hashes`.
pub fn is_near(copy: &Copy, hashes: &[PdqHash]) -> bool {
    let near = |turned: &PdqHash| hashes.iter().any(|hash| hash.distance(turned) <= HAMMING_THRESHOLD);
    copy.hashes.iter().flatten().any(near)
}

/// Counts the copies that each edit made, and how many of them are found, near an original, equal to one, or of low
/// quality. Also returns the sums over all edits.
pub fn recall(named: &[Named], copies: &[Copy], originals: &[PdqHash], found: &[bool]) -> (Vec<Recall>, Recall) {
    let listed: HashSet<_> = originals.iter().collect();
    let row = |edit: &Named| Recall { edit: edit.name.clone(), about: edit.about.clone(), ..Recall::default() };
    let mut edits: Vec<_> = named.iter().map(row).collect();
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

/// Lists one half of the pictures and looks up the other half with its copies, then the other way round. Pictures that
/// really are near a listed one don't count.
///
/// # Errors
/// No filter of this kind can be built.
pub fn strangers(
    copies: &[Copy],
    originals: &[PdqHash],
    request: &Request,
    list: &dyn Fn(&mut dyn Iterator<Item = PdqHash>) -> Entries,
) -> Result<FalsePositives> {
    let mut sum = FalsePositives {
        false_positive_rate: request.image_false_positive_rate,
        bits_per_item: 0.0,
        pictures: 0,
        held: 0,
    };
    for half in 0..2 {
        let listed: Vec<_> = originals.iter().copied().skip(half).step_by(2).collect();
        let entries = list(&mut listed.iter().copied());
        for salt in 0..SALTS {
            // The list's name seeds the hash functions. So each filter stores the same ring key in other bits, and has
            // other chance hits.
            let (plan, filter) = build(&request.clone().with_name(format!("eval {salt}")), &entries)?;
            sum.bits_per_item = plan.bits_per_item();
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

/// Measures how long lookups take, one picture after the other on one thread.
pub fn times(copies: &[Copy], list: &Entries, filter: &Filter, found: &[bool]) -> Times {
    let clean: Vec<_> = copies.iter().zip(found).filter(|(copy, found)| copy.hashes.is_some() && !**found).collect();
    let (mut lookups, mut lookup, mut scan) = (0, Vec::new(), Vec::new());
    for (copy, _) in clean.iter().take(60) {
        let start = Instant::now();
        let verdict = look_up(&copy.print, std::slice::from_ref(filter), Orientations::All);
        lookup.push(start.elapsed().as_secs_f64() * 1e3);
        lookups += verdict.lookups;
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
