//! Decodes scans to coefficients (ITU T.81, F.2 and G.2), as libjpeg's `jdhuff.c` and `jdphuff.c` do.

use super::super::dc::Code;
use super::super::frame::{Frame, Scan};
use super::Plane;
use super::bits::{Bits, Faults};

/// Maps zigzag order, in which a JPEG stores coefficients, to their places in the block (T.81, figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// Returns the place in the block of the `index`th coefficient. As in libjpeg, an index above 63 counts as 63.
fn place(index: usize) -> usize {
    ZIGZAG[index.min(63)].into()
}

/// The Huffman tables of a component in a scan. A table that the scan doesn't use may be missing.
pub(super) struct Tables<'a> {
    pub(super) dc: Option<&'a Code>,
    pub(super) ac: Option<&'a Code>,
}

/// The state that a restart resets.
#[derive(Default)]
struct State {
    /// The last DC coefficient of each component of the scan.
    last: [i32; 4],
    /// How many of the next blocks have no new coefficients.
    end_of_band: u32,
}

/// Decodes a scan into `planes`, and returns where it ended.
pub(super) fn decode(
    mut bits: Bits,
    frame: &Frame,
    scan: &Scan,
    tables: &[Tables],
    restart_interval: u32,
    planes: &mut [Plane],
) -> Option<(usize, Faults)> {
    let (columns, rows) = frame.units_of(scan);
    let (mut left, mut restarts) = (restart_interval, 0);
    let mut state = State::default();
    for y in 0..rows {
        for x in 0..columns {
            if restart_interval > 0 && left == 0 {
                bits.restart(restarts);
                (left, restarts, state) = (restart_interval, (restarts + 1) % 8, State::default());
            }
            left = left.wrapping_sub(1);
            if bits.starved {
                bits.faults.missing_from = bits.faults.missing_from.or(Some(y));
                continue;
            }
            bits.faults.missing_from = None;
            for (index, selected) in scan.components.iter().enumerate() {
                let component = &frame.components[selected.component];
                let (across, down) =
                    if scan.components.len() == 1 { (1, 1) } else { (component.across, component.down) };
                let plane = &mut planes[selected.component];
                for v in 0..down {
                    for u in 0..across {
                        let at = (y * down + v) as usize * plane.stride + (x * across + u) as usize;
                        let block = plane.blocks.get_mut(at)?;
                        let tables = tables.get(index)?;
                        match (frame.progressive, scan.first_term, scan.high) {
                            (false, ..) => sequential(&mut bits, tables, &mut state.last[index], block)?,
                            (true, 0, 0) => {
                                let term = difference(&mut bits, tables.dc?, &mut state.last[index]);
                                block[0] = (term << scan.low) as i16;
                            }
                            (true, 0, _) => block[0] |= (bits.take(1) << scan.low) as i16,
                            (true, _, 0) => first(&mut bits, tables.ac?, scan, &mut state, block),
                            (true, ..) => refine(&mut bits, tables.ac?, scan, &mut state, block),
                        }
                    }
                }
            }
        }
    }
    Some(bits.end())
}

/// Reads a difference of DC coefficients and returns the coefficient.
fn difference(bits: &mut Bits, code: &Code, last: &mut i32) -> i32 {
    let size = bits.symbol(code);
    *last = last.wrapping_add(bits.value(size.into()));
    *last
}

/// Reads all coefficients of a block.
fn sequential(bits: &mut Bits, tables: &Tables, last: &mut i32, block: &mut [i16; 64]) -> Option<()> {
    block[0] = difference(bits, tables.dc?, last) as i16;
    let code = tables.ac?;
    let mut index = 1;
    while index < 64 {
        let symbol = bits.symbol(code);
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        index += run;
        if size > 0 {
            bits.faults.damaged |= index > 63;
            block[place(index)] = bits.value(size) as i16;
        } else if run < 15 {
            break;
        }
        index += 1;
    }
    Some(())
}

/// Reads a block's coefficients in the first scan of a band of frequencies.
fn first(bits: &mut Bits, code: &Code, scan: &Scan, state: &mut State, block: &mut [i16; 64]) {
    if state.end_of_band > 0 {
        state.end_of_band -= 1;
        return;
    }
    let (mut index, last) = (usize::from(scan.first_term), usize::from(scan.last_term));
    while index <= last {
        let symbol = bits.symbol(code);
        let (run, size) = (symbol >> 4, u32::from(symbol & 15));
        if size > 0 {
            index += usize::from(run);
            bits.faults.damaged |= index > last;
            block[place(index)] = (bits.value(size) << scan.low) as i16;
        } else if run < 15 {
            state.end_of_band = (1 << run) - 1 + bits.take(run.into()) as u32;
            break;
        } else {
            index += 15;
        }
        index += 1;
    }
}

/// Reads one more bit of each coefficient of a block, in a later scan of a band.
fn refine(bits: &mut Bits, code: &Code, scan: &Scan, state: &mut State, block: &mut [i16; 64]) {
    let (mut index, last) = (usize::from(scan.first_term), usize::from(scan.last_term));
    let bit = 1i16 << scan.low;
    if state.end_of_band == 0 {
        while index <= last {
            let symbol = bits.symbol(code);
            let (mut run, size) = (i32::from(symbol >> 4), symbol & 15);
            let mut new = 0;
            if size > 0 {
                bits.faults.damaged |= size > 1;
                new = if bits.take(1) == 1 { bit } else { -bit };
            } else if run < 15 {
                state.end_of_band = (1 << run) + bits.take(run as u32) as u32;
                break;
            }
            // Skips `run` coefficients that are still zero. Each nonzero coefficient on the way takes one bit, its next
            // lower bit.
            while index <= last {
                let term = &mut block[place(index)];
                if *term != 0 {
                    correct(bits, term, bit);
                } else {
                    run -= 1;
                    if run < 0 {
                        break;
                    }
                }
                index += 1;
            }
            if new != 0 {
                bits.faults.damaged |= index > last;
                block[place(index)] = new;
            }
            index += 1;
        }
    }
    if state.end_of_band > 0 {
        for index in index..=last {
            let term = &mut block[place(index)];
            if *term != 0 {
                correct(bits, term, bit);
            }
        }
        state.end_of_band -= 1;
    }
}

/// Reads one more bit of a coefficient that isn't zero.
fn correct(bits: &mut Bits, term: &mut i16, bit: i16) {
    if bits.take(1) == 1 && *term & bit == 0 {
        *term = term.wrapping_add(if *term >= 0 { bit } else { -bit });
    }
}
