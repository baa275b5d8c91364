//! Runs `ffmpeg` to decode films. hashgate itself reads only the index of a film.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use hashgate::image::{DecodedBy, FilmKind};
use hashgate::pdq::{Luma, LumaBuilder};
use hashgate::views;
use hashgate::{ImageHashes, ViewSet};

use super::index::FilmFile;
use super::log::{self, Shown};
use super::motion::Part;
use super::process::{Running, TimeLimit};

/// The oldest version that is known to have what is asked of it.
const OLDEST: u32 = 4;
/// Largest side of a frame in pixels.
const MOST_PIXELS: u32 = 1 << 14;
/// Longest time in which no frame comes from ffmpeg.
const MOST_SILENCE: Duration = Duration::from_secs(60);
/// Longest time for one pass over a film, unless the user says otherwise.
pub const PASS_LIMIT: Duration = Duration::from_secs(3_600);

/// The `ffmpeg` of the system.
#[derive(Debug, Clone)]
pub struct Ffmpeg {
    version: String,
    /// Whether this version has the option `-fps_mode`, which replaces `-vsync`.
    has_fps_mode: bool,
    limit: Duration,
}

/// Which frames of a film are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Each keyframe and the 0.45 seconds after it, and one frame at least every second. (The browser skips what lies
    /// between; ffmpeg decodes it anyway.)
    First,
    /// Frames that are at least this many seconds apart.
    Apart(f64),
    /// The first frame of each stretch of this many seconds.
    Every(f64),
}

impl Stage {
    /// The expression of ffmpeg's filter `select`.
    fn expression(self) -> String {
        match self {
            // Variable 0 is the time of the last keyframe. A sum is true if one of its parts is.
            Self::First => "st(0,if(key,t,ld(0)));key+isnan(prev_selected_t)+gte(t-prev_selected_t,1)\
                 +lte(t-ld(0),0.46)*gte(t-prev_selected_t,0.14)"
                .into(),
            Self::Apart(gap) => format!("isnan(prev_selected_t)+gte(t-prev_selected_t,{gap})"),
            Self::Every(length) => {
                format!("isnan(prev_selected_t)+gt(floor(t/{length}+0.001),floor(prev_selected_t/{length}+0.001))")
            }
        }
    }
}

/// ffmpeg was ended at its time limit.
#[derive(Debug)]
pub struct TookTooLong {
    whole: Duration,
    silence: Duration,
}

impl std::fmt::Display for TookTooLong {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "ffmpeg: expected an end within {} s (--film-timeout) and no silence of {} s, got none; it was ended",
            self.whole.as_secs_f64(),
            self.silence.as_secs_f64()
        )
    }
}

impl std::error::Error for TookTooLong {}

/// A frame of a film.
pub struct TakenFrame {
    /// The time in seconds at which the frame is shown.
    pub at_s: f64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The frame's luma.
    pub luma: Luma,
}

impl TakenFrame {
    /// Hashes the views of the frame.
    #[must_use]
    pub fn hashes(&self, set: ViewSet) -> ImageHashes {
        ImageHashes::of_frame(self.width, self.height, DecodedBy::Native, views::of(&self.luma, set))
    }
}

impl Ffmpeg {
    /// Finds `ffmpeg` on the PATH and asks for its version.
    ///
    /// # Errors
    /// There is none, or it is too old.
    pub fn find() -> Result<Self> {
        const HOW: &str = "films are decoded by ffmpeg: install it (Debian and Ubuntu: apt install ffmpeg; macOS: brew \
             install ffmpeg; Windows: winget install ffmpeg)";
        let said = Command::new("ffmpeg").args(["-hide_banner", "-version"]).stdin(Stdio::null()).output();
        let said = match said {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
            Ok(output) => bail!("ffmpeg: expected its version, got {}; {HOW}", output.status),
            Err(error) => bail!("ffmpeg: expected one on the PATH, got {error}; {HOW}"),
        };
        Self::of_version(&said).with_context(|| HOW.to_owned())
    }

