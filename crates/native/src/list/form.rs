//! Detects the form of a list from its content. Ignores the name of the file.

use anyhow::{Result, bail};

use super::builder::Builder;
use super::bytes::Content;
use super::{json, lines, pickle, table, xml};

/// Detects the form, and reads the rows. Returns the form in words.
///
/// # Errors
/// The content is no list.
pub(super) fn read(content: &Content, builder: &mut Builder) -> Result<String> {
    let name = builder.list.path.display().to_string();
    let bytes = &content.bytes;
    let form = if pickle::is_pickle(bytes) {
        pickle::read(bytes, builder)?
    } else {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
                bail!("{name}:{line}: expected UTF-8, got other bytes");
            }
        };
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        match first.as_bytes().first() {
            Some(b'{' | b'[') => json::read(text, builder)?,
            Some(b'<') => xml::read(text, builder)?,
            _ => match lines::shape(text) {
                Some(shape) => lines::read(text, shape, builder),
                None => table::read(text, first, builder)?,
            },
        }
    };
    Ok(match content.wrapping.is_empty() {
        true => form,
        false => format!("{form}, {}", content.wrapping.join(", ")),
    })
}
