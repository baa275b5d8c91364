//! Computes the digests and picture hashes of a file, in as little memory as the kind of file allows.

use anyhow::Result;
use hashgate::image::{IntakeError, StreamingDecoder};
use hashgate::{Failure, Fingerprint, Limits, StreamingFingerprint, Wanted, fingerprint as fingerprint_of_bytes};
use hashgate_native::open_file::OpenFile;

/// Number of bytes at the start of a file that show whether it is a picture.
const HEAD_BYTES: usize = 64 * 1024;

/// Computes the wanted signals of a file.
///
/// A file that decoders may read differently gets a second reading, if a native decoder for its format is built in.
///
/// Reads a JPEG or PNG piece by piece, and any other picture as a whole, unless it is longer than `--max-file-bytes`.
/// If a file is no picture, computes only its digests, piece by piece, whatever its length.
///
/// # Errors
/// The file can't be read.
pub fn fingerprint_of(file: &mut OpenFile, limits: &Limits, wanted: &Wanted) -> Result<Fingerprint> {
    if wanted.pdq
        && let Some(failure) = refused_by_head(file, limits)?
    {
        let digests = streamed(file, limits, &wanted.with_pdq(false))?;
        let digests = digests.expect("digests are computed piece by piece");
        return Ok(Fingerprint { picture: Some(Err(failure)), ..digests });
    }
    let first = first_reading(file, limits, wanted)?;
    #[cfg(feature = "native-decoders")]
    let first = crate::native_decoder::with_second_reading(file, limits, wanted, first)?;
    Ok(first)
}

fn first_reading(file: &mut OpenFile, limits: &Limits, wanted: &Wanted) -> Result<Fingerprint> {
    let turn = file.turn();
    let fingerprint = streamed(file, limits, wanted)?;
    drop(turn);
    match fingerprint {
        Some(known) => Ok(known),
        None => Ok(fingerprint_of_bytes(&file.whole()?, limits, wanted)),
    }
}

/// Returns why a file won't be read as a picture, if its first bytes or its length already show that. The kind of the
/// file counts before its length: a long film is `not-a-picture`, not `too-large`.
pub fn refused_by_head(file: &mut OpenFile, limits: &Limits) -> Result<Option<Failure>> {
    let head = file.head(HEAD_BYTES)?;
    let is_whole = head.len() as u64 == file.length();
    if !is_whole
        && !StreamingDecoder::is_of_use(&head)
        && let Err(error @ IntakeError::NotAPicture { .. }) = hashgate::image::read(&head, limits)
    {
        return Ok(Some(error.into()));
    }
    Ok(file.is_too_long().then(|| {
        let field = "file size in bytes (--max-file-bytes)".into();
        IntakeError::TooLarge { field, limit: file.max_bytes(), got: file.length() }.into()
    }))
}

fn streamed(file: &mut OpenFile, limits: &Limits, wanted: &Wanted) -> Result<Option<Fingerprint>> {
    // The length only says how much memory to reserve.
    let length = usize::try_from(file.length()).unwrap_or(usize::MAX);
    let mut stream = StreamingFingerprint::new(length, limits, wanted);
    file.pieces(|piece| stream.push(piece))?;
    Ok(stream.finish())
}