    fn of_version(said: &str) -> Result<Self> {
        let version = said.split_whitespace().nth(2).unwrap_or_default().to_owned();
        ensure!(said.starts_with("ffmpeg version "), "ffmpeg: expected `ffmpeg version`, got {said:.40}");
        // Development builds are named after a commit, such as `N-109741-gbbe95f7353`. They count as newer than every
        // release.
        let digits =
            version.trim_start_matches('n').split(['.', '-']).next().and_then(|major| major.parse::<u32>().ok());
        let major = digits.unwrap_or(u32::MAX);
        ensure!(major >= OLDEST, "ffmpeg: expected version {OLDEST} or later, got {version}");
        Ok(Self { version, has_fps_mode: major >= 6, limit: PASS_LIMIT })
    }

    /// Sets how long ffmpeg may take for one pass over a film. It is given up earlier if nothing comes for a minute.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The version, as ffmpeg gives it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Decodes a video track of a film, and passes the frames that `stage` wants to `each`. With a part, passes only
    /// that part of each frame. `each` returns whether it wants more frames.
    ///
    /// # Errors
    /// ffmpeg can't be started, can't decode the film to its end or takes too long, or `each` failed.
    pub fn frames(
        &self,
        film: &FilmFile,
        track: usize,
        (stage, part): (Stage, Option<Part>),
        mut each: impl FnMut(TakenFrame) -> Result<bool>,
    ) -> Result<()> {
        let limit = TimeLimit { whole: self.limit, silence: self.limit.min(MOST_SILENCE) };
        let running = Running::start(self.command(film, track, (stage, part)), limit)?;
        let (mut pixels, errors) = running.outputs().context("ffmpeg's output")?;
        let (tell, shown) = mpsc::channel();
        let reader = std::thread::spawn(move || log::read(errors, &tell));
        let mut first_size = None;
        let mut result = Ok(true);
        while let (Ok(true), Ok(Shown { at_s, size, full_range })) = (&result, shown.recv()) {
            // Later frames of another size are scaled by ffmpeg to that of the first.
            let (width, height) = *first_size.get_or_insert(size);
            result = match read_frame(&mut pixels, width, height, full_range) {
                Ok(Some(luma)) => {
                    running.heard();
                    each(TakenFrame { at_s, width, height, luma })
                }
                Ok(None) => break,
                Err(error) => Err(error),
            };
        }
        if !matches!(result, Ok(true)) {
            running.end();
        }
        drop(pixels);
        let status = running.wait()?;
        let complaint = reader.join().unwrap_or_default();
        if running.is_late() {
            return Err(TookTooLong { whole: limit.whole, silence: limit.silence }.into());
        }
        if !result? {
            return Ok(());
        }
        ensure!(status.success() && complaint.is_empty(), "ffmpeg {}: {status}; {complaint}", self.version);
        Ok(())
    }

    /// Makes a film. `arguments` are those of ffmpeg before the output.
    ///
    /// # Errors
    /// ffmpeg can't be started, fails, or takes too long.
    pub fn make(&self, arguments: &[OsString], out: &Path) -> Result<()> {
        /// Most bytes that are kept of what it says.
        const MOST_SAID: u64 = 400;
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"]).args(arguments).arg(out);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let limit = TimeLimit { whole: self.limit, silence: self.limit };
        let running = Running::start(command, limit)?;
        let (_, mut errors) = running.outputs().context("ffmpeg's output")?;
        let mut said = Vec::new();
        (&mut errors).take(MOST_SAID).read_to_end(&mut said)?;
        std::io::copy(&mut errors, &mut std::io::sink())?;
        let status = running.wait()?;
        if running.is_late() {
            return Err(TookTooLong { whole: limit.whole, silence: limit.silence }.into());
        }
        ensure!(status.success(), "ffmpeg {}: {status}; {}", self.version, String::from_utf8_lossy(&said).trim());
        Ok(())
    }

