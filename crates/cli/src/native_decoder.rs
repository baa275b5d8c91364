//! Makes the second reading of JPEG files with libjpeg-turbo, which most programs that show JPEG files use.
//!
//! PNG, GIF and WebP get no second reading here, because other decoders in Rust use the same code as the first reading.

use anyhow::{Result, ensure};
use hashgate::image::{BrowserPicture, DecodedBy, Format, IntakeError, NotOrdinary, Picture};
use hashgate::{Failure, Fingerprint, ImageHashes, Limits, UncheckedReason, Wanted};
use hashgate_native::contain::contained;
use hashgate_native::open_file::OpenFile;
use mozjpeg::{ColorSpace, Decompress};

/// Bytes of a pixel, both as RGBA and as CMYK.
const PIXEL_BYTES: usize = 4;

/// Adds a second reading to the signals of a JPEG file that decoders may read differently, or that the first decoder
/// found unreadable. Returns any other signals as they are.
///
/// # Errors
/// The file can't be read.
pub fn with_second_reading(
    file: &mut OpenFile,
    limits: &Limits,
    wanted: &Wanted,
    first: Fingerprint,
) -> Result<Fingerprint> {
    // libjpeg doesn't apply colour profiles, so its reading says nothing about colours that a profile changes.
    let by_profile = matches!(
        &first.picture,
        Some(Ok(hashes)) if matches!(hashes.not_ordinary, Some(NotOrdinary::ColourProfile { .. }))
    );
    if by_profile
        || first.needs_second_reading().is_none()
        || format_of(&first) != Some(Format::Jpeg)
        || file.is_too_long()
    {
        return Ok(first);
    }
    let first_failed = matches!(first.picture, Some(Err(_)));
    let second = read(&file.whole()?, limits).map(|mut picture| {
        // libjpeg-turbo fills missing pixels with grey, and this program doesn't get its warning. So if the first
        // decoder couldn't read the file, the second reading is marked as damaged: a match counts, but without a match
        // the file is unreadable.
        picture.damaged =
            first_failed.then(|| "pixels may be missing, because another decoder can't read the file".into());
        ImageHashes::of(&picture, wanted.views)
    });
    Ok(first.with_second_reading(second))
}

fn format_of(fingerprint: &Fingerprint) -> Option<Format> {
    match fingerprint.picture.as_ref()? {
        Ok(hashes) => Some(hashes.format),
        Err(failure) => failure.format,
    }
}

/// Decodes a JPEG file by libjpeg-turbo.
///
/// # Errors
/// The picture is larger than a limit, or libjpeg-turbo refuses the file.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Picture, Failure> {
    // libjpeg reports errors by unwinding.
    match contained(|| decode(bytes, limits)) {
        Ok(Ok(decoded)) => decoded.map_err(Failure::from),
        Ok(Err(error)) => Err(unreadable(&format!("{error:#}"))),
        Err(message) => Err(unreadable(&message)),
    }
}

fn unreadable(message: &str) -> Failure {
    let detail = format!("libjpeg-turbo can't read the file: {message}");
    Failure::new(UncheckedReason::Unreadable, Some(Format::Jpeg), detail)
}

fn decode(bytes: &[u8], limits: &Limits) -> Result<Result<Picture, IntakeError>> {
    let header = Decompress::new_mem(bytes)?;
    let (width, height) = (u32::try_from(header.width())?, u32::try_from(header.height())?);
    let mut picture = match BrowserPicture::new(Format::Jpeg, (width, height), 1, limits) {
        Ok(picture) => picture,
        Err(error) => return Ok(Err(error)),
    };
    let (expected, got) = (limits.max_alloc, u64::from(width) * u64::from(height) * PIXEL_BYTES as u64);
    if got > expected {
        let field = "bytes of memory to decode it".into();
        return Ok(Err(IntakeError::TooLarge { field, limit: expected, got }));
    }
    let is_cmyk = matches!(header.color_space(), ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK);
    let mut started = if is_cmyk { header.to_colorspace(ColorSpace::JCS_CMYK)? } else { header.rgba()? };
    let mut pixels: Vec<[u8; PIXEL_BYTES]> = started.read_scanlines()?;
    ensure!(pixels.len() as u64 * PIXEL_BYTES as u64 == got, "rows: expected all, got some");
    if is_cmyk {
        // Converts CMYK as browsers do: the file stores inverted inks, so each ink is multiplied by black.
        let mixed = |ink: u8, black: u8| ((u16::from(ink) * u16::from(black) + 127) / 255) as u8;
        pixels
            .iter_mut()
            .for_each(|[c, m, y, k]| (*c, *m, *y, *k) = (mixed(*c, *k), mixed(*m, *k), mixed(*y, *k), 255));
    }
    picture.push_rows(pixels.as_flattened());
    let ended = picture.end_frame(0).and_then(|()| picture.finish());
    Ok(ended.map(|picture| Picture { decoded_by: DecodedBy::Native, ..picture }))
}

#[cfg(test)]
mod tests {
    use hashgate::pdq::Coefficients;

    use super::*;

    fn jpeg() -> Vec<u8> {
        let picture = hashgate_testkit::photograph(640, 480, 7);
        let mut bytes = Vec::new();
        jpeg_encoder::Encoder::new(&mut bytes, 85).encode(&picture, 640, 480, jpeg_encoder::ColorType::Rgb).unwrap();
        bytes
    }

    fn hash(picture: &Picture) -> hashgate::pdq::PdqHash {
        Coefficients::of(&picture.frames[0].luma.small).hash()
    }

    #[test]
    fn an_ordinary_file_is_read_as_the_general_decoder_reads_it() {
        let bytes = jpeg();
        let limits = Limits::default();
        let second = read(&bytes, &limits).unwrap();
        assert_eq!((second.width, second.height, second.decoded_by), (640, 480, DecodedBy::Native));
        let first = hashgate::image::read_fully(&bytes, &limits).unwrap();
        assert!(hash(&first).distance(&hash(&second)) <= 2);
    }

    #[test]
    fn what_libjpeg_refuses_is_a_failure_and_not_a_panic() {
        let bytes = jpeg();
        let error = read(&bytes[..20], &Limits::default()).unwrap_err();
        assert_eq!(error.reason, UncheckedReason::Unreadable);
        let error = read(&bytes, &Limits::default().with_max_pixels(1000)).unwrap_err();
        assert_eq!(error.reason, UncheckedReason::TooLarge);
        let error = read(&bytes, &Limits::default().with_max_alloc(1000)).unwrap_err();
        assert_eq!(error.reason, UncheckedReason::TooLarge);
    }

    #[test]
    fn a_file_that_decoders_may_read_differently_gets_a_second_reading() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = Wanted::default().with_pdq(true);
        let limits = Limits::default();
        let mut odd = jpeg();
        // Cuts the file in half, as a broken download would. The second reading must not hide that pixels are missing.
        odd.truncate(odd.len() / 2);
        for (name, bytes, by) in [("ordinary", jpeg(), None), ("odd", odd, Some(DecodedBy::Native))] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let mut file = OpenFile::open(&path, 1 << 20).unwrap();
            let read = crate::intake::fingerprint_of(&mut file, &limits, &wanted).unwrap();
            let hashes = read.picture.unwrap().unwrap();
            assert_eq!((hashes.second_reading_by, hashes.damaged.is_some()), (by, by.is_some()), "{name}");
        }
    }
}
