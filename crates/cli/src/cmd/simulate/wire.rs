//! A connection whose bytes are counted: HTTP/1.1, as little of it as the server's answers need.

use std::io::Read;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An open connection.
pub struct Wire {
    stream: BufReader<TcpStream>,
    sent: u64,
    /// Bytes that came, heads included.
    pub received: u64,
}

/// What came back.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The entity tag.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Wire {
    /// Connects.
    pub async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), sent: 0, received: 0 })
    }

    /// Bytes both ways.
    pub fn bytes(&self) -> u64 {
        self.sent + self.received
    }

    /// Gets a file, unless it is still the one of this tag; in gzip if the server likes.
    pub async fn get(&mut self, path: &str, tag: Option<&str>) -> Result<Answer> {
        let condition = tag.map(|tag| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip");
        let answer = self.exchange(&format!("{head}\r\n{condition}\r\n")).await?;
        ensure!(matches!(answer.status, 200 | 304), "{path}: expected status 200 or 304, got {}", answer.status);
        Ok(answer)
    }

    /// Asks one question.
    pub async fn confirm(&mut self, question: &str) -> Result<Value> {
        let head = "POST /v1/confirm HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        let answer = self.exchange(&format!("{head}\r\nContent-Length: {}\r\n\r\n{question}", question.len())).await?;
        ensure!(answer.status == 200, "/v1/confirm: expected status 200, got {}", answer.status);
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// A number of `/metrics`.
    pub async fn metric(&mut self, name: &str) -> Result<f64> {
        let text = String::from_utf8(self.get("/metrics", None).await?.body)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("/metrics: expected {name}, got none"))
    }

    async fn exchange(&mut self, request: &str) -> Result<Answer> {
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        self.sent += request.len() as u64;
        let (mut status, mut etag, mut length, mut chunked, mut packed) = (None, None, 0, false, false);
        loop {
            let line = self.line().await?;
            match line.trim_end().split_once(": ") {
                _ if line == "\r\n" => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
                Some((name, value)) if name.eq_ignore_ascii_case("etag") => etag = Some(value.to_owned()),
                Some(("transfer-encoding", "chunked")) => chunked = true,
                Some(("content-encoding", "gzip")) => packed = true,
                None if status.is_none() => status = line.split(' ').nth(1).and_then(|code| code.parse().ok()),
                _ => {}
            }
        }
        let status = status.context("expected a status, got none")?;
        let mut body = Vec::new();
        if chunked {
            loop {
                let length = self.line().await?;
                let length = usize::from_str_radix(length.trim_end(), 16)?;
                self.take(length, &mut body).await?;
                self.line().await?;
                if length == 0 {
                    break;
                }
            }
        } else if status != 304 {
            self.take(length, &mut body).await?;
        }
        if packed {
            let mut plain = Vec::new();
            GzDecoder::new(body.as_slice()).read_to_end(&mut plain)?;
            body = plain;
        }
        Ok(Answer { status, etag, body })
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            bail!("the server closed the connection");
        }
        self.received += line.len() as u64;
        Ok(line)
    }

    async fn take(&mut self, length: usize, body: &mut Vec<u8>) -> Result<()> {
        let start = body.len();
        body.resize(start + length, 0);
        self.stream.read_exact(&mut body[start..]).await?;
        self.received += length as u64;
        Ok(())
    }
}
