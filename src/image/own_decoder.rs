//! HEIC and JPEG XL: the decoders of the crates `hashgate-heic` and `hashgate-jxl`, in native builds. In browsers and in
//! Node the same decoders are wasm of their own, which hand their rows to [`BrowserPicture`] as this module does. So both
//! give the same hashes.

use hashgate_decoder::{Error, Header, Sink};

use super::browser::BrowserPicture;
use super::error::{IntakeError, unreadable};
use super::format::Format;
use super::limits::Limits;
use super::picture::{DecodedBy, Picture};

/// A function that decodes a file.
type Decode = fn(&[u8], &hashgate_decoder::Limits, &mut dyn Sink) -> Result<(), Error>;

/// Reads a file of a format that a decoder of its own reads.
pub(super) fn read(
    (format, decoder): (Format, DecodedBy),
    decode: Decode,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Picture, IntakeError> {
    let most = hashgate_decoder::Limits {
        max_width: limits.max_width,
        max_height: limits.max_height,
        max_pixels: limits.max_pixels,
        max_alloc: limits.max_alloc,
    };
    let mut taken = Taken { format, decoder, limits: *limits, channels: 1, picture: None };
    decode(bytes, &most, &mut taken).map_err(|error| match error {
        Error::Unsupported(_) => {
            let found = format!("a {format} picture ({error})");
            IntakeError::UnsupportedPicture { found, format: Some(format) }
        }
        Error::Unreadable(message) => unreadable(format, message),
        Error::TooLarge { field, limit, got } => IntakeError::TooLarge { field: field.into(), limit, got },
    })?;
    let mut picture = taken.picture.unwrap_or_else(|| Err(unreadable(format, "it has no pixels")))?;
    picture.end_frame(0)?;
    picture.finish()
}

/// Takes the rows of a picture.
struct Taken {
    format: Format,
    decoder: DecodedBy,
    limits: Limits,
    channels: u32,
    picture: Option<Result<BrowserPicture, IntakeError>>,
}

impl Sink for Taken {
    fn begin(&mut self, header: &Header<'_>) -> bool {
        let size = (header.width, header.height);
        self.channels = header.channels;
        let begun = BrowserPicture::new(self.format, size, 1, &self.limits).map(|mut picture| {
            picture.decoded_by(self.decoder);
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
