//! Scans the chunks of a PNG. Finds the chunks about colours, and faults about which decoders disagree.

use super::super::animation::Rect;
use super::super::profile::{self, Profile};
use super::super::sample::FrameHead;

/// Largest number of bytes of a chunk that are stored. A compressed profile fits.
const MAX_KEPT: usize = profile::MAX_LENGTH;

/// Scans a file's chunks, in pieces of any length. Keeps the chunks that matter and skips the others.
#[derive(Default)]
pub(super) struct Scan {
    /// The bytes of the signature, or of the current chunk's length and type, that have come so far.
    head: Vec<u8>,
    signature_seen: bool,
    kind: [u8; 4],
    /// Number of bytes of the current chunk, checksum included, that are still to come.
    left: usize,
    kept: Vec<u8>,
    pub found: Found,
}

/// Facts about the file, from the chunks scanned so far.
#[derive(Default)]
pub(super) struct Found {
    colour_type: u8,
    /// Whether the pixels have begun. Chunks about colours must come before them.
    pub pixels_begun: bool,
    pub is_animated: bool,
    /// Whether the type of the end chunk was read.
    pub has_ended: bool,
    /// Whether the end chunk is complete.
    pub ends_well: bool,
    in_pixels: bool,
    palette: Option<usize>,
    has_transparency: bool,
    /// The first rule that the file breaks and because of which decoders may show other pixels.
    pub oddity: Option<&'static str>,
    colour_code: Option<[u8; 4]>,
    icc: Option<Vec<u8>>,
    is_srgb: bool,
    gamma: Option<u32>,
    chromaticities: Option<[u32; 8]>,
}

impl Scan {
    /// Takes the next piece.
    pub(super) fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && !self.found.has_ended {
            if self.left > 0 {
                let (part, rest) = piece.split_at(piece.len().min(self.left));
                if is_kept(self.kind) && self.kept.len() < MAX_KEPT {
                    self.kept.extend_from_slice(part);
                }
                self.left -= part.len();
                piece = rest;
                if self.left == 0 {
                    self.end_chunk();
                }
                continue;
            }
            let (part, rest) = piece.split_at(piece.len().min(8 - self.head.len()));
            self.head.extend_from_slice(part);
            piece = rest;
            if self.head.len() == 8 {
                let head = std::mem::take(&mut self.head);
                if std::mem::replace(&mut self.signature_seen, true) {
                    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
                    self.begin_chunk([head[4], head[5], head[6], head[7]], length);
                }
            }
        }
    }

    fn begin_chunk(&mut self, kind: [u8; 4], length: usize) {
        (self.kind, self.left) = (kind, length.saturating_add(4));
        self.kept.clear();
        let found = &mut self.found;
        let had_pixels = found.pixels_begun;
        match &kind {
            b"IDAT" => {
                if had_pixels && !found.in_pixels {
                    found.odd("its pixels are in two places");
                }
                found.pixels_begun = true;
            }
            b"PLTE" => {
                if found.palette.is_some() || had_pixels || found.has_transparency {
                    found.odd("its palette is in the wrong place");
                }
                found.palette = Some(length);
            }
            b"tRNS" => {
                if found.has_transparency || had_pixels || found.colour_type & 4 != 0 {
                    found.odd("its transparency is in the wrong place");
                }
                found.has_transparency = true;
            }
            b"acTL" if had_pixels => found.odd("its animation is announced too late"),
            b"acTL" => found.is_animated = true,
            b"iCCP" | b"cICP" | b"gAMA" | b"cHRM" | b"sRGB" if had_pixels => {
                found.odd("its colour space is told too late");
            }
            b"iCCP" | b"cICP" | b"gAMA" | b"cHRM" if found.has_told(kind) => {
                found.odd("its colour space is told twice");
            }
            b"IHDR" if length != 13 => found.odd("its header has a wrong length"),
            b"IHDR" | b"IEND" => {}
            [first, ..] if first.is_ascii_uppercase() => found.odd("it has a critical chunk of unknown kind"),
            _ => {}
        }
        found.in_pixels = &kind == b"IDAT";
    }

    fn end_chunk(&mut self) {
        let found = &mut self.found;
        if &self.kind == b"IEND" {
            found.has_ended = true;
            // The end chunk has no data, so its checksum is a constant.
            found.ends_well = self.kept == *b"\xae\x42\x60\x82";
        }
        if found.pixels_begun {
            return;
        }
        let data = &self.kept[..self.kept.len().saturating_sub(4)];
        let numbers = data.as_chunks::<4>().0.iter().map(|number| u32::from_be_bytes(*number));
        match &self.kind {
            b"IHDR" => found.colour_type = data.get(9).copied().unwrap_or(0),
            // Browsers heed the first chunk of a kind.
            kind if found.has_told(*kind) => {}
            b"cICP" => found.colour_code = data.try_into().ok(),
            b"iCCP" => found.icc = Some(std::mem::take(&mut self.kept)),
            b"sRGB" => found.is_srgb = true,
            b"gAMA" => found.gamma = numbers.into_iter().next(),
            b"cHRM" => found.chromaticities = numbers.collect::<Vec<_>>().try_into().ok(),
            _ => {}
        }
    }
}

