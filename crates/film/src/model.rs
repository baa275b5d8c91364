//! The results of reading a film's index.

use serde::Serialize;

use crate::refusal::FilmRefusal;

/// The kind of file that a film is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Container {
    /// MPEG-4 (ISO/IEC 14496-14), fragmented or not.
    Mp4,
    /// QuickTime.
    Mov,
    /// WebM.
    Webm,
    /// Matroska.
    Mkv,
}

/// The container and the video tracks of a film.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FilmInfo {
    /// The kind of file.
    pub container: Container,
    /// Seconds from 0 to the end of the last frame of any video track. Durations in headers aren't used, because they
    /// can be wrong.
    pub duration_s: f64,
    /// All video tracks, in the order of the file. Tracks of sound, text and data are left out.
    pub tracks: Vec<TrackInfo>,
    /// Number of bytes at the end of the file that this reader doesn't recognise as a part of the film.
    pub unread_bytes: u64,
}

/// One video track.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrackInfo {
    /// The track's number in the file.
    pub id: u32,
    /// The codec as WebCodecs spells it, such as `avc1.64001f`, `vp09.00.31.08` or `vp8`; of a codec that WebCodecs
    /// doesn't know, the name that the file gives it.
    pub codec: String,
    /// Width of the coded picture in pixels, as the index says.
    pub width: u32,
    /// Height of the coded picture in pixels, as the index says.
    pub height: u32,
    /// By how many degrees the picture is to be turned clockwise: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Whether the samples are encrypted.
    pub encrypted: bool,
    /// The number of samples; null in WebM and Matroska, which have no table of them.
    pub samples: Option<u32>,
    /// Number of samples that lie after the end of the file, because it was cut short. They are counted among the
    /// samples, too.
    pub lost_samples: u32,
    /// Seconds at which the first frame is shown.
    pub start_s: f64,
    /// Seconds at which the last frame ends.
    pub end_s: f64,
    /// Why the samples of this track can't be decoded, although the film could be read; null if no reason is known.
    pub problem: Option<FilmRefusal>,
}

/// One coded frame, and its position in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The sample's number in its track, for [`Film::samples`](crate::Film::samples). Numbers rise, but in WebM and
    /// Matroska not by one.
    pub index: u64,
    /// Position in the file at which the frame's bytes begin.
    pub offset: u64,
    /// The number of its bytes.
    pub size: u32,
    /// The time in seconds at which the frame is shown. If the time is below 0, an edit list cuts the frame off.
    pub pts_s: f64,
    /// For how many seconds the frame is shown; 0 if the file doesn't say.
    pub duration_s: f64,
    /// Whether a decoder can begin here.
    pub key: bool,
}
