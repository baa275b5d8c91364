//! Fixed-length hexadecimal, as hash lists write it.

use std::fmt;

/// Why a text is not the hexadecimal that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseHexError {
    /// The text has another length than the value.
    #[error("expected {expected} hexadecimal digits, got {got} characters")]
    Length {
        /// Digits that were expected.
        expected: usize,
        /// Characters that were found.
        got: usize,
    },
    /// A character is not a hexadecimal digit.
    #[error("expected hexadecimal digits, got {found:?} at character {position}")]
    Digit {
        /// The character.
        found: char,
        /// Its position, counted from 1.
        position: usize,
    },
}

/// Reads exactly `2 * N` hexadecimal digits, upper or lower case.
pub(crate) fn parse<const N: usize>(text: &str) -> Result<[u8; N], ParseHexError> {
    let got = text.chars().count();
    if got != 2 * N {
        return Err(ParseHexError::Length { expected: 2 * N, got });
    }
    let mut bytes = [0; N];
    for (position, found) in text.chars().enumerate() {
        let digit = found.to_digit(16).ok_or(ParseHexError::Digit { found, position: position + 1 })?;
        bytes[position / 2] = bytes[position / 2] << 4 | digit as u8;
    }
    Ok(bytes)
}

/// Writes `bytes` as lower-case hexadecimal.
pub(crate) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
