//! Makes a delta.

use super::header::{self, Changes, MAX_RICE, Parts};
use super::slices::{State, words};
use crate::filter::FilterInfo;
use crate::filter::header::{CHECKSUM, read as read_filter};
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::digest::Sha256Digest;

/// A delta, and the number of bits that it changes.
#[derive(Debug)]
pub struct Delta {
    /// The file.
    pub bytes: Vec<u8>,
    /// Number of bits that it sets.
    pub set: usize,
    /// Number of bits that it clears.
    pub cleared: usize,
}

/// Makes the delta from one filter file to a later release of it. The same files give the same bytes.
///
/// # Errors
/// `delta-base` if the files have different geometries, or the second is not later.
pub fn write(base: &[u8], file: &[u8]) -> Result<Delta, Refusal> {
    let read = |file| {
        read_filter(file)
            .map_err(|error| RefusalCode::DeltaBase.because("file", "a filter file", &format!("one with {error}")))
    };
    let ((from, from_slices), (to, to_slices)) = (read(base)?, read(file)?);
    let geometry =
        |info: &FilterInfo| format!("k = {}, slices of {} bits, salt {:016x}", info.k, info.slice_bits, info.salt);
    if geometry(&from) != geometry(&to) {
        return Err(RefusalCode::DeltaBase.because("base", &geometry(&to), &geometry(&from)));
    }
    if from.release >= to.release {
        let expected = format!("a release before {}", to.release);
        return Err(RefusalCode::DeltaBase.because("base", &expected, &from.release));
    }
    let slices = [&base[from_slices..base.len() - CHECKSUM], &file[to_slices..file.len() - CHECKSUM]];
    let [set, cleared] = [State::Clear, State::Set].map(|state| gaps(slices, state));
    let [(set_rice, set_gaps), (cleared_rice, cleared_gaps)] = [&set, &cleared].map(|gaps| encode(gaps));
    let bytes = header::write(&Parts {
        from: from.release,
        to: to.release,
        from_sha256: Sha256Digest::of(base),
        to_sha256: Sha256Digest::of(file),
        set: Changes { count: set.len() as u64, rice: set_rice, gaps: &set_gaps },
        cleared: Changes { count: cleared.len() as u64, rice: cleared_rice, gaps: &cleared_gaps },
        new_header: &file[..to_slices],
    });
    Ok(Delta { bytes, set: set.len(), cleared: cleared.len() })
}

/// Returns the gaps between the bits that change from `state` to the other state. A gap is counted in bits of `state`.
fn gaps([old, new]: [&[u8]; 2], state: State) -> Vec<u64> {
    let (mut gaps, mut gap) = (Vec::new(), 0);
    for (mut left, stay) in words(old, state).zip(words(new, state)) {
        let mut changed = left & !stay;
        while changed != 0 {
            let bit = changed & changed.wrapping_neg();
            gaps.push(gap + u64::from((left & (bit - 1)).count_ones()));
            gap = 0;
            left &= !(bit | (bit - 1));
            changed ^= bit;
        }
        gap += u64::from(left.count_ones());
    }
    gaps
}

/// Encodes gaps with the Rice parameter that gives the shortest code (the smaller parameter if two codes are equally
/// short). Returns the parameter and the code.
fn encode(gaps: &[u64]) -> (u32, Vec<u8>) {
    let length = |rice: &u32| gaps.iter().map(|gap| (gap >> rice) + 1 + u64::from(*rice)).sum::<u64>();
    let rice = (0..=MAX_RICE).min_by_key(length).unwrap_or(0);
    let mut code = vec![0u8; length(&rice).div_ceil(8) as usize];
    let mut at = 0;
    let mut put = |bit: bool| {
        code[at / 8] |= u8::from(bit) << (at % 8);
        at += 1;
    };
    for gap in gaps {
        (0..gap >> rice).for_each(|_| put(true));
        put(false);
        (0..rice).for_each(|place| put(gap >> place & 1 == 1));
    }
    (rice, code)
}
