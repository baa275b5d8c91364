//! The limits within which a film is read. They are far above what cameras and encoders write.

/// Most bytes of a `moov` box. An hour of film has about 2 MB.
pub const MAX_MOOV_BYTES: u64 = 48 << 20;
/// Most samples of a track: 9 hours at 60 frames per second.
pub const MAX_SAMPLES: u32 = 2_000_000;
/// Most video tracks.
pub const MAX_VIDEO_TRACKS: usize = 4;
/// Most boxes or elements in the outermost level of a file.
pub const MAX_BOXES: u32 = 1_000_000;
/// Most clusters of a WebM or Matroska file: two days at one cluster per second.
pub const MAX_CLUSTERS: usize = 200_000;
/// Most frames of one track in a cluster (36 minutes at 60 frames per second), and most entries of `Cues`.
pub const MAX_BLOCKS: usize = 1 << 17;
/// Most bytes of `Tracks`, the descriptions of tracks in a WebM or Matroska file.
pub const MAX_TRACKS_BYTES: u64 = 16 << 20;
/// Most parts of an edit list that are read; later parts are ignored. Films have one or two.
pub const MAX_EDITS: usize = 8;