fn is_kept(kind: [u8; 4]) -> bool {
    matches!(&kind, b"IHDR" | b"cICP" | b"iCCP" | b"gAMA" | b"cHRM" | b"IEND")
}

impl Found {
    fn odd(&mut self, reason: &'static str) {
        self.oddity.get_or_insert(reason);
    }

    /// Returns whether an earlier chunk of this kind has told the colour space.
    fn has_told(&self, kind: [u8; 4]) -> bool {
        match &kind {
            b"iCCP" => self.icc.is_some(),
            b"cICP" => self.colour_code.is_some(),
            b"gAMA" => self.gamma.is_some(),
            b"cHRM" => self.chromaticities.is_some(),
            _ => false,
        }
    }

    /// Returns whether the palette's length is 0, above 768 or no multiple of 3. The `png` crate panics at such a
    /// palette, or refuses the file.
    pub(super) fn has_bad_palette(&self) -> bool {
        self.palette.is_some_and(|length| length % 3 != 0 || length == 0 || length > 768)
    }

    /// Returns how the stored colours are converted. A file may have several chunks about colours; one of them decides,
    /// in a fixed order (PNG specification, third edition, 4.3).
    pub(super) fn profile(&self) -> Profile {
        if let Some([primaries, transfer, ..]) = self.colour_code {
            // Rec. 709, Rec. 601 and Display P3, with transfer curves near that of sRGB (numbers from ITU-T H.273).
            let is_usual = matches!(primaries, 1 | 2 | 5 | 6 | 12) && matches!(transfer, 1 | 2 | 4..=7 | 13 | 14 | 15);
            return if is_usual { Profile::Usual } else { Profile::Unknown };
        }
        if let Some(icc) = &self.icc {
            // The chunk holds a name, a zero, the compression method, the profile and the checksum.
            let start = icc.iter().position(|&byte| byte == 0).map_or(icc.len(), |end| (end + 2).min(icc.len()));
            let packed = &icc[start..icc.len().saturating_sub(4).max(start)];
            return ::fdeflate::decompress_to_vec_bounded(packed, profile::MAX_LENGTH)
                .map_or(Profile::Unknown, |icc| Profile::of(&icc));
        }
        match (self.gamma, self.chromaticities) {
            _ if self.is_srgb => Profile::Usual,
            (Some(1..), Some(chromaticities)) if !are_usual(chromaticities) => Profile::Unknown,
            (Some(gamma @ 1..), _) => Profile::of_gamma(100_000.0 / gamma as f32),
            _ => Profile::Usual,
        }
    }
}

/// Returns whether the chromaticities of white, red, green and blue are near those of sRGB, Display P3 or Adobe RGB.
/// Each is x and y, times 100,000.
fn are_usual(chromaticities: [u32; 8]) -> bool {
    const WHITE: [u32; 2] = [31_270, 32_900];
    const PRIMARIES: [[u32; 6]; 3] = [
        [64_000, 33_000, 30_000, 60_000, 15_000, 6_000],
        [68_000, 32_000, 26_500, 69_000, 15_000, 6_000],
        [64_000, 33_000, 21_000, 71_000, 15_000, 6_000],
    ];
    let near = |numbers: &[u32], usual: &[u32]| numbers.iter().zip(usual).all(|(a, b)| a.abs_diff(*b) < 3_000);
    near(&chromaticities[..2], &WHITE) && PRIMARIES.iter().any(|usual| near(&chromaticities[2..], usual))
}

