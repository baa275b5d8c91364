//! Reports what changes from the last release to the next one.

use hashgate::Filter;
use hashgate::filter::build::Entries;
use hashgate_native::list::Signal;
use hashgate_native::terminal::remark;

/// Added entries that are shown.
const SHOWN: usize = 10;

/// Says how many entries are added and removed. Shows the first added ones if `shows` is set.
///
/// Hashes can't be read out of the last release's filter, so removed entries are counted but not named. About one added
/// entry in 10^9 seems to be in the filter by chance and isn't counted.
pub fn say(last: &Filter, entries: &Entries, shows: bool) {
    let added = last.missing(entries);
    let info = last.info();
    let counts = [
        ("PDQ", added.pdq.len(), entries.pdq.len(), info.pdq_count),
        ("SHA-256", added.sha256.len(), entries.sha256.len(), info.sha256_count),
        ("MD5", added.md5.len(), entries.md5.len(), info.md5_count),
    ];
    let words: Vec<_> = counts
        .into_iter()
        .filter(|&(_, _, now, before)| now > 0 || before > 0)
        .map(|(kind, added, now, before)| {
            let removed = (before + added as u64).saturating_sub(now as u64);
            format!("{added} {kind} added, {removed} removed")
        })
        .collect();
    remark(&format!("since release {}: {}", info.release, words.join("; ")));
    if shows {
        signals(&added).take(SHOWN).for_each(|signal| remark(&format!("  added: {signal}")));
        if signals(&added).count() > SHOWN {
            remark("  more are added");
        }
    }
}

/// Yields the entries one by one.
pub fn signals(entries: &Entries) -> impl Iterator<Item = Signal> + '_ {
    let pdq = entries.pdq.iter().map(|hash| Signal::Pdq(*hash));
    let sha256 = entries.sha256.iter().map(|digest| Signal::Sha256(*digest));
    pdq.chain(sha256).chain(entries.md5.iter().map(|digest| Signal::Md5(*digest)))
}
