//! An HTTP client that also sends slow, broken and malformed requests, which no proper client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use hashgate_testkit::Random;

use crate::Result;

/// The result of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sent {
    /// The server answered with this status.
    Status(u16),
    /// The connection ended without an answer.
    Nothing,
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Nothing => f.write_str("no answer"),
        }
    }
}

/// A connection that stays open for several requests, one after the other.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self(BufReader::new(connect(address)?)))
    }

    /// Checks a file, and returns the status of the answer.
    pub fn check(&mut self, file: &[u8]) -> Result<u16> {
        let stream = self.0.get_mut();
        write!(stream, "POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", file.len())?;
        stream.write_all(file)?;
        self.answer()?.ok_or_else(|| "expected an answer, got the end of the connection".into())
    }

    fn answer(&mut self) -> Result<Option<u16>> {
        let (mut line, mut status, mut length) = (String::new(), None, 0);
        while self.0.read_line(&mut line)? > 0 {
            let text = line.trim_end();
            if text.is_empty() {
                std::io::copy(&mut Read::by_ref(&mut self.0).take(length), &mut std::io::sink())?;
                return Ok(status);
            }
            if status.is_none() {
                status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
            } else if let Some((name, value)) = text.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse()?;
            }
            line.clear();
        }
        Ok(None)
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    Ok(stream)
}

/// Sends a head and a body, well-formed or not. Returns the answer. The server may close the connection at any time.
fn exchange(address: SocketAddr, head: &[u8], body: &[u8]) -> Result<Sent> {
    let mut stream = connect(address)?;
    let _ = stream.write_all(head).and_then(|()| stream.write_all(body));
    let _ = stream.shutdown(Shutdown::Write);
    match Connection(BufReader::new(stream)).answer() {
        Ok(Some(status)) => Ok(Sent::Status(status)),
        _ => Ok(Sent::Nothing),
    }
}

fn head(length: usize, more: &str) -> Vec<u8> {
    format!("POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: {length}{more}\r\n\r\n").into_bytes()
}

/// Checks a file over a new connection.
pub fn once(address: SocketAddr, file: &[u8]) -> Result<Sent> {
    exchange(address, &head(file.len(), ""), file)
}

/// Checks a file that is part of a form.
pub fn form(address: SocketAddr, file: &[u8]) -> Result<Sent> {
    let before = b"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".as_slice();
    let body = [before, file, b"\r\n--X--\r\n"].concat();
    exchange(address, &head(body.len(), "\r\nContent-Type: multipart/form-data; boundary=X"), &body)
}

/// Sends a file in eight pieces, with pauses that add up to `time`.
pub fn slow(address: SocketAddr, file: &[u8], time: Duration) -> Result<Sent> {
    let mut connection = Connection::open(address)?;
    let stream = connection.0.get_mut();
    stream.write_all(&head(file.len(), ""))?;
    for piece in file.chunks(file.len().div_ceil(8)) {
        stream.write_all(piece)?;
        std::thread::sleep(time / 8);
    }
    Ok(connection.answer()?.map_or(Sent::Nothing, Sent::Status))
}

/// Announces `length` bytes, sends only `sent`, and closes the connection without reading an answer.
pub fn broken(address: SocketAddr, sent: &[u8], length: usize) -> Result<Sent> {
    let mut stream = connect(address)?;
    let _ = stream.write_all(&head(length, "")).and_then(|()| stream.write_all(sent));
    Ok(Sent::Nothing)
}

/// Sends random bytes that are no HTTP request.
pub fn noise(address: SocketAddr, random: &mut Random) -> Result<Sent> {
    let bytes: Vec<u8> = (0..1 + random.below(3000)).map(|_| random.bits() as u8).collect();
    exchange(address, &bytes, b"")
}

/// Sends a malformed head. `number` chooses one of ten kinds.
pub fn odd_head(address: SocketAddr, number: usize, file: &[u8]) -> Result<Sent> {
    let plain = |more: &str| head(file.len(), more);
    let head = match number % 10 {
        0 => plain("\r\nContent-Type: multipart/form-data"),
        1 => plain("\r\nContent-Type: multipart/form-data; boundary=X"),
        2 => plain("\r\nContent-Encoding: gzip"),
        3 => plain("\r\nTransfer-Encoding: chunked"),
        4 => plain(&format!("\r\nX-Long: {}", "a".repeat(64 << 10))),
        5 => head(usize::MAX, ""),
        6 => head(0, ""),
        7 => b"POST /v1/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n".to_vec(),
        8 => b"DELETE /v1/check HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        _ => plain("\r\nContent-Length: 3"),
    };
    exchange(address, &head, file)
}
