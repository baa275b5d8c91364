//! A connection whose bytes are counted: HTTP/1.1, as little of it as the server's answers need.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
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

    /// Gets a file, unless it is still the one of this tag.
    pub async fn get(&mut self, path: &str, tag: Option<&str>) -> Result<Answer> {
        let condition = tag.map(|tag| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
        let answer = self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{condition}\r\n")).await?;
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
        let (mut status, mut etag, mut length) = (None, None, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                bail!("the server closed the connection");
            }
            self.received += line.len() as u64;
            match line.trim_end().split_once(": ") {
                _ if line == "\r\n" => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
                Some((name, value)) if name.eq_ignore_ascii_case("etag") => etag = Some(value.to_owned()),
                None if status.is_none() => status = line.split(' ').nth(1).and_then(|code| code.parse().ok()),
                _ => {}
            }
        }
        let status = status.context("expected a status, got none")?;
        let mut body = vec![0; if status == 304 { 0 } else { length }];
        self.stream.read_exact(&mut body).await?;
        self.received += body.len() as u64;
        Ok(Answer { status, etag, body })
    }
}
