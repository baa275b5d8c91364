//! A request's body: in pieces, with a time limit, and the file in it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::multipart;
use super::spool::{Arrived, Spool, too_long};
use crate::problem::{Code, Problem};

/// Longest pause between two pieces of a body. The body is given up after it.
const PAUSE: Duration = Duration::from_secs(10);
/// Time for a body to arrive, in addition to the time that the body takes at `SLOWEST` bytes per second.
const PATIENCE: Duration = Duration::from_secs(20);
const SLOWEST: u64 = 16 * 1024;
/// Largest number of bytes that are still read of a refused body. If the server closed the connection while the client
/// is sending, the client would see a broken connection instead of the answer.
const DRAIN_BYTES: u64 = 8 << 20;

/// The pieces of a body.
pub struct Chunks {
    body: Body,
    start: Instant,
    read: u64,
}

impl Chunks {
    /// Begins to read a body.
    pub fn of(body: Body) -> Self {
        Self { body, start: Instant::now(), read: 0 }
    }

    /// Makes a body that arrives in these pieces.
    #[cfg(test)]
    pub fn of_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let pieces: std::collections::VecDeque<_> = pieces.map(Bytes::copy_from_slice).collect();
        Self::of(Body::new(Pieces(pieces)))
    }

    /// Returns the next piece, or `None` at the end.
    ///
    /// # Errors
    /// The body ended early, or arrives too slowly.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let whole = self.start + PATIENCE + Duration::from_secs(self.read / SLOWEST);
            let until = whole.min(Instant::now() + PAUSE);
            match tokio::time::timeout_at(until, self.body.frame()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    // Skips frames that aren't data. These are trailers, which this server doesn't use.
                    let Ok(data) = frame.into_data() else { continue };
                    self.read += data.len() as u64;
                    return Ok(Some(data));
                }
                Ok(Some(Err(_))) => return Err(Problem::new(Code::Body, "body", "a whole request", "an early end")),
                Err(_) => {
                    let expected = format!(
                        "pauses of at most {} s, and {SLOWEST} bytes per second after {} s",
                        PAUSE.as_secs(),
                        PATIENCE.as_secs()
                    );
                    return Err(Problem::new(Code::Timeout, "body", &expected, "a slower body"));
                }
            }
        }
    }

    /// Reads the rest of the body and drops it, up to `DRAIN_BYTES`. Doesn't begin with a body that the client sends only
    /// when it is asked to (`Expect: 100-continue`).
    pub async fn drain(mut self, headers: &HeaderMap) {
        if self.read == 0 && headers.contains_key(header::EXPECT) {
            return;
        }
        let end = self.read + DRAIN_BYTES;
        let read = async { while self.read < end && matches!(self.next().await, Ok(Some(_))) {} };
        let _ = tokio::time::timeout(PAUSE, read).await;
    }
}

/// Where the file is in a body.
#[derive(Debug, PartialEq)]
pub enum Form {
    /// The body is the file.
    Plain,
    /// The body is multipart with this boundary, and the file is one of its parts.
    Multipart(String),
}

