//! A film's index, as far as it is read without ffmpeg.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use hashgate::image::{FilmKind, film_kind};
use hashgate_film::Film;
use serde::Serialize;
use serde_json::Value;

/// Bytes from the start of a file that decide whether it is a film.
const HEAD: u64 = 1 << 16;

/// A file that is a film, by its content.
pub struct FilmFile {
    /// Where it is.
    pub path: PathBuf,
    /// What kind of film it is.
    pub kind: FilmKind,
    /// Its first 64 KiB.
    pub head: Vec<u8>,
    /// Its video tracks. `None` if only ffmpeg knows.
    pub tracks: Option<usize>,
    /// Why it can't be decoded, as far as the index says.
    pub problem: Option<String>,
    /// Why the index can't be read. `None` also for a container whose index isn't read at all: any but MP4, QuickTime,
    /// WebM and Matroska.
    pub unreadable: Option<Error>,
    /// The facts that the index gives, and counts of frames.
    pub findings: Findings,
}

/// The facts about a film that a verdict gives, under the names of the JavaScript verdict.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// `mp4` or `webm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Value>,
    /// The codec of the first track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// The length in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Frames that were looked at.
    pub frames: u64,
    /// How many of them have too little detail to be compared.
    pub low_quality: u64,
    /// The program that decodes the frames: always `ffmpeg`.
    pub decoded_by: &'static str,
}

impl FilmFile {
    /// Opens a file. Returns `None` if it is no film.
    #[must_use]
    pub fn open(path: &Path) -> Option<Self> {
        let mut head = Vec::new();
        File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
        let kind = film_kind(&head)?;
        let mut film = Self {
            path: path.to_owned(),
            kind,
            head,
            tracks: None,
            problem: None,
            unreadable: None,
            findings: Findings { decoded_by: "ffmpeg", ..Findings::default() },
        };
        if kind != FilmKind::Other
            && let Err(error) = film.read_index()
        {
            film.unreadable = Some(error);
        }
        Some(film)
    }

    fn read_index(&mut self) -> Result<()> {
        let file = File::open(&self.path)?;
        let size = file.metadata()?.len();
        let info = Film::open(file, size)?.info();
        self.findings.container = serde_json::to_value(info.container).ok();
        self.findings.codec = info.tracks.first().map(|track| track.codec.clone());
        self.findings.duration_s = Some(info.duration_s);
        self.problem = info.tracks.iter().find_map(|track| match &track.problem {
            Some(problem) => Some(problem.to_string()),
            None => track.encrypted.then(|| "the film is encrypted".to_owned()),
        });
        self.tracks = Some(info.tracks.len());
        Ok(())
    }
}
