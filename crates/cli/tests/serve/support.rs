//! Starts servers, and makes lists of numbered hashes for them.

pub use std::fs;
pub use std::io::{BufRead, BufReader, Read, Write};
pub use std::net::{SocketAddr, TcpListener, TcpStream};
pub use std::path::Path;
pub use std::process::{Child, Command, Stdio};
pub use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub use std::sync::{Arc, Mutex};
pub use std::time::{Duration, Instant};

pub use hashgate::confirm::REST;
pub use hashgate::digest::{Md5Digest, Sha256Digest};
pub use hashgate::filter::ring_key;
pub use hashgate::pdq::PdqHash;
pub use serde_json::{Value, json};
pub use tempfile::TempDir;

/// A running server, killed when it is dropped.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    pub log: Arc<Mutex<String>>,
}

pub fn start(folder: &Path, args: &[&str]) -> Server {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    let (errors, into) = (child.stderr.take().unwrap(), log.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(errors).lines().map_while(Result::ok) {
            *into.lock().unwrap() += &format!("{line}\n");
        }
    });
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let Some(address) = line.trim().strip_prefix("listening on http://") else {
        panic!("expected an address, got {line:?} and {}", log.lock().unwrap());
    };
    Server { child, address: address.parse().unwrap(), log }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the HTTP status and the code of a problem document (RFC 9457).
    pub fn problem(&self) -> (u16, String) {
        let problem = self.json();
        for field in ["type", "title", "detail", "code", "field", "expected", "got", "remedy"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {problem}");
        }
        assert_eq!(problem["status"], self.status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        (self.status, problem["code"].as_str().unwrap().to_owned())
    }
}

impl Server {
    pub fn call(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())
            .unwrap();
        // Ignores an error: a server that has already refused the request may have closed the connection.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the head of an answer");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn get(&self, path: &str, headers: &str) -> Answer {
        self.call(&format!("GET {path} HTTP/1.1{headers}"), b"")
    }

    pub fn post(&self, body: &str, headers: &str) -> Answer {
        self.call(&format!("POST /v1/confirm HTTP/1.1\r\nContent-Type: application/json{headers}"), body.as_bytes())
    }

    pub fn confirm(&self, question: &Value) -> Value {
        let answer = self.post(&question.to_string(), "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics", "").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    }

    /// Waits until the log contains `what` at least `times` times.
    pub fn logged(&self, what: &str, times: usize) {
        let start = Instant::now();
        while self.log.lock().unwrap().matches(what).count() < times {
            assert!(start.elapsed() < Duration::from_secs(60), "no {what} in {}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

pub fn hash(n: u32) -> PdqHash {
    PdqHash(Sha256Digest::of(&n.to_le_bytes()).0)
}

/// Flips `count` bits of a hash, but none that changes ring key `kept`.
pub fn flipped(hash: PdqHash, count: u32, kept: Option<u32>) -> PdqHash {
    let mut made = hash;
    for bit in 0..256 {
        let mut one = hash;
        one.0[bit / 8] ^= 1 << (bit % 8);
        if made.distance(&hash) < count && kept.is_none_or(|ring| ring_key(&one, ring, 52) == ring_key(&hash, ring, 52))
        {
            made.0[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert_eq!(made.distance(&hash), count);
    made
}

pub fn asked(hash: &PdqHash, ring: u32) -> Value {
    json!({ "pdq": hash.to_string(), "ring": ring, "key": format!("{:016x}", ring_key(hash, ring, 52)) })
}

pub fn lists(folder: &Path) {
    let digest = Sha256Digest::of(b"a file");
    let md5 = Md5Digest::of(b"another file");
    let pdq: Vec<_> = (0..200).map(|n| format!("{},pdq,drawn\n", hash(n))).collect();
    let first =
        format!("hash,type,category\n{}{digest},sha256,\"größer & \"\"quoted\"\"\"\n{md5},md5,\n", pdq.concat());
    fs::write(folder.join("first.csv"), first).unwrap();
    fs::write(folder.join("second.txt"), format!("pdq {}\npdq {}\n", hash(0), hash(1000))).unwrap();
}

pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    lists(folder.path());
    folder
}

pub const BOTH: [&str; 3] = ["--list", "First list=first.csv", "second.txt"];

/// Publishes the first list. Returns the names of the published files; the manifest's is first.
pub fn published(folder: &Path) -> [String; 2] {
    for args in [
        &["keygen", "--out", "key", "--name", "test"][..],
        &["publish", "first.csv", "--dir", "published", "--key", "key", "--name", "First list", "--category", "drawn"],
    ] {
        let made = Command::new(env!("CARGO_BIN_EXE_hashgate")).args(args).current_dir(folder).output().unwrap();
        assert!(made.status.success(), "{made:?}");
    }
    let names =
        fs::read_dir(folder.join("published")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    ["manifest.txt".into(), names.into_iter().find(|name| name.starts_with("full-1-")).unwrap()]
}