impl Form {
    /// Reads the headers. If there are several content types, a multipart one counts, because pict-rs sends both the
    /// file's type and the body's type. A proxy may have joined them by a comma.
    ///
    /// # Errors
    /// The body is compressed, or multipart in another way than forms are.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        // Refuses compressed bodies, because their bytes would look like a file that is not a picture, which may pass.
        if encodings.into_iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let (expected, got) = ("none, so that the body is the file itself", "a compressed body");
            return Err(Problem::new(Code::ContentEncoding, "content-encoding", expected, got));
        }
        for value in headers.get_all(header::CONTENT_TYPE) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let starts = std::iter::once(0).chain(text.match_indices(',').map(|(comma, _)| comma + 1));
            let mut types = starts.map(|start| text[start..].trim_start());
            let is_multipart = |text: &&str| text.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"));
            let Some(text) = types.find(is_multipart) else { continue };
            let kind = text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
            let boundary = boundary(text).filter(|boundary| (1..=70).contains(&boundary.len()));
            return match boundary {
                Some(boundary) if kind == "multipart/form-data" => Ok(Self::Multipart(boundary)),
                _ => {
                    let (expected, got) =
                        ("multipart/form-data with a boundary of 1 to 70 characters", "another multipart type");
                    Err(Problem::new(Code::Multipart, "content-type", expected, got))
                }
            };
        }
        Ok(Self::Plain)
    }

    /// Reads the file out of a body.
    ///
    /// # Errors
    /// The body has no file, the file is too long, or it doesn't arrive.
    pub async fn receive(&self, chunks: &mut Chunks, spool: &Spool) -> Result<Arrived, Problem> {
        match self {
            Self::Multipart(boundary) => multipart::first_file(chunks, boundary, spool).await,
            Self::Plain => {
                let mut arriving = spool.begin();
                while let Some(piece) = chunks.next().await? {
                    arriving.push(&piece).await?;
                }
                arriving.finish().await
            }
        }
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim();
    let end = |quoted: Option<&str>| match quoted {
        Some(value) => value.split('"').next().map(str::to_owned),
        None => value.split([',', ' ', '\t']).next().map(str::to_owned),
    };
    end(value.strip_prefix('"'))
}

/// Refuses a body whose announced length exceeds the longest file plus the rest of a form.
///
/// # Errors
/// The announced length is too large.
pub fn check_length(headers: &HeaderMap, form: &Form, spool: &Spool) -> Result<(), Problem> {
    /// Room for the other parts and headers of a form.
    const AROUND: u64 = 1 << 20;
    let announced: Option<u64> =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let around = if *form == Form::Plain { 0 } else { AROUND };
    match announced {
        Some(length) if length > spool.max_file_bytes() + around => Err(too_long(spool.max_file_bytes())),
        _ => Ok(()),
    }
}

#[cfg(test)]
struct Pieces(std::collections::VecDeque<Bytes>);

#[cfg(test)]
impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(self.0.pop_front().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(headers: &[(header::HeaderName, &str)]) -> Result<Form, Code> {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| _ = map.append(name, value.parse().unwrap()));
        Form::of(&map).map_err(|problem| problem.code())
    }

    #[test]
    fn the_form_is_told_by_the_headers() {
        use header::{CONTENT_ENCODING, CONTENT_TYPE};
        let multipart = || Ok(Form::Multipart("a-b".into()));
        assert_eq!(form(&[]), Ok(Form::Plain));
        assert_eq!(form(&[(CONTENT_TYPE, "image/jpeg")]), Ok(Form::Plain));
        assert_eq!(form(&[(CONTENT_TYPE, "multipart/form-data; boundary=a-b")]), multipart());
        assert_eq!(form(&[(CONTENT_TYPE, "Multipart/Form-Data; charset=x; Boundary=\"a-b\"")]), multipart());
        let both = [(CONTENT_TYPE, "image/jpeg"), (CONTENT_TYPE, "multipart/form-data; boundary=a-b")];
        assert_eq!(form(&both), multipart());
        for joined in [
            "image/jpeg, multipart/form-data; boundary=a-b",
            "image/jpeg,Multipart/form-data;boundary=\"a-b\"",
            "multipart/form-data; boundary=a-b, image/jpeg",
            "multipart/form-data; boundary=\"a-b\", image/jpeg",
        ] {
            assert_eq!(form(&[(CONTENT_TYPE, joined)]), multipart(), "{joined}");
        }
        for wrong in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a"] {
            assert_eq!(form(&[(CONTENT_TYPE, wrong)]), Err(Code::Multipart), "{wrong}");
        }
        assert_eq!(form(&[(CONTENT_ENCODING, "gzip")]), Err(Code::ContentEncoding));
        assert_eq!(form(&[(CONTENT_ENCODING, "identity")]), Ok(Form::Plain));
    }
}
