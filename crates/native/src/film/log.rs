//! Reads what ffmpeg says on its error output: the frames that it passes on, and complaints.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc;

/// Longest line that is read; the rest of a longer one is skipped. A film may hold texts of any length, which ffmpeg
/// prints.
const LONGEST_LINE: u64 = 4096;
/// Most bytes of complaints that are kept.
const MOST_COMPLAINTS: usize = 400;

/// What ffmpeg says of a frame.
#[derive(Debug)]
pub(super) struct Shown {
    /// Seconds at which it is shown.
    pub at_s: f64,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Whether luma uses all levels from 0 to 255.
    pub full_range: bool,
}

/// Sends a message for each frame, and returns ffmpeg's complaints about parts that can't be decoded.
pub(super) fn read(log: impl Read, tell: &mpsc::Sender<Shown>) -> String {
    let mut log = BufReader::new(log);
    let mut complaints = String::new();
    while let Some(line) = next_line(&mut log) {
        if let Some(shown) = shown(&line) {
            let _ = tell.send(shown); // Nobody listens any more if enough was seen.
        } else if is_complaint(&line) && complaints.len() < MOST_COMPLAINTS {
            let words: String = line.trim().chars().take(MOST_COMPLAINTS - complaints.len()).collect();
            complaints += &words;
            complaints.push(' ');
        }
    }
    complaints.trim_end().to_owned()
}

/// Reads a line. Skips the rest of a line that is too long. Returns `None` at the end of the output.
fn next_line(log: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    let read = log.take(LONGEST_LINE).read_until(b'\n', &mut line).ok()?;
    if read == 0 {
        return None;
    }
    if line.last() != Some(&b'\n') {
        log.skip_until(b'\n').ok()?;
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// Reads a line of the filter `showinfo`:
/// `[Parsed_showinfo_2 @ 0x…] [info] n:   0 pts:      0 pts_time:0  … fmt:yuv420p … s:320x180 …`.
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

/// Returns whether a line says that a part of the film can't be decoded. Lines of the level `info` don't count, because
/// they hold texts of the film, such as its title.
fn is_complaint(line: &str) -> bool {
    /// The level that ffmpeg writes before its words.
    const LEVELS: [&str; 4] = ["[warning]", "[error]", "[fatal]", "[panic]"];
    let Some(words) = LEVELS.iter().find_map(|level| line.split_once(level)) else { return false };
    let lower = words.1.to_ascii_lowercase();
    ["error", "invalid", "corrupt", "not found", "unsupported", "could not", "truncated", "matches no streams"]
        .iter()
        .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_showinfo_is_read() {
        let line = "[Parsed_showinfo_2 @ 0x55d] [info] n:   3 pts:  12800 pts_time:1     duration:    512 \
             duration_time:0.04    fmt:yuv420p cl:left sar:1/1 s:320x180 i:P iskey:1 type:I ";
        let read = shown(line).unwrap();
        assert_eq!((read.at_s, read.size, read.full_range), (1.0, (320, 180), false));
        assert!(shown(&line.replace("fmt:yuv420p", "fmt:yuvj420p")).unwrap().full_range);
        assert!(shown("[Parsed_showinfo_2 @ 0x55d] [info] config in time_base: 1/12800").is_none());
    }

    #[test]
    fn what_a_film_says_of_itself_is_no_complaint() {
        let (tell, _shown) = mpsc::channel();
        let title = "[info]     title           : Invalid error, not found\n";
        assert_eq!(read(title.as_bytes(), &tell), "");
        let line = "[h264 @ 0x1] [error] error while decoding MB 3 4\n";
        assert_eq!(read(line.as_bytes(), &tell), line.trim());
    }

    #[test]
    fn noise_is_bounded() {
        let (tell, shown) = mpsc::channel();
        let mut noise = b"[error] invalid ".repeat(1 << 18); // 4 MiB without an end of line
        noise.extend(b"\n[Parsed_showinfo_2 @ 0x1] [info] n: 0 pts_time:7 fmt:yuv420p s:8x8 \n");
        noise.extend(b"[mov @ 0x1] [error] invalid data\n".repeat(1 << 16));
        let complaints = read(&*noise, &tell);
        assert!(complaints.len() <= MOST_COMPLAINTS + 1, "{}", complaints.len());
        assert_eq!(shown.try_recv().unwrap().at_s, 7.0);
    }
}
