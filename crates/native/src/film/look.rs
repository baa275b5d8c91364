//! Looks a film's frames up: first few of them, then more of them if one matched.

use hashgate::check::film::FilmJudge;
use hashgate::{Filter, Fingerprint, Orientations, Outcome, UncheckedReason, ViewSet, look_up};

use super::ffmpeg::{Ffmpeg, Stage, TookTooLong};
use super::index::FilmFile;
use super::motion::{Motion, Part};

/// Seconds between frames of the dense stage.
const DENSE_S: f64 = 0.5;
/// A film that ends so many seconds before its index says was not seen to its end.
const MISSED_S: f64 = 4.0;

/// Looks the frames up in the stages that the browser has, and counts them in `judge`. Returns the outcome if they
/// don't hold the film. Ends as soon as they do.
///
/// The first stage looks at few frames, and at the part that moves if the rest stands still. Only if a frame matched,
/// the dense stage looks at two frames a second in the same way.
pub fn look(ffmpeg: &Ffmpeg, film: &FilmFile, filters: &[Filter], judge: &mut FilmJudge) -> Outcome {
    let tracks = film.tracks.unwrap_or(1);
    let mut parts: Vec<Option<Part>> = vec![None; tracks];
    for stage in [Stage::First, Stage::Apart(DENSE_S - 0.01)] {
        for of_parts in [false, true] {
            for (track, moving) in parts.iter_mut().enumerate() {
                if of_parts && moving.is_none() {
                    continue;
                }
                let mut motion = Motion::default();
                let pass = Pass { ffmpeg, film, filters, track, stage, part: moving.filter(|_| of_parts) };
                let problem = pass.run(judge, &mut motion);
                if judge.is_held() {
                    return Outcome::Clear;
                }
                if let Some(problem) = problem {
                    return problem;
                }
                if stage == Stage::First && !of_parts {
                    *moving = motion.part();
                }
            }
        }
        if judge.matches().is_empty() {
            break;
        }
    }
    if judge.is_all_low_detail() {
        return Outcome::unchecked(
            UncheckedReason::Incomplete,
            "every frame has too little detail for a comparison".into(),
        );
    }
    Outcome::Clear
}

/// One pass of ffmpeg over a track.
struct Pass<'a> {
    ffmpeg: &'a Ffmpeg,
    film: &'a FilmFile,
    filters: &'a [Filter],
    track: usize,
    stage: Stage,
    part: Option<Part>,
}

impl Pass<'_> {
    /// Returns why the track can't be looked at to its end.
    fn run(&self, judge: &mut FilmJudge, motion: &mut Motion) -> Option<Outcome> {
        let mut last_s = f64::NEG_INFINITY;
        let looked = self.ffmpeg.frames(self.film, self.track, (self.stage, self.part), |frame| {
            last_s = last_s.max(frame.at_s);
            motion.add(&frame.luma.small, frame.at_s);
            let picture = Some(Ok(frame.hashes(ViewSet::All)));
            let print = Fingerprint { sha256: None, md5: None, picture };
            judge.add(frame.at_s, &look_up(&print, self.filters, Orientations::All));
            Ok(!judge.is_held())
        });
        if let Err(error) = looked {
            if error.is::<TookTooLong>() {
                return Some(Outcome::unchecked(UncheckedReason::TooLarge, format!("{error:#}")));
            }
            let reason = if last_s.is_finite() || self.film.unreadable.is_some() {
                UncheckedReason::Unreadable
            } else {
                UncheckedReason::UnsupportedFilm
            };
            let why = self.film.unreadable.as_ref().filter(|_| !last_s.is_finite()).unwrap_or(&error);
            return Some(Outcome::unchecked(reason, format!("{why:#}")));
        }
        let is_only = self.film.tracks == Some(1);
        let end = self.film.findings.duration_s.filter(|_| is_only).unwrap_or(last_s);
        (!last_s.is_finite() || end - last_s > MISSED_S).then(|| {
            let detail = format!("frames: expected them up to {end:.1} s, got the last at {last_s:.1} s");
            Outcome::unchecked(UncheckedReason::Unreadable, detail)
        })
    }
}
