//! The descriptions of tracks (RFC 9559, 5.1.4).

use super::ebml::{float, id, inside, unsigned};
use crate::codec;
use crate::limits::MAX_VIDEO_TRACKS;
use crate::refusal::{FilmCode, FilmRefusal};

/// A video track.
pub(super) struct Track {
    pub number: u64,
    pub codec: String,
    pub width: u32,
    pub height: u32,
    pub rotation: u16,
    pub encrypted: bool,
    pub problem: Option<FilmRefusal>,
    /// The bytes with which all samples begin. The blocks leave them out, to save space.
    pub prefix: Vec<u8>,
    /// Nanoseconds that a frame lasts if its block doesn't say; 0 if unknown.
    pub default_duration: u64,
    private: Vec<u8>,
    /// Whether the codec string must be made from the track's first frame.
    pub ask_frame: bool,
}

impl Track {
    pub fn description(&self) -> Option<&[u8]> {
        let wanted = ["avc", "hvc", "hev"].iter().any(|name| self.codec.starts_with(name));
        (wanted && !self.private.is_empty()).then_some(&self.private)
    }

    /// Returns for how many seconds a frame is shown if its block doesn't say: as the track says, or else 1/30.
    pub fn usual_s(&self) -> f64 {
        if self.default_duration == 0 { 1.0 / 30.0 } else { self.default_duration as f64 / 1e9 }
    }
}

/// Reads the video tracks.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Track>, FilmRefusal> {
    let mut tracks: Vec<Track> = Vec::new();
    inside(bytes, |id, content| {
        let found = if id == id::TRACK_ENTRY { entry(content)? } else { None };
        let Some(track) = found else { return Ok(()) };
        if tracks.iter().any(|other| other.number == track.number) {
            return Err(FilmCode::Table.because("TrackNumber", "one of its own for each track", track.number));
        }
        if tracks.len() == MAX_VIDEO_TRACKS {
            return Err(FilmCode::Limit.because("video tracks", &format!("at most {MAX_VIDEO_TRACKS}"), "more"));
        }
        tracks.push(track);
        Ok(())
    })?;
    Ok(tracks)
}

/// Reads a track; `None` if it isn't a video track.
fn entry(bytes: &[u8]) -> Result<Option<Track>, FilmRefusal> {
    const VIDEO: u64 = 1;
    let mut kind = 0;
    let mut name = String::new();
    let mut track = Track {
        number: 0,
        codec: String::new(),
        width: 0,
        height: 0,
        rotation: 0,
        encrypted: false,
        problem: None,
        prefix: Vec::new(),
        default_duration: 0,
        private: Vec::new(),
        ask_frame: false,
    };
    inside(bytes, |id, content| {
        match id {
            id::TRACK_NUMBER => track.number = unsigned(content),
            id::TRACK_TYPE => kind = unsigned(content),
            id::DEFAULT_DURATION => track.default_duration = unsigned(content),
            id::CODEC_ID => name = String::from_utf8_lossy(content).trim_end_matches('\0').to_owned(),
            id::CODEC_PRIVATE => track.private = content.to_vec(),
            id::VIDEO => inside(content, |id, content| {
                match id {
                    id::PIXEL_WIDTH => track.width = unsigned(content).try_into().unwrap_or(u32::MAX),
                    id::PIXEL_HEIGHT => track.height = unsigned(content).try_into().unwrap_or(u32::MAX),
                    id::PROJECTION => inside(content, |id, content| {
                        if id == id::PROJECTION_ROLL {
                            track.rotation = turned(float(content));
                        }
                        Ok(())
                    })?,
                    _ => {}
                }
                Ok(())
            })?,
            id::CONTENT_ENCODINGS => {
                inside(
                    content,
                    |id, content| {
                        if id == id::CONTENT_ENCODING { encoding(content, &mut track) } else { Ok(()) }
                    },
                )?
            }
            _ => {}
        }
        Ok(())
    })?;
    if kind != VIDEO {
        return Ok(None);
    }
    let size = (track.width, track.height);
    let private = &*track.private;
    let codec = match &*name {
        "V_VP8" => Some("vp8".to_owned()),
        "V_VP9" => {
            track.ask_frame = true;
            Some(codec::vp9_frame(&[], size))
        }
        "V_AV1" => Some(codec::av1(private).unwrap_or_else(|| codec::AV1_UNKNOWN.to_owned())),
        "V_MPEG4/ISO/AVC" => codec::avc("avc1", private),
        "V_MPEGH/ISO/HEVC" => codec::hevc("hvc1", private),
        _ => None,
    };
    track.codec = codec.unwrap_or(name);
    Ok(Some(track))
}

/// Reads how the samples are compressed or encrypted (RFC 9559, 5.1.4.1.31).
fn encoding(bytes: &[u8], track: &mut Track) -> Result<(), FilmRefusal> {
    /// The value of `ContentCompAlgo` for samples whose common first bytes are stored in the track.
    const HEADER_STRIPPING: u64 = 3;
    /// The bit of `ContentEncodingScope` that says that the samples are encoded.
    const BLOCKS: u64 = 1;
    let (mut scope, mut compression) = (BLOCKS, None);
    inside(bytes, |id, content| {
        match id {
            id::ENCODING_SCOPE => scope = unsigned(content),
            id::ENCRYPTION => track.encrypted = true,
            id::COMPRESSION => compression = Some(content),
            _ => {}
        }
        Ok(())
    })?;
    let Some(compression) = compression else { return Ok(()) };
    let (mut algorithm, mut settings): (u64, &[u8]) = (0, &[]);
    inside(compression, |id, content| {
        match id {
            id::COMPRESSION_ALGORITHM => algorithm = unsigned(content),
            id::COMPRESSION_SETTINGS => settings = content,
            _ => {}
        }
        Ok(())
    })?;
    if algorithm == HEADER_STRIPPING && scope == BLOCKS && track.prefix.is_empty() {
        track.prefix = settings.to_vec();
    } else {
        let got = format!("algorithm {algorithm}, scope {scope}");
        track.problem = Some(FilmCode::Coding.because("ContentCompression", "none, or stripped headers", got));
    }
    Ok(())
}

/// Returns by how many degrees clockwise a `ProjectionPoseRoll` turns the picture. The roll itself counts
/// counterclockwise.
fn turned(roll: f64) -> u16 {
    match -roll {
        degrees if (45.0..135.0).contains(&degrees) => 90,
        degrees if (-135.0..-45.0).contains(&degrees) => 270,
        degrees if degrees.abs() >= 135.0 => 180,
        _ => 0,
    }
}
