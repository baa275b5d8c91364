//! Fixed-length hexadecimal, as hash lists write it.

use std::fmt;

use crate::refusal::{Refusal, RefusalCode};

/// Reads exactly `2 * N` hexadecimal digits, upper or lower case. `kind` names the value in refusals.
///
/// # Errors
/// `hex-length`, `hex-digit`.
pub(crate) fn parse<const N: usize>(kind: &str, text: &str) -> Result<[u8; N], Refusal> {
    let got = text.chars().count();
    if got != 2 * N {
        let (expected, got) = (format!("{} hexadecimal digits", 2 * N), format!("{got} characters"));
        return Err(RefusalCode::HexLength.because(kind, &expected, &got));
    }
    let mut bytes = [0; N];
    for (position, found) in text.chars().enumerate() {
        let digit = found.to_digit(16).ok_or_else(|| {
            let got = format!("{found:?} at character {}", position + 1);
            RefusalCode::HexDigit.because(kind, "hexadecimal digits", &got)
        })?;
        bytes[position / 2] = bytes[position / 2] << 4 | digit as u8;
    }
    Ok(bytes)
}

/// Writes `bytes` as lower-case hexadecimal.
pub(crate) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
