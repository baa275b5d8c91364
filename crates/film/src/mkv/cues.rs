//! Reads the cues, which give the positions of keyframes (RFC 9559, 5.1.5). Cues may be incomplete: a cluster that they
//! don't name is read all the same.

use super::ebml::{id, inside, unsigned};
use crate::limits::MAX_BLOCKS;
use crate::refusal::FilmRefusal;

/// An entry of the cues: a keyframe's track, time and cluster.
pub(super) struct Cue {
    pub track: u64,
    /// The keyframe's time, in the segment's units of time.
    pub time: u64,
    /// Where the content of the keyframe's cluster begins in the file. Until the clusters are known, where its header
    /// begins.
    pub cluster: u64,
}

/// Reads the cues. Their positions count from `segment`, where the segment's content begins. Ignores damaged cues, as
/// players do.
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
