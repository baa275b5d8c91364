//! Takes the first file out of a multipart body (RFC 7578), while it arrives, in bounded memory.

use memchr::memmem;

use super::body::Chunks;
use super::spool::{Arrived, Arriving, Spool};
use crate::problem::{Code, Problem};

/// Longest header block of a part in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Largest number of parts that are skipped before the file.
const MAX_PARTS: usize = 100;

/// Reads a body up to the end of its first file.
///
/// A part is a file if it has a file name, or a content type other than text and JSON. If no part has either, the body
/// must have only one part, and this part counts as the file. pict-rs sends files in this way. Browsers send an empty
/// part with an empty file name for an input without a file. Such a part counts only if there is no other file.
///
/// # Errors
/// The body isn't multipart, has no file, or has several parts without a file name and a content type of files. Or the
/// file is too long.
pub async fn first_file(chunks: &mut Chunks, boundary: &str, spool: &Spool) -> Result<Arrived, Problem> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // Begins with an invented line end, so that the first delimiter looks like the others, which follow a line end.
    let mut reader = Reader { chunks, buffer: b"\r\n".to_vec(), delimiter };
    reader.pass_to_delimiter(None).await?;
    let mut unnamed: Option<Arriving> = None;
    let mut no_file: Option<Arriving> = None;
    let mut parts = 0;
    while reader.begins_part().await? {
        let head = reader.head().await?;
        parts += 1;
        if parts > MAX_PARTS {
            return Err(bad(&format!("at most {MAX_PARTS} parts before the file"), "more"));
        }
        let mut arriving = spool.begin();
        reader.pass_to_delimiter(Some(&mut arriving)).await?;
        match head {
            Head { name_is_empty: true, .. } if arriving.is_empty() => no_file = Some(arriving),
            Head { is_file: true, .. } => return arriving.finish().await,
            Head { .. } => unnamed = Some(arriving),
        }
    }
    match no_file.or(unnamed.filter(|_| parts == 1)) {
        Some(arriving) => arriving.finish().await,
        None if parts > 0 => Err(bad("a part with a file name", "several parts without one")),
        None => Err(bad("a part with a file", "none")),
    }
}

fn bad(expected: &str, got: &str) -> Problem {
    Problem::new(Code::Multipart, "body", expected, got)
}

struct Reader<'a> {
    chunks: &'a mut Chunks,
    buffer: Vec<u8>,
    delimiter: Vec<u8>,
}

/// What the headers of a part tell about it.
struct Head {
    is_file: bool,
    /// It has a file name, which is empty.
    name_is_empty: bool,
}

impl Reader<'_> {
    /// Waits for more bytes.
    async fn more(&mut self) -> Result<(), Problem> {
        match self.chunks.next().await? {
            Some(bytes) => self.buffer.extend_from_slice(&bytes),
            None => return Err(bad("a last boundary", "an early end")),
        }
        Ok(())
    }

    /// Reads past the next delimiter. Passes the bytes before the delimiter to `into`.
    async fn pass_to_delimiter(&mut self, mut into: Option<&mut Arriving<'_>>) -> Result<(), Problem> {
        loop {
            let found = memmem::find(&self.buffer, &self.delimiter);
            // Without a delimiter, keeps the last bytes, because they may be the beginning of one.
            let safe = found.unwrap_or((self.buffer.len() + 1).saturating_sub(self.delimiter.len()));
            if let Some(into) = &mut into {
                into.push(&self.buffer[..safe]).await?;
            }
            self.buffer.drain(..safe + found.map_or(0, |_| self.delimiter.len()));
            if found.is_some() {
                return Ok(());
            }
            self.more().await?;
        }
    }

    /// After a delimiter, returns whether a part follows it.
    async fn begins_part(&mut self) -> Result<bool, Problem> {
        loop {
            match memmem::find(&self.buffer, b"\r\n") {
                _ if self.buffer.starts_with(b"--") => return Ok(false),
                Some(end) if self.buffer[..end].iter().all(|byte| matches!(byte, b' ' | b'\t')) => {
                    // Keeps the line end in the buffer: in a part without headers it is the empty line before the
                    // content.
                    self.buffer.drain(..end);
                    return Ok(true);
                }
                Some(_) => return Err(bad("the end of a line after a boundary", "something else")),
                None if self.buffer.len() > MAX_HEAD_BYTES => return Err(bad("a line after a boundary", "none")),
                None => self.more().await?,
            }
        }
    }

    /// Reads the headers of a part.
    async fn head(&mut self) -> Result<Head, Problem> {
        let end = loop {
            match memmem::find(&self.buffer, b"\r\n\r\n") {
                Some(end) if end <= MAX_HEAD_BYTES => break end,
                None if self.buffer.len() <= MAX_HEAD_BYTES => self.more().await?,
                _ => return Err(bad(&format!("headers of at most {MAX_HEAD_BYTES} bytes"), "longer ones")),
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let (mut is_file, mut has_name, mut name_is_empty, mut holds_others) = (false, false, false, false);
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                return Err(bad("headers of a part", "another line"));
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "content-disposition" => {
                    let name = file_name(value);
                    has_name |= name.is_some();
                    name_is_empty |= name.is_some_and(|name| name.trim_matches('"').is_empty());
                }
                "content-type" => {
                    let kind = value.trim().to_ascii_lowercase();
                    holds_others = kind.starts_with("multipart/");
                    is_file |= !kind.starts_with("text/") && !kind.starts_with("application/json");
                }
                "content-transfer-encoding"
                    if !["binary", "8bit", "7bit"].contains(&value.trim().to_ascii_lowercase().as_str()) =>
                {
                    return Err(bad("a part in binary", "another transfer encoding"));
                }
                _ => {}
            }
        }
        // The files in it would look like one file that is not a picture, which may pass. A part with a file name is itself
        // the file: a stored web page has such a type.
        if holds_others && !has_name {
            return Err(bad("a part that is the file", "a part that holds others"));
        }
        Ok(Head { is_file: is_file || has_name, name_is_empty })
    }
}

