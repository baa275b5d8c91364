//! HEIC: the decoder of the crate `hashgate-heic`, in native builds. In browsers and in Node the same decoder is a wasm
//! of its own, which hands its rows to [`BrowserPicture`] as this module does. So both give the same hashes.

use hashgate_heic::{Error, Header, Sink, decode};

use super::browser::BrowserPicture;
use super::error::{IntakeError, unreadable};
use super::format::Format;
use super::limits::Limits;
use super::picture::{DecodedBy, Picture};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, IntakeError> {
    let most = hashgate_heic::Limits {
        max_width: limits.max_width,
        max_height: limits.max_height,
        max_pixels: limits.max_pixels,
        max_alloc: limits.max_alloc,
    };
    let mut taken = Taken { limits: *limits, channels: 1, picture: None };
    decode(bytes, &most, &mut taken).map_err(|error| match error {
        Error::Unsupported(_) => {
            let found = format!("a HEIC picture ({error})");
            IntakeError::UnsupportedPicture { found, format: Some(Format::Heic) }
        }
        Error::Unreadable(message) => unreadable(Format::Heic, message),
        Error::TooLarge { field, limit, got } => IntakeError::TooLarge { field: field.into(), limit, got },
    })?;
    let mut picture = taken.picture.unwrap_or_else(|| Err(unreadable(Format::Heic, "it has no pixels")))?;
    picture.end_frame(0)?;
    picture.finish()
}

/// Takes the rows of a picture.
struct Taken {
    limits: Limits,
    channels: u32,
    picture: Option<Result<BrowserPicture, IntakeError>>,
}

impl Sink for Taken {
    fn begin(&mut self, header: &Header<'_>) -> bool {
        let size = (header.width, header.height);
        self.channels = header.channels;
        let begun = BrowserPicture::new(Format::Heic, size, 1, &self.limits).map(|mut picture| {
            picture.decoded_by(DecodedBy::Heic);
            if let Some(profile) = header.profile {
                picture.note_profile(profile);
            }
            if header.has_sequence {
                picture.note_unread_frames();
            }
            picture
        });
        self.picture.insert(begun).is_ok()
    }

    fn rows(&mut self, samples: &[u8]) {
        if let Some(Ok(picture)) = &mut self.picture {
            picture.push_samples(self.channels, samples);
        }
    }
}
