//! A picture that was read: the luma of its frames, and what a verdict must say about it.

use serde::{Deserialize, Serialize};

use super::caveat::{Caveat, NotOrdinary};
use super::format::Format;
use crate::pdq::Luma;

/// The decoder that turned the bytes into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum DecodedBy {
    /// The low-terms decoder, which reads the block means of a JPEG and its lowest AC terms, and nothing else.
    LowTerms,
    /// The luma-only decoder, which reads the luma of a lossy WebP, and neither its colours nor what its loop filter
    /// does.
    LumaOnly,
    /// The general decoders of this crate, which read every pixel.
    General,
    /// The decoder of HEIC (`hashgate-heic.wasm` in browsers and Node; the same code in native builds).
    Heic,
    /// The decoder of JPEG XL (`hashgate-jxl.wasm` in browsers and Node; the same code in native builds).
    Jxl,
    /// The browser; the core was handed pixels.
    Browser,
    /// A decoder that the host gave to the gate (`decoders`).
    Host,
    /// A C library such as libjpeg-turbo, in native builds.
    Native,
}

/// The colours that a frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Surface {
    /// The colours as stored, transparency ignored (Pillow's `convert("RGB")`).
    Plain,
    /// Composed over white, as a viewer shows it.
    OverWhite,
    /// Composed over black, as a viewer in dark mode shows it.
    OverBlack,
    /// Composed over mid-grey, which gives the mean of the two surfaces above.
    OverGrey,
    /// Composed over a dark grey (38 of 255), the background of many pages in dark mode.
    OverDarkGrey,
    /// The colours that the embedded profile asks for, converted to sRGB.
    Managed,
}

/// One frame of a picture on one surface.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Position in the animation, counted from 0.
    pub index: u32,
    /// The surface whose colours the frame shows.
    pub surface: Surface,
    /// Whether the derived views of this frame are looked up, too. In an animation with many different frames, they are
    /// looked up only for the first 64 of these frames, and for the frames that are always kept (the first, the last,
    /// and long ones).
    pub derived_views: bool,
    /// The reduced luma.
    pub luma: Luma,
}

/// A picture that was read.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The file's format.
    pub format: Format,
    /// Width in pixels as stored, before any EXIF rotation.
    pub width: u32,
    /// Height in pixels as stored.
    pub height: u32,
    /// The decoder that read the file.
    pub decoded_by: DecodedBy,
    /// What this reading could not settle, in no order and without repetition. Caveats that depend on a second reading
    /// are not in here: see [`not_ordinary`](Self::not_ordinary).
    pub caveats: Vec<Caveat>,
    /// Why other decoders may show other pixels; `None` for an ordinary file.
    pub not_ordinary: Option<NotOrdinary>,
    /// Which pixels are missing, as a sentence without its full stop; `None` if no pixel is. The frames hold the pixels
    /// that were read: if they match, the match counts; if not, the file is unreadable.
    pub damaged: Option<String>,
    /// Frames (GIF, APNG, WebP) or pages (TIFF) in the file; 1 for a still picture.
    pub frame_count: u32,
    /// Number of frames at the end of the animation that were not decoded, because the frames before them reached
    /// [`Limits::max_animation_pixels`](super::Limits::max_animation_pixels). So the file as a whole was not checked.
    pub frames_skipped: u32,
    /// At least one frame; frame 0 on the plain surface comes first.
    pub frames: Vec<Frame>,
}

impl Picture {
    /// Makes a picture without caveats.
    pub(super) fn new(
        format: Format,
        (width, height): (u32, u32),
        decoded_by: DecodedBy,
        frame_count: u32,
        frames: Vec<Frame>,
    ) -> Self {
        Self {
            format,
            width,
            height,
            decoded_by,
            caveats: Vec::new(),
            not_ordinary: None,
            damaged: None,
            frame_count,
            frames_skipped: 0,
            frames,
        }
    }

    /// Adds a caveat, unless it is there already.
    pub fn admit(&mut self, caveat: Caveat) {
        if !self.caveats.contains(&caveat) {
            self.caveats.push(caveat);
        }
    }

    /// Notes that decoders may disagree because the file breaks a rule of its format. The caveat stays after a second
    /// reading: what one browser shows says nothing about the others.
    pub(super) fn breaks_a_rule(&mut self, reason: &'static str) {
        self.admit(Caveat::Malformed);
        self.mark_not_ordinary(NotOrdinary::structure(reason));
    }

    /// Notes why decoders may disagree. A reason that leads to a caveat replaces one that doesn't; otherwise the
    /// first reason stays. If it is both the structure and an unknown colour profile, notes the structure and adds the
    /// profile's caveat, which stays after a second reading.
    pub fn mark_not_ordinary(&mut self, reason: NotOrdinary) {
        let unknown_profile = NotOrdinary::ColourProfile { applied: false };
        match (&self.not_ordinary, &reason) {
            (Some(noted), NotOrdinary::Structure(_)) if *noted == unknown_profile => {
                self.admit(Caveat::ColourProfile);
                self.not_ordinary = Some(reason);
                return;
            }
            (Some(NotOrdinary::Structure(_)), marked) if *marked == unknown_profile => {
                return self.admit(Caveat::ColourProfile);
            }
            _ => {}
        }
        if self.not_ordinary.as_ref().is_none_or(|noted| noted.caveat().is_none()) {
            self.not_ordinary = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_structure_does_not_hide_an_unknown_profile() {
        let structure = NotOrdinary::structure("it is odd");
        let profile = |applied| NotOrdinary::ColourProfile { applied };
        let marked = |reasons: [NotOrdinary; 2]| {
            let mut picture = Picture::new(Format::Png, (1, 1), DecodedBy::General, 1, Vec::new());
            reasons.into_iter().for_each(|reason| picture.mark_not_ordinary(reason));
            (picture.not_ordinary.unwrap(), picture.caveats)
        };
        for reasons in [[structure.clone(), profile(false)], [profile(false), structure.clone()]] {
            assert_eq!(marked(reasons), (structure.clone(), vec![Caveat::ColourProfile]));
        }
        for reasons in [[structure.clone(), profile(true)], [profile(true), structure.clone()]] {
            assert_eq!(marked(reasons), (structure.clone(), vec![]));
        }
    }
}
