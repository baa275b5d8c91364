//! Finds the part of a film that moves. In a recording of a screen, a film plays within a picture that stands still.
//!
//! The browser has the same rule (`js/worker/film/motion.ts`). Tests of both read `tests/vectors/film-motion.json`.

use hashgate::pdq::{Luma64, SIDE};

/// A grey level counts as changed by more than this.
const CHANGED: u8 = 6;
/// A place counts as moving if it changed in more than this share of steps.
const MOVING: f64 = 0.15;
/// Seconds from one compared frame to the next, at least.
const STEP_S: f64 = 0.4;
/// The fewest steps from which a moving part is derived.
const FEWEST: u32 = 4;
/// The least side of a part in cells of 64.
const LEAST: usize = 12;
/// The largest share of the frame that a part may have.
const LARGEST: f64 = 0.9;
/// Surroundings with fewer grey levels than this are a border, which a view cuts off already.
const FLAT: u8 = 24;

/// A part of a frame, in shares of its sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Adds up what changes from frame to frame.
#[derive(Debug, Clone)]
pub struct Motion {
    changes: Vec<u32>,
    steps: u32,
    last: Option<(f64, Vec<u8>)>,
}

impl Default for Motion {
    fn default() -> Self {
        Self { changes: vec![0; SIDE * SIDE], steps: 0, last: None }
    }
}

impl Motion {
    /// Takes a frame's reduced picture, shown at `at_s` seconds.
    pub fn add(&mut self, small: &Luma64, at_s: f64) {
        let small: Vec<u8> = small.iter().map(|&value| value as u8).collect();
        if let Some((last_s, last)) = &self.last {
            if at_s - last_s < STEP_S {
                return;
            }
            self.steps += 1;
            for ((count, value), before) in self.changes.iter_mut().zip(&small).zip(last) {
                *count += u32::from(value.abs_diff(*before) > CHANGED);
            }
        }
        self.last = Some((at_s, small));
    }

    /// Returns the part that moves. `None` if that is all of the frame, or nothing to look at.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        let (_, last) = self.last.as_ref().filter(|_| self.steps >= FEWEST)?;
        let moves = |x: usize, y: usize| f64::from(self.changes[y * SIDE + x]) > f64::from(self.steps) * MOVING;
        let (top, bottom) = bounds(|y| (0..SIDE).filter(|&x| moves(x, y)).count())?;
        let (left, right) = bounds(|x| (0..SIDE).filter(|&y| moves(x, y)).count())?;
        let (width, height) = (right - left, bottom - top);
        if width < LEAST || height < LEAST || (width * height) as f64 > LARGEST * (SIDE * SIDE) as f64 {
            return None;
        }
        let is_inside = |at: usize| (left..right).contains(&(at % SIDE)) && (top..bottom).contains(&(at / SIDE));
        let around = || last.iter().enumerate().filter(|(at, _)| !is_inside(*at)).map(|(_, value)| *value);
        if around().max()? - around().min()? < FLAT {
            return None;
        }
        let share = |cells: usize| cells as f64 / SIDE as f64;
        Some(Part { x: share(left), y: share(top), width: share(width), height: share(height) })
    }
}

/// Returns the first and the last place (exclusive) with at least a quarter of the largest count.
fn bounds(count: impl Fn(usize) -> usize) -> Option<(usize, usize)> {
    let counts: Vec<_> = (0..SIDE).map(count).collect();
    // A quarter, rounded up.
    let least = counts.iter().max()?.div_ceil(4).max(1);
    let start = counts.iter().position(|&count| count >= least)?;
    let end = counts.iter().rposition(|&count| count >= least)? + 1;
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_that_the_browser_finds() {
        let text = include_str!("../../../../tests/vectors/film-motion.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let number = |name: &str| case[name].as_u64().unwrap() as usize;
            let window: Vec<usize> = serde_json::from_value(case["window"].clone()).unwrap();
            let (across, down) = (window[0]..window[0] + window[2], window[1]..window[1] + window[3]);
            let mut motion = Motion::default();
            for frame in 0..=number("steps") {
                let mut small: Luma64 = [0.0; SIDE * SIDE];
                for (at, value) in small.iter_mut().enumerate() {
                    let (x, y) = (at % SIDE, at / SIDE);
                    let moves = across.contains(&x) && down.contains(&y);
                    let time = if moves { frame + 1 } else { 0 };
                    let level = x / 2 * 7 + y / 2 * 13 + number("seed") * 31 + time * 97 * (x / 2 + 3 * (y / 2) + 1);
                    let flat = case["flat"] == true && !moves;
                    *value = if flat { 200.0 } else { (level % 256) as f32 };
                }
                motion.add(&small, frame as f64 * case["stepS"].as_f64().unwrap());
            }
            let got = motion.part().map(|part| vec![part.x, part.y, part.width, part.height]);
            let wanted: Option<Vec<f64>> = serde_json::from_value(case["part"].clone()).unwrap();
            assert_eq!(got, wanted, "{}", case["name"]);
        }
    }
}
