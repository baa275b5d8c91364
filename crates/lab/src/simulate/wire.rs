//! A connection to the server that counts the bytes on the wire.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, Result, ensure};
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName, IF_NONE_MATCH,
};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// An open connection.
pub struct Wire {
    sender: SendRequest<Full<Bytes>>,
    counts: Arc<Counts>,
}

/// A response of the server.
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The entity tag.
    pub etag: Option<String>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// Counts the bytes of a connection, including the heads of requests and responses.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// Nothing listens at the address.
    pub async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let counts = Arc::<Counts>::default();
        let (sender, connection) = handshake(TokioIo::new(Counted { stream, counts: counts.clone() })).await?;
        tokio::spawn(connection);
        Ok(Self { sender, counts })
    }

    /// Number of bytes received so far.
    pub fn received(&self) -> u64 {
        self.counts.received.load(Ordering::Relaxed)
    }

    /// Number of bytes sent and received so far.
    pub fn bytes(&self) -> u64 {
        self.counts.sent.load(Ordering::Relaxed) + self.received()
    }

    /// Gets a file, unless its entity tag is still `tag`. Accepts gzip, as browsers do.
    ///
    /// # Errors
    /// The server answers with another status than 200 or 304.
    pub async fn get(&mut self, path: &str, tag: Option<&str>) -> Result<Answer> {
        let mut headers = vec![(ACCEPT_ENCODING, "gzip")];
        headers.extend(tag.map(|tag| (IF_NONE_MATCH, tag)));
        let answer = self.exchange("GET", path, &headers, String::new()).await?;
        let expected = matches!(answer.status, StatusCode::OK | StatusCode::NOT_MODIFIED);
        ensure!(expected, "{path}: expected status 200 or 304, got {}", answer.status);
        Ok(answer)
    }

    /// Sends a confirm request and returns the answer.
    ///
    /// # Errors
    /// The server answers with another status than 200.
    pub async fn confirm(&mut self, question: &str) -> Result<Value> {
        let path = "/v1/confirm";
        let answer = self.exchange("POST", path, &[(CONTENT_TYPE, "application/json")], question.to_owned()).await?;
        ensure!(answer.status == StatusCode::OK, "{path}: expected status 200, got {}", answer.status);
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Reads a number of `/metrics`.
    ///
    /// # Errors
    /// There is no such number.
    pub async fn metric(&mut self, name: &str) -> Result<f64> {
        let text = String::from_utf8(self.get("/metrics", None).await?.body)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("/metrics: expected {name}, got none"))
    }

    async fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: String,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::from(body))?).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let text =
            |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = match text(&head.headers, CONTENT_ENCODING).as_deref() {
            Some("gzip") => {
                let mut plain = Vec::new();
                GzDecoder::new(&body[..]).read_to_end(&mut plain)?;
                plain
            }
            _ => body.into(),
        };
        Ok(Answer { status: head.status, etag: text(&head.headers, ETAG), body })
    }
}

/// A stream that counts its bytes.
struct Counted {
    stream: TcpStream,
    counts: Arc<Counts>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.counts.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.counts.sent.fetch_add(count as u64, Ordering::Relaxed);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
