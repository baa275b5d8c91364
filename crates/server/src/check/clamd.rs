//! clamd's protocol, for programs that scan uploads by ClamAV: `man 8 clamd`, "COMMANDS".
//!
//! It answers PING, VERSION, VERSIONCOMMANDS, STATS, INSTREAM, IDSESSION and END. Commands that name files of this
//! machine (SCAN and its kin, FILDES) or control clamd are unknown here.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::judge::{Decision, Judgement};
use crate::log::log;
use crate::metrics::Door;
use crate::problem::{Code, Problem};
use crate::routes::Service;

/// Longest pause of a client within a command. Within a session, a client may pause for longer between two commands.
const PAUSE: Duration = Duration::from_secs(10);
const SESSION_PAUSE: Duration = Duration::from_secs(60);
/// Time for a file to arrive.
const FILE_TIME: Duration = Duration::from_secs(300);
/// Longest command in bytes.
const MAX_COMMAND: usize = 1024;
/// Open connections at most. Further ones wait.
const MAX_CONNECTIONS: usize = 256;
/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
/// Largest number of bytes that are still read of a refused file, so that a client that is still sending sees the
/// reply.
const DRAIN_BYTES: u64 = 8 << 20;

const COMMANDS: &str = "PING VERSION VERSIONCOMMANDS STATS INSTREAM IDSESSION END";

