//! The real server on real sockets: what it answers, what it refuses, and what it lives through.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hashgate::confirm::REST;
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::ring_key;
use hashgate::pdq::PdqHash;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running server, killed when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
}

fn start(folder: &Path, args: &[&str]) -> Server {
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

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Status and code of a problem.
    fn problem(&self) -> (u16, String) {
        let error = &self.json()["error"];
        for field in ["code", "field", "expected", "got"] {
            assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {error}");
        }
        (self.status, error["code"].as_str().unwrap().to_owned())
    }
}

impl Server {
    fn call(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())
            .unwrap();
        // A server that has refused already may have closed.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the head of an answer");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn get(&self, path: &str, headers: &str) -> Answer {
        self.call(&format!("GET {path} HTTP/1.1{headers}"), b"")
    }

    fn post(&self, body: &str, headers: &str) -> Answer {
        self.call(&format!("POST /v1/confirm HTTP/1.1\r\nContent-Type: application/json{headers}"), body.as_bytes())
    }

    fn confirm(&self, question: &Value) -> Value {
        let answer = self.post(&question.to_string(), "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics", "").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    }

    /// Waits for a line of the log.
    fn logged(&self, what: &str, times: usize) {
        let start = Instant::now();
        while self.log.lock().unwrap().matches(what).count() < times {
            assert!(start.elapsed() < Duration::from_secs(60), "no {what} in {}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

fn hash(n: u32) -> PdqHash {
    PdqHash(Sha256Digest::of(&n.to_le_bytes()).0)
}

/// Flips `count` bits, none of them in ring key `kept` if one is to be kept.
fn flipped(hash: PdqHash, count: u32, kept: Option<u32>) -> PdqHash {
    let mut made = hash;
    for bit in 0..256 {
        let mut one = hash;
        one.0[bit / 8] ^= 1 << (bit % 8);
        if made.distance(&hash) < count && kept.is_none_or(|ring| ring_key(&one, ring) == ring_key(&hash, ring)) {
            made.0[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert_eq!(made.distance(&hash), count);
    made
}

fn asked(hash: &PdqHash, ring: u32) -> Value {
    json!({ "pdq": hash.to_string(), "ring": ring, "key": format!("{:016x}", ring_key(hash, ring)) })
}

fn lists(folder: &Path) {
    let digest = Sha256Digest::of(b"a file");
    let md5 = Md5Digest::of(b"another file");
    let pdq: Vec<_> = (0..200).map(|n| format!("{},pdq,drawn\n", hash(n))).collect();
    let first =
        format!("hash,type,category\n{}{digest},sha256,\"größer & \"\"quoted\"\"\"\n{md5},md5,\n", pdq.concat());
    fs::write(folder.join("first.csv"), first).unwrap();
    fs::write(folder.join("second.txt"), format!("pdq {}\npdq {}\n", hash(0), hash(1000))).unwrap();
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    lists(folder.path());
    folder
}

const BOTH: [&str; 3] = ["--list", "First list=first.csv", "second.txt"];

#[test]
fn each_rule_answers_and_every_answer_is_as_long() {
    let folder = folder();
    let server = start(folder.path(), &[&BOTH[..], &["--rate", "0"]].concat());
    let not_listed = json!({ "outcome": "not-listed", "distance": null, "list": null, "category": null, "by": null });
    let listed = |by: &str, distance: Option<u32>, category: Option<&str>| json!({ "outcome": "listed", "distance": distance, "list": "First list", "category": category, "by": by });
    let pdq = |hash: PdqHash| json!({ "pdq": hash.to_string() });
    let (near, far) = (flipped(hash(7), 31, None), flipped(hash(7), 32, None));
    let (rest, beyond) = (flipped(hash(8), REST, Some(1)), flipped(hash(8), REST + 1, Some(1)));
    let other_ring = flipped(hash(8), 60, Some(1));
    let cases = [
        (pdq(hash(7)), listed("hamming", Some(0), Some("drawn"))),
        (pdq(near), listed("hamming", Some(31), Some("drawn"))),
        (pdq(far), not_listed.clone()),
        (asked(&far, 3), not_listed.clone()),
        (asked(&rest, 1), listed("ring-key", Some(REST), Some("drawn"))),
        (pdq(rest), not_listed.clone()),
        (asked(&beyond, 1), not_listed.clone()),
        (asked(&other_ring, 3), not_listed.clone()),
        (pdq(hash(999)), not_listed.clone()),
        (
            json!({ "sha256": Sha256Digest::of(b"a file").to_string() }),
            listed("sha256", None, Some("größer & \"quoted\"")),
        ),
        (json!({ "md5": Md5Digest::of(b"another file").to_string() }), listed("md5", None, None)),
        (json!({ "sha256": Sha256Digest::of(b"no file").to_string(), "md5": null }), not_listed.clone()),
        // The strongest counts, and the first list that holds a hash.
        (
            json!({ "pdq": hash(7).to_string(), "md5": Md5Digest::of(b"another file").to_string() }),
            listed("md5", None, None),
        ),
        (
            pdq(hash(1000)),
            json!({ "outcome": "listed", "distance": 0, "list": "second", "category": null, "by": "hamming" }),
        ),
        (pdq(hash(0)), listed("hamming", Some(0), Some("drawn"))),
    ];
    let mut lengths = Vec::new();
    for (question, expected) in &cases {
        let answer = server.post(&question.to_string(), "");
        assert_eq!(answer.json(), *expected, "{question}");
        lengths.push(answer.body.len());
    }
    assert!(lengths.iter().all(|&length| length == lengths[0]), "{lengths:?}");
    let batch: Vec<_> = cases.iter().map(|(question, _)| question.clone()).collect();
    let expected: Vec<_> = cases.iter().map(|(_, answer)| answer.clone()).collect();
    assert_eq!(server.confirm(&json!(batch)), json!(expected));
    assert_eq!(server.metric("hashgate_confirms_total{outcome=\"Listed\"}"), 2.0 * 8.0);
    assert_eq!(server.metric("hashgate_requests_total{route=\"Confirm\",status=\"200\"}"), 16.0);
    assert_eq!(server.metric("hashgate_list_hashes{kind=\"pdq\"}"), 201.0);
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let folder = folder();
    fs::write(folder.path().join("tokens"), "0123456789abcdef\nfedcba9876543210\n").unwrap();
    let server = start(folder.path(), &[&BOTH[..], &["--token-file", "tokens", "--rate", "0"]].concat());
    let token = "\r\nAuthorization: Bearer fedcba9876543210";
    let good = asked(&hash(3), 0).to_string();
    let answer = server.post(&good, "");
    assert_eq!(answer.problem(), (401, "token".into()));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(server.post(&good, "\r\nAuthorization: Bearer fedcba9876543211").problem(), (401, "token".into()));
    assert_eq!(server.post(&good, "\r\nAuthorization: Bearer ").problem(), (401, "token".into()));
    assert_eq!(server.post(&good, token).status, 200);
    assert_eq!(server.post(&good, "\r\nAuthorization: Bearer 0123456789abcdef").status, 200);

    let pdq = hash(3).to_string();
    let batch = |count: usize| json!(vec![asked(&hash(3), 0); count]).to_string();
    assert_eq!(server.post(&batch(100), token).json().as_array().unwrap().len(), 100);
    let cases = [
        ("", "json"),
        ("{", "json"),
        ("[{]", "json"),
        ("\u{feff}{}", "json"),
        ("null", "field-type"),
        ("7", "field-type"),
        ("{}", "missing-field"),
        ("[]", "batch-size"),
        (&batch(101), "batch-size"),
        ("[1]", "field-type"),
        (r#"{"pdq": 5}"#, "field-type"),
        (r#"{"pdq": "f00"}"#, "field-value"),
        (&format!(r#"{{"pdq": "{}g"}}"#, &pdq[1..]), "field-value"),
        (&format!(r#"{{"PDQ": "{pdq}"}}"#), "unknown-field"),
        (&format!(r#"{{"pdq": "{pdq}", "ring": 4, "key": "0000000000000000"}}"#), "field-value"),
        (&format!(r#"{{"pdq": "{pdq}", "ring": -1, "key": "0000000000000000"}}"#), "field-value"),
        (&format!(r#"{{"pdq": "{pdq}", "ring": 1, "key": "0000000000000000"}}"#), "field-value"),
        (&format!(r#"{{"pdq": "{pdq}", "ring": 1, "key": "+000000000000000"}}"#), "field-value"),
        (&format!(r#"{{"pdq": "{pdq}", "ring": 1}}"#), "missing-field"),
        (&format!(r#"{{"pdq": "{pdq}", "key": "0000000000000000"}}"#), "missing-field"),
        (r#"{"ring": 1, "key": "0000000000000000"}"#, "missing-field"),
        (&format!("{}1{}", "[".repeat(5000), "]".repeat(5000)), "json"),
    ];
    for (body, code) in cases {
        assert_eq!(server.post(body, token).problem(), (400, code.into()), "{body:.80}");
    }
    let field = server.post(&format!(r#"[{good}, {{"md5": "1"}}]"#), token).json()["error"]["field"].clone();
    assert_eq!(field, "[1].md5");
    let head = format!("POST /v1/confirm HTTP/1.1\r\nContent-Type: text/plain{token}");
    assert_eq!(server.call(&head, good.as_bytes()).problem(), (415, "content-type".into()));
    assert_eq!(server.post(&" ".repeat(70_000), token).problem(), (413, "body-size".into()));
    assert_eq!(server.get("/v1/confirm", token).problem(), (405, "method".into()));
    assert_eq!(server.get("/nothing", "").problem(), (404, "not-found".into()));
}

#[test]
fn clients_have_a_rate_each() {
    let folder = folder();
    let server =
        start(folder.path(), &[&BOTH[..], &["--rate", "1", "--client-address-header", "x-forwarded-for"]].concat());
    let batch = json!(vec![asked(&hash(3), 0); 60]).to_string();
    let from = |address: &str| server.post(&batch, &format!("\r\nX-Forwarded-For: 192.0.2.9, {address}"));
    assert_eq!(from("198.51.100.1").status, 200);
    let answer = from("198.51.100.1");
    assert_eq!(answer.problem(), (429, "rate".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(from("198.51.100.2").status, 200);
    assert_eq!(from("2001:db8::1").status, 200);
    assert_eq!(from("2001:db8::2").problem(), (429, "rate".into()));
    assert_eq!(server.post(&batch, "").status, 200);
    assert_eq!(server.post(&batch, "").problem(), (429, "rate".into()));
}

#[test]
fn pages_of_other_origins_need_leave() {
    let folder = folder();
    let server = start(folder.path(), &[&BOTH[..], &["--allow-origin", "https://example.org"]].concat());
    let preflight = |origin: &str| {
        server.call(
            &format!(
                "OPTIONS /v1/confirm HTTP/1.1\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
                 Access-Control-Request-Headers: content-type"
            ),
            b"",
        )
    };
    assert_eq!(preflight("https://example.org").header("access-control-allow-origin"), Some("https://example.org"));
    assert_eq!(preflight("https://example.com").header("access-control-allow-origin"), None);
    let answer = server.post(&asked(&hash(3), 0).to_string(), "\r\nOrigin: https://example.org");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://example.org"));
}

/// Publishes the first list; the names of its files, the manifest first.
fn published(folder: &Path) -> [String; 2] {
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

#[test]
fn a_published_list_is_hosted() {
    let folder = folder();
    let [manifest, full] = published(folder.path());
    let manifest = fs::read_to_string(folder.path().join("published").join(manifest)).unwrap();
    fs::create_dir_all(folder.path().join("site/part")).unwrap();
    fs::write(folder.path().join("site/index.html"), "<!doctype html><title>site</title>").unwrap();
    fs::write(folder.path().join("site/part/page.txt"), "part").unwrap();
    fs::write(folder.path().join("published/.hashgate-half"), "half").unwrap();
    let mounts = ["--dir", "published", "--site", "site", "--site", "/apart/=site/part"];
    let server = start(folder.path(), &[&BOTH[..], &mounts].concat());

    let plain = server.get("/list/manifest.txt", "");
    assert_eq!((plain.status, plain.text()), (200, manifest.clone()));
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    let tag = plain.header("etag").unwrap().to_owned();
    let again = server.get("/list/manifest.txt", &format!("\r\nIf-None-Match: {tag}"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!((again.header("etag"), again.header("last-modified")), (Some(tag.as_str()), None));
    let packed = server.get("/list/manifest.txt", "\r\nAccept-Encoding: gzip");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < manifest.len());
    assert_eq!(packed.header("etag"), Some(format!("W/{tag}").as_str()));
    let again = server.get("/list/manifest.txt", &format!("\r\nAccept-Encoding: gzip\r\nIf-None-Match: W/{tag}"));
    assert_eq!(again.status, 304);

    let file = fs::read(folder.path().join("published").join(&full)).unwrap();
    let full = format!("/list/{full}");
    let whole = server.get(&full, "\r\nAccept-Encoding: gzip");
    assert!(whole.status == 200 && whole.body == file, "{}", whole.head);
    assert_eq!(whole.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(whole.header("content-encoding"), None);
    let part = server.get(&full, "\r\nRange: bytes=10-19");
    assert_eq!((part.status, &part.body[..]), (206, &file[10..20]));
    assert_eq!(server.get(&full, "\r\nRange: bytes=99999999-").status, 416);
    let resumed = server.get("/list/manifest.txt", "\r\nRange: bytes=5-\r\nIf-Range: \"old\"");
    assert_eq!((resumed.status, resumed.text()), (200, manifest));

    for (path, status) in [
        ("/list/.hashgate-half", 404),
        ("/list/nothing.hgf", 404),
        ("/list/../first.csv", 404),
        ("/list/%2e%2e/first.csv", 404),
        ("/list/..%2ffirst.csv", 404),
        ("/first.csv", 404),
    ] {
        assert_eq!(server.get(path, "").status, status, "{path}");
    }
    assert!(server.get("/list/nothing.hgf", "").header("cache-control") == Some("no-cache"));
    let page = server.get("/", "");
    assert!(page.text().contains("<title>site") && page.header("content-security-policy").unwrap().contains("'none'"));
    assert_eq!(server.get("/apart/page.txt", "").text(), "part");
}

#[test]
fn it_refuses_to_start_with_what_it_cant_stand_for() {
    let folder = folder();
    published(folder.path());
    fs::write(folder.path().join("empty.csv"), "hash,type\n").unwrap();
    fs::write(folder.path().join("bad.csv"), format!("hash,type\n{},pdq\nf00,pdq\n", hash(1))).unwrap();
    fs::write(folder.path().join("short"), "secret\n").unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&[], "expected something to serve"),
        (&["--list", "nothing.csv"], "nothing.csv"),
        (&["--list", "empty.csv"], "empty.csv: expected at least one hash, got none"),
        (&["--list", "bad.csv"], "1 bad lines"),
        (&["--list", "first.csv", "--token-file", "short"], "short: token 1: expected 16 or more"),
        (&["--list", "first.csv", "--allow-origin", "example.org"], "expected an origin"),
        (&["--list", "first.csv", "--upstream", "http://127.0.0.1"], "expected hma=URL"),
        (&["--list", "first.csv", "--site", "/v1=."], "expected a prefix that nothing else is at"),
        (
            &["--list", "second.txt", "--dir", "published"],
            "expected at least the 200 PDQ hashes that the published filter holds, got 2",
        ),
    ];
    for (args, expected) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_hashgate"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(expected), "{args:?}: {error}");
    }
}

/// A list of numbered hashes, put in place at once.
fn replace(folder: &Path, numbers: std::ops::Range<u32>) {
    let text: String = numbers.map(|n| format!("{}\n", hash(n))).collect();
    fs::write(folder.join("new"), text).unwrap();
    fs::rename(folder.join("new"), folder.join("list.txt")).unwrap();
}

#[test]
fn a_changed_list_is_read_while_the_old_one_answers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    replace(folder, 0..20_000);
    let server = start(folder, &["--list", "list.txt", "--type", "pdq", "--rate", "0"]);
    let (ended, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                // The hash that every version holds.
                assert_eq!(server.confirm(&asked(&hash(19_999), 0))["outcome"], "listed");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        replace(folder, 10_000..30_000);
        server.logged("lists-loaded", 2);
        assert_eq!(server.confirm(&asked(&hash(29_999), 0))["outcome"], "listed");
        assert_eq!(server.confirm(&asked(&hash(1), 0))["outcome"], "not-listed");

        fs::write(folder.join("list.txt"), format!("{} pdq\n", hash(4))).unwrap();
        server.logged("lists-refused", 1);
        // Even a misplaced hash isn't told.
        assert!(!server.log.lock().unwrap().contains(&hash(4).to_string()));
        assert_eq!(server.get("/healthz", "").json(), json!({ "status": "stale" }));
        assert_eq!(server.confirm(&asked(&hash(29_999), 0))["outcome"], "listed");
        fs::remove_file(folder.join("list.txt")).unwrap();
        std::thread::sleep(Duration::from_millis(1200));
        assert_eq!(server.confirm(&asked(&hash(29_999), 0))["outcome"], "listed");

        replace(folder, 15_000..20_000);
        server.logged("lists-loaded", 3);
        assert_eq!(server.get("/healthz", "").json(), json!({ "status": "ok" }));
        assert_eq!(server.confirm(&asked(&hash(29_999), 0))["outcome"], "not-listed");
        ended.store(true, Ordering::Relaxed);
        asking.join().unwrap();
    });
    assert!(answered.load(Ordering::Relaxed) > 10);
}

#[test]
fn killed_while_it_reads_a_list_it_comes_back_with_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let args = ["--list", "list.txt", "--type", "pdq", "--rate", "0"];
    for round in 0..4 {
        replace(folder, 0..60_000);
        let server = start(folder, &args);
        replace(folder, 1..60_001);
        // From before the change is seen until after it was read.
        std::thread::sleep(Duration::from_millis(850 + 150 * round));
        server.signal("-KILL");
        drop(server);
        let server = start(folder, &args);
        let all: Vec<_> = (1..60_001).step_by(601).map(|n| asked(&hash(n), 0)).collect();
        let answers = server.confirm(&json!(all));
        assert!(answers.as_array().unwrap().iter().all(|answer| answer["distance"] == 0), "round {round}");
    }
}

#[test]
fn told_to_end_it_answers_what_is_open() {
    let folder = folder();
    let mut server = start(folder.path(), &BOTH);
    let body = asked(&hash(5), 0).to_string();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = "POST /v1/confirm HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{}", body.len(), &body[..20]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(server.address).is_err(), "it accepts no more");
    write!(stream, "{}", &body[20..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"listed\""), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_log_tells_of_no_hash_and_no_address() {
    let folder = folder();
    let server =
        start(folder.path(), &[&BOTH[..], &["--log-requests", "--client-address-header", "x-forwarded-for"]].concat());
    let question = asked(&hash(5), 0);
    server.post(&question.to_string(), "\r\nX-Forwarded-For: 198.51.100.77");
    server.post("{\"pdq\": \"198.51.100.77\"}", "");
    server.get(&format!("/{}", hash(5)), "");
    server.call(&format!("{} / HTTP/1.1", &hash(5).to_string()[..20].to_uppercase()), b"");
    server.logged("\"event\":\"request\"", 4);
    let log = server.log.lock().unwrap().clone();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["time"].is_string() && line["event"].is_string(), "{line}");
    }
    for secret in ["127.0.0.1", "198.51.100", &hash(5).to_string()[..16], question["key"].as_str().unwrap()] {
        assert!(!log.to_lowercase().contains(secret), "{secret} in {log}");
    }
}

#[test]
fn thousands_of_bad_requests_leave_it_serving() {
    let folder = folder();
    let server = start(folder.path(), &[&BOTH[..], &["--rate", "0"]].concat());
    let question = asked(&hash(5), 0).to_string();
    let good = format!(
        "POST /v1/confirm HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{question}",
        question.len()
    );
    let connect = || {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    };
    // Connections that never finish their head: more than one address may have, held until the end.
    let mut slow: Vec<_> = (0..300).map(|_| connect()).collect();
    slow.iter_mut().for_each(|stream| _ = stream.write_all(b"POST /v1/confirm HTTP/1.1\r\nHost: h\r\nX-"));
    let start = Instant::now();
    while server_refused(&slow[280..]) == 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    // Half of them go, so that there is room.
    slow.truncate(100);

    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Header: value\r\n".repeat(200));
    let malformed: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"POST /v1/confirm HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /v1/confirm HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(),
        b"POST /v1/confirm HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".to_vec(),
        b"POST /v1/confirm HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            .to_vec(),
        b"POST /v1/confirm HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{".to_vec(),
        vec![0; 5_000],
        vec![0xff; 50_000],
        long.into_bytes(),
        many.into_bytes(),
    ];
    for round in 0..1500 {
        let mut stream = connect();
        let _ = stream.write_all(&malformed[round % malformed.len()]);
        // Half-closed, closed at once, or read to the end.
        match round % 3 {
            0 => {
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.read(&mut [0; 512]);
            }
            1 => drop(stream),
            _ => {
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes);
                assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }
    // Pipelined: 40 at once on one connection, all answered in order; the client half-closes after them.
    for _ in 0..25 {
        let mut stream = connect();
        stream.write_all(good.repeat(40).as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        assert_eq!(text.matches("\"outcome\":\"listed\"").count(), 40, "{text}");
    }
    // Oversized: announced, and sent without an announcement.
    for round in 0..100 {
        let mut stream = connect();
        let head = "POST /v1/confirm HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";
        let _ = match round % 2 {
            0 => write!(stream, "{head}Content-Length: 10000000\r\n\r\n"),
            _ => write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n"),
        };
        for _ in 0..40 {
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
            if stream.write_all(chunk.as_bytes()).is_err() {
                break;
            }
        }
        let mut answer = [0; 16];
        if stream.read_exact(&mut answer).is_ok() {
            assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
        }
    }
    assert_eq!(server.confirm(&asked(&hash(5), 0))["outcome"], "listed");
    // Those that never finished are ended, 10 seconds after they began.
    for stream in &mut slow {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        assert!(!bytes.starts_with(b"HTTP/1.1 200"));
    }
    let start = Instant::now();
    // The one that asks is open too.
    while server.metric("hashgate_connections") > 1.0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} open", server.metric("hashgate_connections"));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many of the connections the server has closed.
fn server_refused(streams: &[TcpStream]) -> usize {
    let closed = |stream: &&TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut stream = *stream;
        matches!(stream.read(&mut [0; 1]), Ok(0)) || stream.write(b"a").is_err()
    };
    streams.iter().filter(closed).count()
}

/// A small HTTP server that answers `GET /m/lookup` as HMA does; `answer` makes status, body and delay of the n-th request.
fn hma(
    answer: impl Fn(usize, &str) -> (u16, String, Duration) + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let (asked, answer) = (count.clone(), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (asked, answer) = (asked.clone(), answer.clone());
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let mut stream = stream;
                let Some(first) = lines.next() else { return };
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let signal =
                    first.strip_prefix("GET /base/m/lookup?signal_type=pdq&signal=").map(|rest| rest[..64].to_owned());
                let (status, body, delay) =
                    answer(asked.fetch_add(1, Ordering::SeqCst), &signal.expect("HMA's lookup"));
                std::thread::sleep(delay);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
            });
        }
    });
    (address, count)
}

#[test]
fn what_the_lists_dont_hold_is_put_to_hma() {
    let folder = folder();
    let (address, count) = hma(|number, signal| {
        let banks = match signal == hash(5000).to_string() {
            true => {
                r#"{"BANK_A": [{"bank_content_id": 1, "distance": "14"}], "BANK_B": [{"bank_content_id": 2, "distance": "4"}]}"#
            }
            false => "{}",
        };
        // The first attempt of all fails, and is made again.
        (if number == 0 { 503 } else { 200 }, banks.into(), Duration::ZERO)
    });
    let upstream = format!("hma=http://{address}/base");
    let server = start(folder.path(), &[&BOTH[..], &["--upstream", &upstream]].concat());
    let answer = server.confirm(&asked(&hash(5000), 0));
    assert_eq!(
        answer,
        json!({ "outcome": "listed", "distance": 4, "list": "BANK_B", "category": null, "by": "hamming" })
    );
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(server.confirm(&asked(&hash(5001), 0))["outcome"], "not-listed");
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // What a list holds is not put to anyone.
    assert_eq!(server.confirm(&asked(&hash(7), 0))["list"], "First list");
    assert_eq!(server.confirm(&json!({ "md5": Md5Digest::of(b"x").to_string() }))["outcome"], "not-listed");
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(server.metric("hashgate_upstream_requests_total{result=\"failed\"}"), 1.0);
    drop(server);
    // Without a list of one's own, HMA is all there is.
    let server = start(folder.path(), &["--upstream", &upstream]);
    assert_eq!(server.confirm(&asked(&hash(5000), 0))["list"], "BANK_B");
    let digest = json!({ "sha256": Sha256Digest::of(b"x").to_string() }).to_string();
    assert_eq!(server.post(&digest, "").problem(), (422, "missing-field".into()));
}

#[test]
fn an_upstream_that_fails_is_no_answer_and_gets_a_rest() {
    let folder = folder();
    let works = Arc::new(AtomicBool::new(false));
    let (address, count) = hma({
        let works = works.clone();
        move |_, _| match works.load(Ordering::SeqCst) {
            true => (200, "{}".into(), Duration::ZERO),
            false => (500, "{}".into(), Duration::ZERO),
        }
    });
    let server = start(
        folder.path(),
        &[&BOTH[..], &["--upstream", &format!("hma=http://{address}/base"), "--rate", "0"]].concat(),
    );
    let question = asked(&hash(5000), 0).to_string();
    for asked in 1..=5 {
        assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()));
        assert_eq!(count.load(Ordering::SeqCst), 3 * asked);
    }
    server.logged("upstream-rests", 1);
    // It is left alone, while the lists answer as before.
    for _ in 0..20 {
        assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()));
    }
    assert_eq!(count.load(Ordering::SeqCst), 15);
    assert_eq!(server.confirm(&asked(&hash(7), 0))["outcome"], "listed");
    works.store(true, Ordering::SeqCst);
    let start = Instant::now();
    while server.post(&question, "").status != 200 {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(!server.log.lock().unwrap().contains(&hash(5000).to_string()));
}

#[test]
fn an_upstream_that_doesnt_answer_or_answers_otherwise_is_no_answer() {
    let folder = folder();
    let replies = [("[", 200), ("7", 200), ("{\"A\": 1}", 200), ("{}", 404), ("", 302)];
    let (address, count) = hma(move |number, _| match replies.get(number) {
        Some((body, status)) => (*status, (*body).into(), Duration::ZERO),
        None => (200, "{}".into(), Duration::from_secs(20)),
    });
    let server = start(folder.path(), &["--upstream", &format!("hma=http://{address}/base"), "--rate", "0"]);
    let question = asked(&hash(5000), 0).to_string();
    for (asked, (body, _)) in (1..).zip(replies).take(4) {
        assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()), "{body}");
        // Asking again would bring the same.
        assert_eq!(count.load(Ordering::SeqCst), asked);
    }
    drop(server);
    let server = start(folder.path(), &["--upstream", &format!("hma=http://{address}/base"), "--rate", "0"]);
    assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()));
    assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()));
    server.logged("no answer within 4 s", 1);
}

#[test]
fn the_description_tells_of_what_is_there() {
    let folder = folder();
    published(folder.path());
    let server = start(folder.path(), &[&BOTH[..], &["--dir", "published"]].concat());
    let description = server.get("/openapi.json", "").json();
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path.replace("{file}", operation["parameters"][0]["example"].as_str().unwrap_or_default());
            let examples = &operation["requestBody"]["content"]["application/json"]["examples"];
            let bodies = examples.as_object().map_or(vec![String::new()], |examples| {
                examples.values().map(|example| example["value"].to_string()).collect()
            });
            for body in bodies {
                let head = format!("{} {path} HTTP/1.1\r\nContent-Type: application/json", method.to_uppercase());
                let answer = server.call(&head, body.as_bytes());
                assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
                if operation["operationId"] == "confirm" {
                    let described =
                        description["components"]["schemas"]["Answer"]["required"].as_array().unwrap().clone();
                    let answer = answer.json();
                    assert_eq!(answer.as_object().unwrap().len(), described.len());
                    assert!(described.iter().all(|field| answer.get(field.as_str().unwrap()).is_some()));
                }
            }
        }
    }
    let metrics = server.get("/metrics", "");
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.text().ends_with("# EOF\n"));
}

/// A small day, and a short load: every answer is checked by the simulator itself.
#[test]
fn a_day_and_a_load_are_played() {
    let simulate = |args: &[&str]| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_hashgate")).arg("simulate").args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let few = ["--list-size", "2000", "--changes", "20", "--clients", "12", "--uploads", "50", "--pictures", "4"];
    let more =
        ["--listed", "0.1", "--edited", "0.1", "--new", "0.3", "--away", "0.3", "--polls", "3", "--format", "json"];
    let figures = simulate(&[&few[..], &more].concat());
    let with = |field: &str| figures["with"][field].as_f64().unwrap();
    assert_eq!(figures["without"]["checks"], 600);
    assert_eq!(figures["editedCopiesFound"], "24 of 24");
    // 600 uploads, a fifth of them listed or edited: 120, give or take six sigma.
    assert!((60.0..=180.0).contains(&with("checks")), "{figures}");
    assert_eq!((with("listed"), with("cleared")), (with("checks"), 0.0));
    assert_eq!(with("manifestRequests"), 36.0);
    // New clients fetched yesterday's release whole; then everyone a delta, and those who were away another.
    assert!(with("newClients") > 0.0 && with("firstDownloadBytes") > with("newClients") * 20_000.0, "{figures}");
    assert!(with("deltaRequests") > 12.0 && with("deltaBytes") > 0.0, "{figures}");
    assert_eq!(figures["larger"][1]["uploads"], 50e8);

    let figures = simulate(&["--list-size", "2000", "--load", "200", "--seconds", "1", "--format", "json"]);
    assert_eq!(figures["asked"], 200);
    assert!(figures["ms"]["p50"].as_f64().unwrap() > 0.0, "{figures}");
}
