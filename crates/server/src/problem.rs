//! The error answers of the server, as problem documents (RFC 9457).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The content type of a problem document.
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The kinds of problems, as codes for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body isn't JSON.
    Json,
    /// A field's value has the wrong JSON type.
    FieldType,
    /// A field's value has the right type but can't be used.
    FieldValue,
    /// A field is missing.
    MissingField,
    /// A field is unknown.
    UnknownField,
    /// The request has no question, or too many.
    BatchSize,
    /// The request ended early.
    Body,
    /// The request has no token, or an unknown one.
    Token,
    /// The server has nothing at this path.
    NotFound,
    /// The path doesn't take this HTTP method.
    Method,
    /// The request took too long to arrive.
    Timeout,
    /// The request is too long.
    BodySize,
    /// The content type isn't JSON.
    ContentType,
    /// The question has no PDQ hash, and the upstream can only answer questions with one.
    UpstreamNeedsPdq,
    /// The client has used up its rate.
    Rate,
    /// The server has no list.
    NoList,
    /// The upstream didn't answer.
    UpstreamUnavailable,
    /// The file is too long.
    FileSize,
    /// The body is no form with a file.
    Multipart,
    /// The body is compressed.
    ContentEncoding,
    /// The server is already checking as many files as it may check at once.
    Busy,
    /// The disk for files that arrive fails.
    Spool,
}

impl Code {
    /// Every code. A test compares them with `openapi.json`.
    #[cfg(test)]
    pub const ALL: [Self; 22] = [
        Self::Json,
        Self::FieldType,
        Self::FieldValue,
        Self::MissingField,
        Self::UnknownField,
        Self::BatchSize,
        Self::Body,
        Self::Token,
        Self::NotFound,
        Self::Method,
        Self::Timeout,
        Self::BodySize,
        Self::ContentType,
        Self::UpstreamNeedsPdq,
        Self::Rate,
        Self::NoList,
        Self::UpstreamUnavailable,
        Self::FileSize,
        Self::Multipart,
        Self::ContentEncoding,
        Self::Busy,
        Self::Spool,
    ];

    /// Returns the HTTP status, the code as text, the title, and what the client can do.
    fn about(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Json => (StatusCode::BAD_REQUEST, "json", "The body is not JSON", "send JSON in UTF-8"),
            Self::FieldType => {
                (StatusCode::BAD_REQUEST, "field-type", "A value has the wrong type", "send the expected JSON type")
            }
            Self::FieldValue => {
                (StatusCode::BAD_REQUEST, "field-value", "A value cannot be used", "send the expected value")
            }
            Self::MissingField => (StatusCode::BAD_REQUEST, "missing-field", "A field is missing", "add the field"),
            Self::UnknownField => {
                (StatusCode::BAD_REQUEST, "unknown-field", "A field has no meaning", "correct or remove the field")
            }
            Self::BatchSize => {
                (StatusCode::BAD_REQUEST, "batch-size", "Too few or too many questions", "split the questions")
            }
            Self::Body => (StatusCode::BAD_REQUEST, "body", "The request ended early", "send the whole request"),
            Self::Token => {
                (StatusCode::UNAUTHORIZED, "token", "The token is missing or unknown", "send a token of this server")
            }
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "not-found", "Nothing is here", "see /openapi.json for the paths")
            }
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "method", "The path has another method", "see /openapi.json")
            }
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "The request took too long", "send it faster"),
            Self::BodySize => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body-size", "The request is too long", "send fewer questions at once")
            }
            Self::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-type",
                "The content type is not JSON",
                "send content-type: application/json",
            ),
            Self::UpstreamNeedsPdq => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "upstream-needs-pdq",
                "The upstream knows PDQ hashes alone",
                "add the field pdq",
            ),
            Self::Rate => (StatusCode::TOO_MANY_REQUESTS, "rate", "Too many questions", "ask again after a second"),
            Self::NoList => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no-list",
                "This server has no list",
                "give the server one (--list, --filter, --dir; for /v1/confirm also --upstream)",
            ),
            Self::UpstreamUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "upstream-unavailable",
                "The upstream did not answer",
                "ask again after a second",
            ),
            Self::FileSize => {
                (StatusCode::PAYLOAD_TOO_LARGE, "file-size", "The file is too long", "hold it, or raise the limit")
            }
            Self::Multipart => (
                StatusCode::BAD_REQUEST,
                "multipart",
                "The body is no form with a file",
                "send the file alone, or as a part with a file name",
            ),
            Self::ContentEncoding => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-encoding",
                "The body is compressed",
                "send the file as it is",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "As many files as this server takes are being checked",
                "send the file again after a second",
            ),
            Self::Spool => (
                StatusCode::SERVICE_UNAVAILABLE,
                "spool",
                "The file could not be kept while it arrived",
                "make room in the folder that --spool names",
            ),
        }
    }

    /// The code as text.
    #[cfg(test)]
    pub fn name(self) -> &'static str {
        self.about().1
    }
}

/// A problem: why a request has no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    code: Code,
    field: String,
    expected: String,
    got: String,
}

impl Problem {
    /// Makes a problem with a part of the request.
    pub fn new(code: Code, field: &str, expected: &str, got: &str) -> Self {
        Self { code, field: field.into(), expected: expected.into(), got: got.into() }
    }

    /// The kind of problem.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The problem in a sentence.
    pub fn detail(&self) -> String {
        let Self { code, field, expected, got } = self;
        format!("{field}: expected {expected}, got {got}; {}", code.about().3)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let detail = self.detail();
        let Self { code, field, expected, got } = self;
        let (status, code, title, remedy) = code.about();
        let body = json!({
            "type": format!("urn:hashgate:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
            "field": field,
            "expected": expected,
            "got": got,
            "remedy": remedy,
        });
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match status {
            StatusCode::UNAUTHORIZED => {
                _ = headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        (status, headers, body.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn the_reference_has_every_code_with_its_status() {
        let page = include_str!("../../../docs/reference/confirm-api.md");
        for code in Code::ALL {
            let (status, name, ..) = code.about();
            let row = format!("| `{name}` | {} |", status.as_u16());
            assert!(page.contains(&row), "expected a row {row:?} in docs/reference/confirm-api.md");
        }
    }
}
