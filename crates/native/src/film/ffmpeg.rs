//! Runs `ffmpeg` to decode films. hashgate itself reads only the index of a film.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail, ensure};
use hashgate::image::{DecodedBy, FilmKind, film_kind};
use hashgate::pdq::{Luma, LumaBuilder};
use hashgate::views;
use hashgate::{ImageHashes, ViewSet};

/// Oldest major version of ffmpeg that is known to have all options and filters that are used here.
const OLDEST: u32 = 4;
/// Largest side of a frame in pixels.
const MOST_PIXELS: u32 = 1 << 14;

/// The `ffmpeg` of the system.
#[derive(Debug, Clone)]
pub struct Ffmpeg {
    version: String,
    /// Whether this version has the option `-fps_mode`, which replaces `-vsync`.
    has_fps_mode: bool,
}

/// Which frames of a film are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Each keyframe and the 0.45 seconds after it, and one frame at least every four seconds.
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
            // `st(0,…)` keeps the time of the last keyframe in variable 0. A sum is true if one of its terms is, so `+`
            // means "or".
            Self::First => "st(0,if(key,t,ld(0)));key+isnan(prev_selected_t)+gte(t-prev_selected_t,4)\
                 +lte(t-ld(0),0.46)*gte(t-prev_selected_t,0.14)"
                .into(),
            Self::Apart(gap) => format!("isnan(prev_selected_t)+gte(t-prev_selected_t,{gap})"),
            Self::Every(length) => {
                format!("isnan(prev_selected_t)+gt(floor(t/{length}+0.001),floor(prev_selected_t/{length}+0.001))")
            }
        }
    }
}

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

/// The line about one frame that ffmpeg writes to its error output.
struct Shown {
    at_s: f64,
    size: (u32, u32),
    full_range: bool,
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
        Ok(Self { version, has_fps_mode: major >= 6 })
    }

    /// The version, as ffmpeg gives it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Decodes a video track of a film, and passes the frames that `stage` wants to `each`. `head` is the start of the
    /// file, from which the container is recognised. `each` returns whether it wants more frames.
    ///
    /// # Errors
    /// The file is no film, ffmpeg can't be started or can't decode the film to its end, or `each` failed.
    pub fn frames(
        &self,
        path: &Path,
        head: &[u8],
        track: usize,
        stage: Stage,
        mut each: impl FnMut(TakenFrame) -> Result<bool>,
    ) -> Result<()> {
        let demuxer = demuxer(head).context("expected a film, got another file")?;
        let mut file = std::ffi::OsString::from("file:");
        file.push(path);
        // ffmpeg converts frames to one of these formats, of 8 bits per sample, unless they already have one of them.
        let formats = "yuv420p|yuv422p|yuv444p|yuvj420p|yuvj422p|yuvj444p";
        let filters =
            format!("select='{}',format=pix_fmts={formats},showinfo=checksum=0,extractplanes=y", stage.expression());
        let timing: &[&str] =
            if self.has_fps_mode { &["-fps_mode", "passthrough"] } else { &["-vsync", "passthrough"] };
        let mut child = Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "info"])
            // A film can name other files and addresses. ffmpeg must not read addresses, so only the protocol `file` is
            // allowed.
            .args(["-protocol_whitelist", "file", "-f", demuxer, "-i"])
            .arg(file)
            .args(["-map", &format!("0:v:{track}"), "-an", "-sn", "-dn", "-vf", &filters])
            .args(timing)
            .args(["-f", "rawvideo", "-pix_fmt", "gray", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("ffmpeg can't be started")?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (mut pixels, log) = (stdout.context("ffmpeg's output")?, stderr.context("ffmpeg's error output")?);
        let (tell, shown) = mpsc::channel();
        let reader = std::thread::spawn(move || read_log(log, &tell));
        let mut first_size = None;
        let mut result = Ok(());
        while let Ok(Shown { at_s, size, full_range }) = shown.recv() {
            // If the size changes within the film, ffmpeg scales the later frames to the size of the first.
            let (width, height) = *first_size.get_or_insert(size);
            let frame = match read_frame(&mut pixels, width, height, full_range) {
                Ok(Some(luma)) => TakenFrame { at_s, width, height, luma },
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            };
            match each(frame) {
                Ok(true) => {}
                Ok(false) => {
                    let _ = child.kill(); // It may have ended by itself.
                    let _ = child.wait();
                    return Ok(());
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        if result.is_err() {
            let _ = child.kill(); // It may have ended by itself.
        }
        drop(pixels);
        let status = child.wait()?;
        let complaint = reader.join().unwrap_or_default();
        result?;
        ensure!(status.success() && complaint.is_empty(), "ffmpeg {}: {status}; {complaint}", self.version);
        Ok(())
    }
}

/// Returns ffmpeg's name for the file's container. It is given to ffmpeg so that ffmpeg doesn't guess: some containers
/// that it might guess make it read other files.
fn demuxer(head: &[u8]) -> Option<&'static str> {
    Some(match film_kind(head)? {
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
    })
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

/// Reads ffmpeg's error output. Sends what it says about each frame to `tell`, and returns its messages about data that
/// can't be decoded.
fn read_log(log: impl Read, tell: &mpsc::Sender<Shown>) -> String {
    let mut complaints = String::new();
    for line in BufReader::new(log).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(shown) = shown(&line) {
            let _ = tell.send(shown); // Sending fails if enough frames were seen and nobody listens any more.
        } else if is_complaint(&line) && complaints.len() < 400 {
            complaints += line.trim();
            complaints.push(' ');
        }
    }
    complaints.trim_end().to_owned()
}

/// Parses a line that ffmpeg's filter `showinfo` writes for a frame: `[Parsed_showinfo_2 @ 0x…] n: 0 pts: 0 pts_time:0
/// … fmt:yuv420p … s:320x180 …`.
fn shown(line: &str) -> Option<Shown> {
    if !line.starts_with("[Parsed_showinfo") {
        return None;
    }
    let value = |name: &str| line.split_once(name)?.1.split_whitespace().next();
    let at_s = value(" pts_time:")?.parse().ok()?;
    let (width, height) = value(" s:")?.split_once('x')?;
    let full_range = value(" fmt:")?.starts_with("yuvj") || line.contains("color_range:pc");
    Some(Shown { at_s, size: (width.parse().ok()?, height.parse().ok()?), full_range })
}

/// Whether a line says that a part of the film can't be decoded.
fn is_complaint(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    ["error", "invalid", "corrupt", "not found", "unsupported", "could not", "truncated", "matches no streams"]
        .iter()
        .any(|word| lower.contains(word))
        && !line.starts_with("[Parsed_showinfo")
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

    #[test]
    fn a_line_of_showinfo_is_read() {
        let line = "[Parsed_showinfo_2 @ 0x55d] n:   3 pts:  12800 pts_time:1     duration:    512 duration_time:0.04    \
             fmt:yuv420p cl:left sar:1/1 s:320x180 i:P iskey:1 type:I ";
        let read = shown(line).unwrap();
        assert_eq!((read.at_s, read.size, read.full_range), (1.0, (320, 180), false));
        assert!(shown(&line.replace("fmt:yuv420p", "fmt:yuvj420p")).unwrap().full_range);
        assert!(shown("[Parsed_showinfo_2 @ 0x55d] config in time_base: 1/12800").is_none());
    }
}
