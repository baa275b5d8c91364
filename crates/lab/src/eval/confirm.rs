//! Applies the confirm server's rule to the copies that the filter finds, and to pairs of different pictures.

use hashgate::confirm::{HAMMING_THRESHOLD, Index, REST};
use hashgate::filter::{RING_KEY_BITS, ring_key};
use hashgate::pdq::PdqHash;
use hashgate::{Filter, Orientations, Outcome, look_up};
use rayon::prelude::*;
use serde::Serialize;

use super::copies::Copy;

/// Counts of the answers that the server's rule gives.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Confirm {
    /// Copies that the filter finds.
    pub found: u32,
    /// How many of the found copies are within a Hamming distance of 31 of a listed hash.
    pub hamming: u32,
    /// How many of the other found copies are listed because of an equal ring key, with few enough different bits in
    /// the other ring keys.
    pub ring_key: u32,
    /// Largest number of bits in which the other three ring keys together may differ ([`REST`]).
    pub bound: u32,
    /// Among copies whose ring key is listed, the largest number of different bits in the other ring keys.
    pub farthest: u32,
    /// Number of comparisons between different pictures: pairs that are more than 31 bits apart, times orientations,
    /// times rings.
    pub strangers: u32,
    /// In how many of these comparisons the other ring keys differ in few enough bits. They are no matches unless the
    /// ring key is equal, too.
    pub strangers_within: u32,
    /// Smallest number of different bits in the other ring keys in these comparisons.
    pub nearest: u32,
}

/// Looks the copies up as a client does, and asks the server's rule about the hash of the view that matched.
pub fn measure(copies: &[Copy], originals: &[PdqHash], list: &[PdqHash], filter: &Filter) -> Confirm {
    let index = Index::new(list);
    let answers: Vec<_> = copies
        .par_iter()
        .filter(|copy| copy.edit.is_some())
        .filter_map(|copy| {
            let verdict = look_up(&copy.print, std::slice::from_ref(filter), Orientations::All);
            let Outcome::PossibleMatch { matches } = verdict.outcome else { return None };
            let pdq = matches.iter().find_map(|found| found.pdq())?;
            let rest = index.same_ring(&pdq.pdq, pdq.ring).map(|found| found.distance);
            Some((index.nearest(&pdq.pdq).is_some(), rest))
        })
        .collect();
    let mut confirm = Confirm { bound: REST, nearest: 256, ..Confirm::default() };
    for (near, rest) in answers {
        confirm.found += 1;
        confirm.farthest = confirm.farthest.max(rest.unwrap_or(0));
        confirm.hamming += u32::from(near);
        confirm.ring_key += u32::from(!near && rest.is_some_and(|rest| rest <= REST));
    }
    for copy in copies.iter().filter(|copy| copy.edit.is_none()) {
        for hash in originals {
            let turned = copy.hashes.iter().flatten();
            let distances: Vec<_> = turned.map(|turned| (turned, hash.distance(turned))).collect();
            if distances.iter().any(|&(_, distance)| distance <= HAMMING_THRESHOLD) {
                continue;
            }
            for (turned, distance) in distances {
                for ring in 0..filter.info().rings {
                    let key = |of| ring_key(of, ring, *RING_KEY_BITS.start());
                    let rest = distance - (key(turned) ^ key(hash)).count_ones();
                    confirm.strangers += 1;
                    confirm.strangers_within += u32::from(rest <= REST);
                    confirm.nearest = confirm.nearest.min(rest);
                }
            }
        }
    }
    confirm
}

impl Confirm {
    /// Returns the figures as a paragraph of text.
    pub fn text(&self) -> String {
        let Self { found, hamming, ring_key, bound, farthest, strangers, strangers_within, nearest } = self;
        let cleared = found - hamming - ring_key;
        format!(
            "confirming: of {found} copies found, {hamming} are within Hamming {HAMMING_THRESHOLD} of a listed hash, {ring_key} share a ring key with the \
             rest within {bound} bits (the farthest at {farthest}), {cleared} would be cleared; between pictures that aren't near, \
             {strangers_within} of {strangers} rests are within the bound (the nearest at {nearest})"
        )
    }
}