/// Returns the file name of a content disposition, as it is written.
fn file_name(value: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parameters = value.split(|character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' => return !quoted,
            _ => {}
        }
        false
    });
    let is_file_name = |name: &str| name.eq_ignore_ascii_case("filename") || name.eq_ignore_ascii_case("filename*");
    let mut parameters = parameters.into_iter().filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(name, _)| is_file_name(name.trim())).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a body that arrives in pieces of `step` bytes.
    async fn read(body: &[u8], step: usize) -> Result<Vec<u8>, Problem> {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().into(), 1 << 20, 1 << 20);
        let mut chunks = Chunks::of_pieces(body.chunks(step));
        let mut arrived = first_file(&mut chunks, "XX", &spool).await?;
        Ok(arrived.file.whole().unwrap().to_vec())
    }

    async fn in_all_steps(body: &str) -> Result<String, Problem> {
        let whole = read(body.as_bytes(), body.len()).await;
        for step in 1..body.len() {
            assert_eq!(read(body.as_bytes(), step).await, whole, "pieces of {step}");
        }
        whole.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[tokio::test]
    async fn the_first_file_is_found_however_the_body_arrives() {
        let file = "Content-Disposition: form-data; name=\"f\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg";
        let text = "Content-Disposition: form-data; name=\"; filename=x\"";
        let none =
            "Content-Disposition: form-data; name=\"g\"; filename=\"\"\r\nContent-Type: application/octet-stream";
        for (body, expected) in [
            (format!("--XX\r\n{file}\r\n\r\na\r\n--X\r\n--XY\r\n--XX--\r\n"), "a\r\n--X\r\n--XY"),
            (format!("preamble\r\n--XX\r\n{text}\r\n\r\nword\r\n--XX\r\n{file}\r\n\r\nfile\r\n--XX--"), "file"),
            (format!("--XX  \r\n{file}\r\n\r\none\r\n--XX\r\n{file}\r\n\r\ntwo\r\n--XX--"), "one"),
            (format!("--XX\r\n{text}\r\n\r\nalone\r\n--XX--"), "alone"),
            ("--XX\r\n\r\nno headers\r\n--XX--".into(), "no headers"),
            (format!("--XX\r\n{file}\r\n\r\n\r\n--XX--"), ""),
            (format!("--XX\r\nContent-Type: multipart/related; x=y\r\n{text}; filename=a\r\n\r\nmht\r\n--XX--"), "mht"),
            (format!("--XX\r\n{none}\r\n\r\n\r\n--XX\r\n{file}\r\n\r\nfile\r\n--XX--"), "file"),
            (format!("--XX\r\n{none}\r\n\r\nunnamed\r\n--XX\r\n{file}\r\n\r\nfile\r\n--XX--"), "unnamed"),
            (format!("--XX\r\n{text}\r\n\r\nword\r\n--XX\r\n{none}\r\n\r\n\r\n--XX--"), ""),
        ] {
            assert_eq!(in_all_steps(&body).await.as_deref(), Ok(expected), "{body}");
        }
    }

    #[tokio::test]
    async fn what_is_no_multipart_body_is_refused() {
        let text = "Content-Disposition: form-data; name=\"f\"";
        let two = format!("--XX\r\n{text}\r\n\r\na\r\n--XX\r\n{text}\r\n\r\nb\r\n--XX--");
        let nested = "--XX\r\nContent-Type: multipart/mixed; boundary=YY\r\n\r\n--YY\r\n\r\nfile\r\n--YY--\r\n--XX--";
        let encoded = "--XX\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--XX--";
        for body in [
            "x",
            "--XX--",
            "--XX",
            "--XXa\r\n",
            "--XX\r\n\r\nfile\r\n--X",
            "--XX\r\nbad\r\n\r\nx\r\n--XX--",
            encoded,
            nested,
            &two,
        ] {
            assert_eq!(in_all_steps(body).await.unwrap_err().code(), Code::Multipart, "{body}");
        }
        let long = format!("--XX\r\n{}", "a".repeat(40_000));
        assert_eq!(read(long.as_bytes(), 1000).await.unwrap_err().code(), Code::Multipart);
    }
}
