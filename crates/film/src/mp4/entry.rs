//! Reads sample entries, which say with which codec and settings a track's samples are coded (ISO/IEC 14496-12, 8.5.2
//! and 12.1.3).

use super::boxes::{four, inside};
use crate::bytes::{be16, be32};
use crate::codec;
use crate::refusal::FilmRefusal;

/// One sample entry of a track.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Config {
    pub codec: String,
    pub description: Option<Vec<u8>>,
    pub encrypted: bool,
    pub width: u32,
    pub height: u32,
    /// The number of the data reference: the file that holds the samples.
    pub reference: u16,
}

/// Bytes of a visual sample entry before its boxes.
const VISUAL: usize = 78;

/// Reads the sample entries of a video track.
pub(super) fn read(stsd: &[u8]) -> Result<Vec<Config>, FilmRefusal> {
    let mut configs = Vec::new();
    inside(*b"stsd", stsd.get(8..).unwrap_or_default(), |kind, content| {
        configs.push(visual(kind, content)?);
        Ok(())
    })?;
    if configs.is_empty() {
        return Err(super::bad(*b"stsd", "at least one sample entry", "none"));
    }
    Ok(configs)
}

fn visual(kind: [u8; 4], content: &[u8]) -> Result<Config, FilmRefusal> {
    let side = |at| be16(content, at).unwrap_or(0).into();
    let (width, height): (u32, u32) = (side(24), side(26));
    let mut name = kind;
    let mut boxes: Vec<([u8; 4], &[u8])> = Vec::new();
    inside(kind, content.get(VISUAL..).unwrap_or_default(), |kind, content| {
        match &kind {
            // The entry of an encrypted track is called `encv`. `frma` in `sinf` names the codec.
            b"sinf" => inside(kind, content, |kind, content| {
                if let (b"frma", Some(&original)) = (&kind, content.first_chunk()) {
                    name = original;
                }
                Ok(())
            })?,
            b"avcC" | b"hvcC" | b"vpcC" | b"av1C" => boxes.push((kind, content)),
            _ => {}
        }
        Ok(())
    })?;
    let of = |wanted: &[u8; 4]| boxes.iter().find(|(kind, _)| kind == wanted).map(|&(_, content)| content);
    let text = four(name).trim_end().to_owned();
    let codec = match &name {
        b"avc1" | b"avc3" => of(b"avcC").and_then(|config| codec::avc(&text, config)),
        b"avc2" | b"avc4" => of(b"avcC").and_then(|config| codec::avc("avc1", config)),
        b"hvc1" | b"hev1" => of(b"hvcC").and_then(|config| codec::hevc(&text, config)),
        b"dvh1" => of(b"hvcC").and_then(|config| codec::hevc("hvc1", config)),
        b"dvhe" => of(b"hvcC").and_then(|config| codec::hevc("hev1", config)),
        b"vp08" => Some("vp8".to_owned()),
        b"vp09" => of(b"vpcC").and_then(|config| codec::vp9_config("vp09", config.get(4..)?, (width, height))),
        b"av01" => Some(of(b"av1C").and_then(codec::av1).unwrap_or_else(|| codec::AV1_UNKNOWN.to_owned())),
        _ => None,
    };
    let description = of(b"avcC").or_else(|| of(b"hvcC")).map(<[u8]>::to_vec);
    Ok(Config {
        codec: codec.unwrap_or(text),
        description,
        encrypted: kind == *b"encv",
        width,
        height,
        reference: be16(content, 6).unwrap_or(0),
    })
}

/// Returns, for each data reference, whether the samples lie in this same file.
pub(super) fn references(dref: &[u8]) -> Result<Vec<bool>, FilmRefusal> {
    let mut here = Vec::new();
    inside(*b"dref", dref.get(8..).unwrap_or_default(), |_, content| {
        here.push(be32(content, 0).is_some_and(|flags| flags & 1 == 1));
        Ok(())
    })?;
    Ok(here)
}