/// Returns the rectangle and the duration of each frame of an animation, from its `fcTL` chunks.
pub(super) fn frame_heads(bytes: &[u8]) -> Vec<FrameHead> {
    let field = |data: &[u8], at: usize| data[at..].first_chunk().map_or(0, |field| u32::from_be_bytes(*field));
    let of = |data: &[u8]| {
        let rect = Rect { width: field(data, 4), height: field(data, 8), x: field(data, 12), y: field(data, 16) };
        let short = |at: usize| u32::from(u16::from_be_bytes([data[at], data[at + 1]]));
        // A denominator of 0 means 100 (PNG specification, third edition, 11.3.6.2).
        let (numerator, denominator) = (short(20), short(22));
        let duration_ms = 1000 * numerator / if denominator == 0 { 100 } else { denominator };
        FrameHead { rect, duration_ms: if duration_ms <= 10 { 100 } else { duration_ms } }
    };
    chunks(bytes).filter(|(kind, data)| *kind == b"fcTL" && data.len() >= 26).map(|(_, data)| of(data)).collect()
}

/// Returns the file reduced to its header, palette, transparency and first run of pixel chunks. Decoders that skip
/// broken chunks show this picture. Returns `None` if the file has no pixels.
pub(super) fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = bytes.get(..8)?.to_vec();
    let mut rest = &bytes[8..];
    let mut in_pixels = false;
    while let Some((head, data)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let whole = length.saturating_add(12).min(rest.len());
        match &head[4..] {
            b"IDAT" => in_pixels = true,
            // Pixels after another chunk don't count.
            _ if in_pixels => break,
            b"IHDR" | b"tRNS" => {}
            // Like Chromium, drops an incomplete colour at the end of the palette.
            b"PLTE" if (3..=768).contains(&length) && data.len() >= length => {
                let colours = [b"PLTE", &data[..length / 3 * 3]].concat();
                file.extend_from_slice(&((length / 3 * 3) as u32).to_be_bytes());
                file.extend_from_slice(&colours);
                file.extend_from_slice(&crc32(&colours).to_be_bytes());
                rest = &rest[whole..];
                continue;
            }
            _ => {
                rest = &rest[whole..];
                continue;
            }
        }
        file.extend_from_slice(&rest[..whole]);
        rest = &rest[whole..];
    }
    if !in_pixels {
        return None;
    }
    // An end chunk (PNG specification, 11.2.5): length, type and checksum.
    file.extend_from_slice(b"\0\0\0\0IEND\xae\x42\x60\x82");
    Some(file)
}

/// Returns the checksum of a chunk (PNG specification, annex D).
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), step))
}

/// Yields the type of each chunk and its data, cut if the file ends first.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, chunk) = rest.split_first_chunk::<4>()?;
        let (kind, data) = chunk.split_first_chunk::<4>()?;
        // The length counts the data; 4 bytes of checksum follow.
        let end = (u32::from_be_bytes(*length) as usize).checked_add(4);
        rest = end.and_then(|end| data.get(end..)).unwrap_or_default();
        Some((kind, data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, &[0; 4]].concat()
    }

    #[test]
    fn of_two_chunks_about_colours_the_first_counts_and_the_file_is_odd() {
        let kinds: [(&[u8; 4], [&[u8]; 2]); 4] = [
            (b"iCCP", [b"one", b"two"]),
            (b"cICP", [&[1; 4], &[2; 4]]),
            (b"gAMA", [&[0, 0, 0, 1], &[0, 0, 0, 2]]),
            (b"cHRM", [&[1; 32], &[2; 32]]),
        ];
        for (kind, told) in kinds {
            let mut scan = Scan::default();
            scan.push(b"\x89PNG\r\n\x1a\n");
            scan.push(&chunk(b"IHDR", &[0; 13]));
            scan.push(&chunk(kind, told[0]));
            assert_eq!(scan.found.oddity, None);
            scan.push(&chunk(kind, told[1]));
            scan.push(&chunk(b"IDAT", b""));
            let found = scan.found;
            assert_eq!(found.oddity, Some("its colour space is told twice"));
            assert!(found.icc.is_none_or(|icc| icc.starts_with(b"one")));
            assert!(found.colour_code.is_none_or(|code| code == [1; 4]));
            assert!(found.gamma.is_none_or(|gamma| gamma == 1));
            assert!(found.chromaticities.is_none_or(|numbers| numbers == [0x0101_0101; 8]));
        }
    }
}