    fn command(&self, film: &FilmFile, track: usize, (stage, part): (Stage, Option<Part>)) -> Command {
        // ffmpeg converts frames to one of these formats, unless they have one of them already.
        let formats = "yuv420p|yuv422p|yuv444p|yuvj420p|yuvj422p|yuvj444p";
        let crop = part.map(|Part { x, y, width, height }| {
            // As the browser rounds it.
            let (x, y) = (format!("floor({x}*iw)"), format!("floor({y}*ih)"));
            let (width, height) =
                (format!("min(ceil({width}*iw)\\,iw-{x})"), format!("min(ceil({height}*ih)\\,ih-{y})"));
            format!("crop=w='{width}':h='{height}':x='{x}':y='{y}':exact=1,")
        });
        let filters = format!(
            "select='{}',format=pix_fmts={formats},{}showinfo=checksum=0,extractplanes=y",
            stage.expression(),
            crop.unwrap_or_default()
        );
        let timing: &[&str] =
            if self.has_fps_mode { &["-fps_mode", "passthrough"] } else { &["-vsync", "passthrough"] };
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]);
        // If this process is killed, it can't end ffmpeg. So ffmpeg also has a limit of its own, in processor time.
        if cfg!(unix) {
            let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
            command.args(["-timelimit", &(self.limit.as_secs().max(1) * threads).to_string()]);
        }
        command.args(input(film));
        command.args(["-map", &format!("0:v:{track}"), "-an", "-sn", "-dn", "-vf", &filters]).args(timing);
        command.args(["-f", "rawvideo", "-pix_fmt", "gray", "-"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Returns the arguments with which ffmpeg reads a film. It reads that file alone: a film may name other files and
/// addresses, and a name may look like an option, an address, or a list of files.
#[must_use]
pub fn input(film: &FilmFile) -> Vec<OsString> {
    let mut file = OsString::from("file:");
    file.push(&film.path);
    let demuxer = demuxer(film.kind, &film.head);
    let mut arguments: Vec<OsString> = ["-protocol_whitelist", "file", "-f", demuxer].map(OsString::from).into();
    if demuxer == "mov" {
        arguments.extend(["-enable_drefs", "0"].map(OsString::from));
    }
    arguments.extend([OsString::from("-i"), file]);
    arguments
}

/// Returns ffmpeg's name for the container, so that ffmpeg doesn't guess it: some of its containers read other files.
fn demuxer(kind: FilmKind, head: &[u8]) -> &'static str {
    match kind {
        FilmKind::Mp4 => "mov",
        FilmKind::Matroska => "matroska",
        FilmKind::Other => match head {
            [b'R', ..] => "avi",
            [b'O', ..] => "ogg",
            [b'F', ..] => "flv",
            [0x30, ..] => "asf",
            [0x47, ..] => "mpegts",
            [0, 0, 1, 0xba, ..] => "mpeg",
            _ => "mpegvideo",
        },
    }
}

/// Reads one frame of luma; `None` at the end.
fn read_frame(pixels: &mut impl Read, width: u32, height: u32, full_range: bool) -> Result<Option<Luma>> {
    let sides = 1..=MOST_PIXELS;
    ensure!(
        sides.contains(&width) && sides.contains(&height),
        "frame: expected at most {MOST_PIXELS} pixels a side, got {width} x {height}"
    );
    let mut builder = LumaBuilder::new(width, height);
    let mut row = vec![0; width as usize];
    for y in 0..height {
        match pixels.read_exact(&mut row) {
            Ok(()) => {}
            Err(_) if y == 0 => return Ok(None),
            Err(error) => return Err(error).context("a frame of ffmpeg"),
        }
        if !full_range {
            // Stretches limited-range brightness, 16 to 235, to 0 to 255 (ITU-R BT.601, 2.5.3).
            for value in &mut row {
                *value = ((u32::from(*value).saturating_sub(16) * 255 + 109) / 219).min(255) as u8;
            }
        }
        builder.push_grey(y, &row);
    }
    Ok(Some(builder.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        let of = |version: &str| Ffmpeg::of_version(&format!("ffmpeg version {version} Copyright (c) 2000-2024"));
        assert!(!of("5.1.9-0+deb12u1").unwrap().has_fps_mode);
        assert!(of("n7.1").unwrap().has_fps_mode);
        assert!(of("N-109741-gbbe95f7353").unwrap().has_fps_mode);
        assert!(of("3.4.11").unwrap_err().to_string().contains("expected version 4 or later, got 3.4.11"));
        assert!(Ffmpeg::of_version("something else").is_err());
    }
}