/// Where to listen.
#[derive(Debug, Clone, PartialEq)]
pub enum Address {
    /// An address and port.
    Tcp(SocketAddr),
    /// The path of a socket.
    Socket(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return Ok(Self::Socket(text.into()));
        }
        let expected = || format!("expected an address and port such as 127.0.0.1:3310, or a path, got {text:?}");
        text.parse().map(Self::Tcp).map_err(|_| expected())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// A listener for clients of clamd.
pub enum Listener {
    /// At a port.
    Tcp(TcpListener),
    /// At a socket.
    #[cfg(unix)]
    Socket(tokio::net::UnixListener, PathBuf),
}

/// Begins to listen. Replaces a socket file that a process left behind and that nobody listens at.
///
/// # Errors
/// The address is taken or may not be used.
pub async fn bind(address: &Address) -> std::io::Result<Listener> {
    match address {
        Address::Tcp(address) => Ok(Listener::Tcp(TcpListener::bind(address).await?)),
        #[cfg(unix)]
        Address::Socket(path) => {
            use std::os::unix::fs::FileTypeExt;
            let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
            if is_socket && tokio::net::UnixStream::connect(path).await.is_err() {
                std::fs::remove_file(path)?;
            }
            Ok(Listener::Socket(tokio::net::UnixListener::bind(path)?, path.clone()))
        }
        #[cfg(not(unix))]
        Address::Socket(_) => Err(std::io::Error::other("this system has no such sockets; give an address and port")),
    }
}

impl Listener {
    /// Where it listens, in words.
    pub fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(|address| address.to_string()).unwrap_or_default(),
            #[cfg(unix)]
            Self::Socket(_, path) => path.display().to_string(),
        }
    }

    /// Serves clients. Never ends.
    pub async fn serve(self, service: Arc<Service>) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let slot = slots.clone().acquire_owned().await.expect("never closed");
            let service = service.clone();
            // A client may end a connection as it likes.
            let accepted = match &self {
                Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(async move { (converse(&service, stream).await.ok(), drop(slot)) })
                }),
                #[cfg(unix)]
                Self::Socket(listener, _) => listener.accept().await.map(|(stream, _)| {
                    tokio::spawn(async move { (converse(&service, stream).await.ok(), drop(slot)) })
                }),
            };
            if let Err(error) = accepted {
                log("accept-failed", json!({ "error": error.kind().to_string() }));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// A command: its name, and the byte that ended it, which also ends the reply.
struct Command {
    name: String,
    end: u8,
}

/// Answers the commands of a connection.
async fn converse(service: &Service, stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut stream = BufReader::with_capacity(PIECE, stream);
    // Number of the current command, or `None` outside a session.
    let mut session: Option<u64> = None;
    loop {
        let pause = if session.is_some() { SESSION_PAUSE } else { PAUSE };
        let Ok(command) = timeout(pause, read_command(&mut stream)).await else { return Ok(()) };
        let Some(Command { name, end }) = command? else { return Ok(()) };
        let mut goes_on = true;
        let reply = match name.as_str() {
            "END" => return Ok(()),
            "IDSESSION" if session.is_none() => {
                session = Some(0);
                continue;
            }
            "PING" => "PONG".to_owned(),
            "VERSION" => version(),
            "VERSIONCOMMANDS" => format!("{}| COMMANDS: {COMMANDS}", version()),
            "STATS" => stats(service),
            "INSTREAM" => {
                let (reply, whole) = in_stream(service, &mut stream).await?;
                // If the file wasn't read to its end, the connection ends, because the start of the next command is
                // unknown.
                goes_on = whole;
                reply
            }
            _ => {
                goes_on = false;
                "UNKNOWN COMMAND".to_owned()
            }
        };
        let number = session.as_mut().map(|number| {
            *number += 1;
            format!("{number}: ")
        });
        let mut bytes = format!("{}{reply}", number.unwrap_or_default()).into_bytes();
        bytes.push(end);
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        if !goes_on {
            drain(&mut stream).await;
        }
        if !goes_on || session.is_none() {
            return Ok(());
        }
    }
}

/// Reads a command. It is `zNAME` up to a null byte, or `nNAME` up to the end of the line. An old client sends `NAME`
/// up to either.
async fn read_command(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Command>> {
    let mut text = Vec::new();
    loop {
        let byte = match stream.read_u8().await {
            Ok(byte) => byte,
            Err(_) if text.is_empty() => return Ok(None),
            // A client that closed its sending side has sent the whole command.
            Err(_) => b'\n',
        };
        let ends = match text.first() {
            Some(b'z') => byte == 0,
            Some(b'n') => byte == b'\n',
            _ => byte == 0 || byte == b'\n',
        };
        if ends {
            let name = text.strip_prefix(b"z").or(text.strip_prefix(b"n")).unwrap_or(&text);
            let name = String::from_utf8_lossy(name).trim_end_matches('\r').to_owned();
            return Ok(Some(Command { name, end: byte }));
        }
        text.push(byte);
        if text.len() > MAX_COMMAND {
            return Ok(None);
        }
    }
}

fn version() -> String {
    format!("hashgate {}", env!("CARGO_PKG_VERSION"))
}

/// Returns the state of the server in the format that ClamAV's program `clamdtop` reads. As clamd does, counts idle
/// threads among the live ones: `clamdtop` ends with a failed assertion if fewer are live than idle.
fn stats(service: &Service) -> String {
    let (busy, threads) = service.judge.load();
    let waiting = u64::try_from(service.metrics.checking.get()).unwrap_or(0).saturating_sub(busy as u64);
    format!(
        "POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live {threads}  idle {} max {threads} idle-timeout 0\n\
         QUEUE: {waiting} items\n\nMEMSTATS: heap N/A mmap N/A used N/A free N/A releasable N/A pools 0 \
         pools_used N/A pools_total N/A\nEND",
        threads - busy
    )
}

/// Checks a file that comes in chunks: each begins with its length in four bytes, the most significant first. A length
/// of 0 ends the file. Returns the reply, and whether the file was read to its end.
async fn in_stream(service: &Service, stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(String, bool)> {
    let judge = &service.judge;
    let place = match judge.enter() {
        Ok(place) => place,
        Err(problem) => return Ok((failure(&problem), false)),
    };
    let without_list = judge.without_list(Door::Clamd);
    let mut arriving = judge.spool().begin();
    let mut piece = vec![0; PIECE];
    let read = async {
        loop {
            let mut rest = pausing(stream.read_u32()).await? as usize;
            if rest == 0 {
                return Ok(Ok(()));
            }
            while rest > 0 {
                let count = rest.min(PIECE);
                pausing(stream.read_exact(&mut piece[..count])).await?;
                if without_list.is_ok()
                    && let Err(problem) = arriving.push(&piece[..count]).await
                {
                    return Ok(Err(problem));
                }
                rest -= count;
            }
        }
    };
    let read: std::io::Result<Result<(), Problem>> =
        timeout(FILE_TIME, read).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            return Ok(("INSTREAM: the file arrives too slowly. ERROR".to_owned(), false));
        }
        Err(error) => return Err(error),
        Ok(Err(problem)) => return Ok((failure(&problem), false)),
        Ok(Ok(())) => {}
    }
    let judged = match without_list {
        Ok(Some(judgement)) => Ok(judgement),
        Err(problem) => Err(problem),
        Ok(None) => match arriving.finish().await {
            Ok(arrived) => {
                let listed = service.listed.read().expect("never poisoned").clone();
                judge.judge(Door::Clamd, place, arrived, listed).await
            }
            Err(problem) => Err(problem),
        },
    };
    Ok((judged.map_or_else(|problem| failure(&problem), |judgement| verdict(&judgement)), true))
}

async fn pausing<T>(read: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    timeout(PAUSE, read).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

/// Returns the reply about a file. A held file gets FOUND, even if it is held because it could not be checked: many
/// clients let a file pass if the reply is ERROR.
fn verdict(judgement: &Judgement) -> String {
    let kind = match (judgement.decision, judgement.outcome()) {
        (Decision::Pass, _) => return "stream: OK".to_owned(),
        (Decision::HoldMatch, "match") => "Match",
        (Decision::HoldMatch, _) => "PossibleMatch",
        (Decision::HoldUnchecked, "clear") => "Caveat",
        (Decision::HoldUnchecked, _) => "Unchecked",
    };
    // Replaces special characters in the name, because clients split the reply at spaces.
    let plain =
        |character: char| if character.is_ascii_alphanumeric() || "-._".contains(character) { character } else { '_' };
    let why: String = judgement.why().chars().map(plain).collect();
    format!("stream: Hashgate.{kind}.{why} FOUND")
}

fn failure(problem: &Problem) -> String {
    match problem.code() {
        // These are clamd's own words. Clients look for them.
        Code::FileSize => "INSTREAM size limit exceeded. ERROR".to_owned(),
        _ => format!("INSTREAM: {} ERROR", problem.detail()),
    }
}

async fn drain(stream: &mut (impl AsyncRead + Unpin)) {
    let mut sink = tokio::io::sink();
    let mut rest = stream.take(DRAIN_BYTES);
    let _ = timeout(PAUSE, tokio::io::copy(&mut rest, &mut sink)).await;
}
