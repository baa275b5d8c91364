//! Spells a codec as WebCodecs wants it, from its configuration in the file.

use std::fmt::Write;

/// Spells H.264 from an `avcC` (ISO/IEC 14496-15, 5.3.3.1).
pub(crate) fn avc(name: &str, config: &[u8]) -> Option<String> {
    let &[1, profile, compatible, level, ..] = config else { return None };
    Some(format!("{name}.{profile:02x}{compatible:02x}{level:02x}"))
}

/// Spells H.265 from an `hvcC` (ISO/IEC 14496-15, annex E.3).
pub(crate) fn hevc(name: &str, config: &[u8]) -> Option<String> {
    let &[1, profile, c0, c1, c2, c3, f0, f1, f2, f3, f4, f5, level, ..] = config else { return None };
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let compatible = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
    let mut text = format!("{name}.{space}{}.{compatible:x}.{tier}{level}", profile & 0x1f);
    let flags = [f0, f1, f2, f3, f4, f5];
    let used = flags.iter().rposition(|&flag| flag != 0).map_or(0, |last| last + 1);
    for flag in &flags[..used] {
        let _ = write!(text, ".{flag:x}"); // Writing to a string doesn't fail.
    }
    Some(text)
}

/// Spells VP9 (or VP8) from a `vpcC` without its version and flags (VP Codec ISO Media File Format Binding, 1.0).
pub(crate) fn vp9_config(name: &str, config: &[u8], size: (u32, u32)) -> Option<String> {
    let &[profile, level, depth, ..] = config else { return None };
    let level = if level == 0 { vp9_level(size) } else { level };
    Some(format!("{name}.{profile:02}.{level:02}.{:02}", depth >> 4))
}

/// Spells VP9 from the first frame of a track (VP9 bitstream specification, 6.2).
pub(crate) fn vp9_frame(frame: &[u8], size: (u32, u32)) -> String {
    let first = frame.first().copied().unwrap_or(0x80);
    let profile = (first >> 5 & 1) | (first >> 4 & 1) << 1;
    // In a keyframe of profile 2 or 3, the three bytes of the sync code are followed by a bit that says whether a
    // sample has 10 or 12 bits.
    let deep = match profile {
        2 => frame.get(4).map(|byte| byte >> 7),
        3 => frame.get(4).map(|byte| byte >> 6 & 1),
        _ => None,
    };
    let depth = match (profile, deep) {
        (0 | 1, _) => 8,
        (_, Some(1)) => 12,
        _ => 10,
    };
    format!("vp09.{profile:02}.{:02}.{depth:02}", vp9_level(size))
}

/// Returns the least level of VP9 that allows a picture of this size (VP9 bitstream specification, annex A).
fn vp9_level((width, height): (u32, u32)) -> u8 {
    const SIZES: [(u64, u8); 9] = [
        (36_864, 10),
        (73_728, 11),
        (122_880, 20),
        (245_760, 21),
        (552_960, 30),
        (983_040, 31),
        (2_228_224, 40),
        (8_912_896, 50),
        (35_651_584, 60),
    ];
    let pixels = u64::from(width) * u64::from(height);
    SIZES.iter().find(|(most, _)| pixels <= *most).map_or(62, |&(_, level)| level)
}

/// Spells AV1 from an `av1C` (AV1 Codec ISO Media File Format Binding, 2.3.3).
pub(crate) fn av1(config: &[u8]) -> Option<String> {
    let &[0x81, first, second, ..] = config else { return None };
    let (profile, level) = (first >> 5, first & 0x1f);
    let tier = if second & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (second & 0x40 != 0, second & 0x20 != 0) {
        (false, _) => 8,
        (true, true) if profile == 2 => 12,
        (true, _) => 10,
    };
    Some(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
}

/// The codec string of AV1 without a configuration: main profile, level 4.0.
pub(crate) const AV1_UNKNOWN: &str = "av01.0.08M.08";
