//! The cues, which name places in the film (RFC 9559, 5.1.5). They are hints: what they leave out is not hidden.

use super::ebml::{id, inside, unsigned};
use crate::limits::MAX_BLOCKS;
use crate::refusal::FilmRefusal;

/// A keyframe as the cues name it.
pub(super) struct Cue {
    pub track: u64,
    /// Its time in units of the segment.
    pub time: u64,
    /// Where the cluster's elements begin in the file; until the clusters are known, where the cluster begins.
    pub cluster: u64,
}

/// Reads the cues. `segment` is where the segment's elements begin, from which the places are counted. Cues that are
/// damaged are ignored, as players do.
pub(super) fn read(bytes: &[u8], segment: u64) -> Vec<Cue> {
    let mut cues = Vec::new();
    let _: Result<(), FilmRefusal> = inside(bytes, |id, content| {
        if id != id::CUE_POINT || cues.len() >= MAX_BLOCKS {
            return Ok(());
        }
        let mut time = 0;
        inside(content, |id, content| {
            match id {
                id::CUE_TIME => time = unsigned(content),
                id::CUE_POSITIONS => {
                    let (mut track, mut place) = (0, 0);
                    inside(content, |id, content| {
                        match id {
                            id::CUE_TRACK => track = unsigned(content),
                            id::CUE_CLUSTER => place = unsigned(content),
                            _ => {}
                        }
                        Ok(())
                    })?;
                    cues.push(Cue { track, time, cluster: segment.saturating_add(place) });
                }
                _ => {}
            }
            Ok(())
        })
    });
    cues
}
