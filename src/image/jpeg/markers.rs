//! Markers and table segments (ITU T.81, annex B), for all JPEG decoders.

/// Finds the next marker at or after `at`, skipping everything else (entropy-coded data, stuffed bytes, fill bytes), as
/// libjpeg does. Sets `at` to the byte after the marker. Returns `None` at the end of the bytes.
pub(super) fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        *at += bytes[*at..].iter().position(|&byte| byte != 0xff)?;
        *at += 1;
        if bytes[*at - 1] != 0 {
            return Some(bytes[*at - 1]);
        }
    }
}

/// A Huffman table as it is stored (B.2.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HuffmanTable {
    /// Number of codes of each length, 1 to 16 bits.
    pub(super) counts: [u8; 16],
    /// Symbols in the order of their codes.
    pub(super) symbols: Vec<u8>,
}

impl HuffmanTable {
    /// Takes the first table off the content of a DHT segment. Returns its class and number (one byte), and the table.
    /// Returns `None` if the table is longer than the segment or has more than 256 codes.
    pub(super) fn take(segment: &mut &[u8]) -> Option<(u8, Self)> {
        let (&kind, rest) = segment.split_first()?;
        let (&counts, rest) = rest.split_first_chunk::<16>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
        let (symbols, rest) = rest.split_at_checked(total).filter(|_| total <= 256)?;
        *segment = rest;
        Some((kind, Self { counts, symbols: symbols.to_vec() }))
    }
}

/// Takes the first quantization table off the content of a DQT segment (B.2.4.1): its number, and the steps in zigzag
/// order. Returns `None` if the table is longer than the segment, or its number or precision isn't one that T.81
/// allows.
pub(super) fn take_quantization(segment: &mut &[u8]) -> Option<(usize, [u16; 64])> {
    let (&kind, rest) = segment.split_first()?;
    let width = match kind >> 4 {
        0 => 1,
        1 => 2,
        _ => return None,
    };
    let (table, rest) = rest.split_at_checked(64 * width).filter(|_| kind & 15 < 4)?;
    *segment = rest;
    let mut steps = [0; 64];
    for (step, bytes) in steps.iter_mut().zip(table.chunks_exact(width)) {
        *step = bytes.iter().fold(0, |step, &byte| step << 8 | u16::from(byte));
    }
    Some((usize::from(kind & 15), steps))
}

/// Returns the colour transform that Adobe's APP14 segment declares; `None` if the segment isn't Adobe's.
pub(super) fn adobe_transform(segment: &[u8]) -> Option<u8> {
    segment.get(11).copied().filter(|_| segment.starts_with(b"Adobe"))
}

/// Returns whether an APP0 segment is JFIF's.
pub(super) fn is_jfif(segment: &[u8]) -> bool {
    segment.len() >= 14 && segment.starts_with(b"JFIF\0")
}

/// A marker and its segment's content.
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    /// The bytes of the segment after its length; empty if the marker has no segment.
    pub(super) content: &'a [u8],
    /// Whether bytes other than fill bytes lie before the marker, after the place where it was expected.
    pub(super) follows_surplus: bool,
    /// Whether the declared length is below 2 (libjpeg then reads no content), or reaches beyond the end of the file.
    pub(super) is_short: bool,
}

/// Returns the file without the stray markers (markers without a meaning) in the data of its scans. Returns `None` if
/// there are none. Some decoders stop at a stray marker and show the rest of the picture in grey. Others skip it and
/// show the whole picture.
pub(super) fn without_strays(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_stray = |marker: u8| matches!(marker, 0x01..=0xbf | 0xf0..=0xfd);
    let mut kept = Vec::new();
    let (mut segments, mut taken) = (Segments::new(bytes), 0);
    while let Some(segment) = segments.next() {
        if segment.marker != 0xda {
            continue;
        }
        let mut at = segments.at;
        while let Some(marker) = next_marker(bytes, &mut at) {
            if is_stray(marker) {
                kept.extend_from_slice(&bytes[taken..at - 2]);
                taken = at;
            } else if !matches!(marker, 0xd0..=0xd7) {
                at -= 2;
                break;
            }
        }
        segments.at = at;
    }
    (taken > 0).then(|| [&kept, &bytes[taken..]].concat())
}

/// Iterates over the segments of a whole file, as libjpeg finds them.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    /// Position in the file where the next marker is expected.
    pub(super) at: usize,
}

impl<'a> Segments<'a> {
    /// Begins after the start-of-image marker.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 2 }
    }

    pub(super) fn next(&mut self) -> Option<Segment<'a>> {
        let expected = self.bytes.get(self.at..).unwrap_or_default();
        let start = self.at;
        let marker = next_marker(self.bytes, &mut self.at)?;
        let fill = self.at - 1 - start;
        let follows_surplus = expected[..fill].iter().any(|&byte| byte != 0xff);
        let stands_alone = matches!(marker, 0x01 | 0xd0..=0xd9);
        let (mut content, mut is_short) = (&[][..], false);
        if !stands_alone {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let length = rest.first_chunk().map_or(2, |length| usize::from(u16::from_be_bytes(*length)));
            let end = length.max(2).min(rest.len());
            is_short = length < 2 || rest.len() < length.max(2);
            content = rest.get(2..end).unwrap_or_default();
            self.at += end;
        }
        Some(Segment { marker, content, follows_surplus, is_short })
    }
}
