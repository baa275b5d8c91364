//! Finds the entries of a list because of which clean pictures would be held.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::filter::ring_key;
use hashgate::{Dismissed, Filter, Fingerprint, Limits, Lookup, Orientations, Outcome, ViewSet};
use hashgate_native::batch::{self, Files};
use hashgate_native::list::{Signal, Suspect};
use hashgate_native::terminal::{complain, remark};

use crate::intake;

/// Most matches of one picture that are examined. Each is dismissed, and the lookup continues.
const MATCHES: usize = 64;

/// Clean pictures that a list must not hold.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CleanArgs {
    /// Folder of clean pictures, or a picture. Says which entries of the lists would hold them. May be given several
    /// times; --suspect leave-out leaves these entries out, --suspect refuse refuses the lists.
    #[arg(long, value_name = "FOLDER")]
    pub check_against: Vec<PathBuf>,
}

impl CleanArgs {
    /// Builds the filter of the entries, checks the pictures against it, and says which entries match. Leaves these out
    /// if `suspect` says so.
    ///
    /// # Errors
    /// The filter can't be built; or an entry matches and `suspect` refuses it.
    pub fn check(&self, request: &Request, entries: &mut Entries, suspect: Suspect) -> Result<()> {
        if self.check_against.is_empty() {
            return Ok(());
        }
        let plan = Plan::new(request, entries)?;
        let file = write(request, &plan, entries)?;
        let wanted = Lookup::new(vec![Filter::open(file.clone())?], Orientations::All).wanted(ViewSet::All);
        let (mut pictures, mut unread) = (0u64, 0u64);
        let mut culprits: BTreeMap<Signal, PathBuf> = BTreeMap::new();
        let shared = Filter::open(file)?;
        let lookup = Lookup::new(vec![shared], Orientations::All);
        let known: &Entries = entries;
        batch::each(
            &Files::of(self.check_against.clone()),
            |_, file| {
                let fingerprint = intake::fingerprint_of(file, &Limits::default(), &wanted)?;
                Ok(Some(culprits_of(&lookup, &fingerprint, known)))
            },
            |_, _| None,
            |path, found| {
                pictures += 1;
                let Some((found, by_chance)) = found else {
                    unread += 1;
                    return Ok(());
                };
                if by_chance {
                    remark(&format!("  {}: matches by chance, of no entry's doing", path.display()));
                }
                for signal in found {
                    complain(&format!("clean picture {}: {signal} would hold it", path.display()));
                    culprits.entry(signal).or_insert_with(|| path.to_owned());
                }
                Ok(())
            },
        )?;
        remark(&format!(
            "checked against {pictures} clean files ({unread} of them couldn't be read): {} entries would hold one",
            culprits.len()
        ));
        match suspect {
            Suspect::Refuse if !culprits.is_empty() => bail!(
                "--check-against: expected no entry that holds a clean picture, got {}; leave them out with --suspect \
                 leave-out, or with --exclude",
                culprits.len()
            ),
            Suspect::LeaveOut => {
                entries.pdq.retain(|hash| !culprits.contains_key(&Signal::Pdq(*hash)));
                entries.sha256.retain(|digest| !culprits.contains_key(&Signal::Sha256(*digest)));
                entries.md5.retain(|digest| !culprits.contains_key(&Signal::Md5(*digest)));
                remark(&format!("  left out: {} entries that would hold a clean picture", culprits.len()));
            }
            Suspect::Report | Suspect::Refuse => {}
        }
        Ok(())
    }
}

/// Returns the entries that a picture matches, and whether the picture matches only by chance (it matches, but no entry
/// is the reason).
fn culprits_of(lookup: &Lookup, fingerprint: &Fingerprint, entries: &Entries) -> (Vec<Signal>, bool) {
    let mut found = Vec::new();
    let digests = [
        fingerprint.sha256.filter(|digest| entries.sha256.binary_search(digest).is_ok()).map(Signal::Sha256),
        fingerprint.md5.filter(|digest| entries.md5.binary_search(digest).is_ok()).map(Signal::Md5),
    ];
    found.extend(digests.into_iter().flatten());
    let bits = lookup.filters()[0].info().ring_key_bits;
    let mut dismissed: Vec<Dismissed> = Vec::new();
    let mut matched = false;
    while dismissed.len() < MATCHES {
        let verdict = lookup.look_up_past(fingerprint, &dismissed);
        let Outcome::PossibleMatch { matches } = &verdict.outcome else { break };
        matched = true;
        for pdq in matches.iter().filter_map(hashgate::Match::pdq) {
            let same = entries.pdq.iter().filter(|hash| ring_key(hash, pdq.ring, bits) == pdq.ring_key);
            found.extend(same.map(|hash| Signal::Pdq(*hash)));
        }
        let before = dismissed.len();
        dismissed.extend(matches.iter().map(Dismissed::from));
        if dismissed.len() == before {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    let by_chance = matched && found.is_empty();
    (found, by_chance)
}
