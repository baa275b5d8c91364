//! The figures of films, and their tables.

use anyhow::Result;
use hashgate_native::terminal::{complain, say};
use serde::Serialize;

use super::chance::Clean;
use super::copies::{Copy, How, Original};
use super::edits::EDITS;
use super::{FRAME_RATE, Found, Lists, Settings};
use crate::eval::figures::percent;

/// How many copies of an edit were found.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Recall {
    pub edit: String,
    pub about: String,
    pub copies: u32,
    /// By our rule, on the list whose frames were chosen by content.
    pub content: u32,
    /// By our rule, on the list of one frame a second.
    pub every_second: u32,
    /// By vPDQ: at least three frames of the copy.
    pub vpdq_three_frames: u32,
    /// By vPDQ: at least 80% of the copy's frames.
    pub vpdq_most_frames: u32,
}

impl Recall {
    fn add(&mut self, found: &Found) {
        self.copies += 1;
        self.content += u32::from(found.content);
        self.every_second += u32::from(found.every_second);
        self.vpdq_three_frames += u32::from(found.vpdq.three_frames);
        self.vpdq_most_frames += u32::from(found.vpdq.most_frames);
    }

    fn counts(&self) -> [u32; 4] {
        [self.content, self.every_second, self.vpdq_three_frames, self.vpdq_most_frames]
    }
}

/// All figures of films.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilmFigures {
    pub seed: u64,
    pub films: usize,
    /// What could not be used, with the reason.
    pub left_out: Vec<String>,
    pub list_size: usize,
    pub rings: u32,
    pub frame_false_positive_rate: f64,
    /// Listed frames: chosen by content, and one a second.
    pub frames: [usize; 2],
    pub edits: Vec<Recall>,
    pub all: Recall,
    pub clean: Clean,
}

impl FilmFigures {
    pub(super) fn of(
        originals: &[Original],
        copies: &[Copy],
        found: &[Found],
        left_out: Vec<String>,
        settings: &Settings,
        lists: &Lists,
        clean: Clean,
    ) -> Self {
        let recall = |name: &str, about: &str| {
            let mut row = Recall { edit: name.into(), about: about.into(), ..Recall::default() };
            copies.iter().zip(found).filter(|(copy, _)| copy.name() == name).for_each(|(_, found)| row.add(found));
            row
        };
        let mut edits: Vec<_> = EDITS.iter().map(|edit| recall(edit.name, edit.about)).collect();
        if let Some(own) = copies.iter().find(|copy| matches!(copy.how, How::Own(_))) {
            edits.push(recall(own.name(), "copies that lie beside the films"));
        }
        edits.retain(|row| row.copies > 0);
        let mut all = Recall { edit: "all".into(), ..Recall::default() };
        found.iter().for_each(|found| all.add(found));
        let count = |frames: &[Vec<_>]| frames.iter().map(Vec::len).sum();
        Self {
            seed: settings.seed,
            films: originals.len(),
            left_out,
            list_size: settings.list_size,
            rings: settings.rings,
            frame_false_positive_rate: FRAME_RATE,
            frames: [count(&lists.content.frames), count(&lists.every_second.frames)],
            edits,
            all,
            clean,
        }
    }

    /// Prints the figures as tables.
    ///
    /// # Errors
    /// The output can't be written.
    pub fn print(&self) -> Result<()> {
        for reason in &self.left_out {
            complain(&format!("left out: {reason}"));
        }
        say(&format!(
            "{} films, {} copies, seed {}; a list of {} hashes, {} rings, false-positive rate {:e} per frame; {} \
             frames chosen by content, {} of one a second",
            self.films,
            self.all.copies,
            self.seed,
            self.list_size,
            self.rings,
            self.frame_false_positive_rate,
            self.frames[0],
            self.frames[1]
        ))?;
        say("")?;
        let columns = ["by content", "every 1 s", "vPDQ, 3 frames", "vPDQ, 80%"];
        let head = columns.map(|column| format!("{column:>16}")).concat();
        say(&format!("{:<20}{:>8}{head}", "found", "copies"))?;
        for row in &self.edits {
            let counts = row.counts().map(|count| format!("{count:>16}")).concat();
            say(&format!("{:<20}{:>8}{counts}", row.edit, row.copies))?;
        }
        let shares = self.all.counts().map(|count| format!("{:>15.1}%", percent(count, self.all.copies))).concat();
        say(&format!("{:<20}{:>8}{shares}", self.all.edit, self.all.copies))?;
        say("")?;
        let keys = ["1 key", "2 keys", "3 keys"].map(|keys| format!("{keys:>16}")).concat();
        say(&format!(
            "{:<12}{:>8}{:>10}{:>8}{:>11}{keys}{:>7}",
            "clean films", "frames", "matched", "films", "keys", "held"
        ))?;
        for row in &self.clean.chance {
            let with = (0..3).map(|at| format!("{:>16}", format!("{} ({:.1})", row.with_keys[at], row.expected[at])));
            let with: String = with.collect();
            say(&format!(
                "{:<12}{:>8}{:>9.2}%{:>8}{:>11.2}{with}{:>7}",
                format!("rate {}", row.rate),
                row.frames,
                percent(row.matched, row.frames),
                row.films,
                row.mean_keys,
                row.held
            ))?;
        }
        say("in brackets: films with so many distinct keys by a Poisson distribution of the same mean")?;
        say(&format!("{} of {} films are held by a list of the others", self.clean.held_by_the_others, self.films))
    }
}
