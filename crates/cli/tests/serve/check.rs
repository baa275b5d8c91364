//! Files that back ends send.

use super::support::*;
use hashgate::{Limits, Wanted, fingerprint};

pub fn jpeg(seed: u32, quality: u8) -> Vec<u8> {
    let picture = hashgate_testkit::photograph(640, 480, seed);
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, quality).encode(&picture, 640, 480, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// A folder with `pictures.csv`, a list that holds picture 1, and `pictures.hgf`, its filter.
pub fn pictures() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let print = fingerprint(&jpeg(1, 90), &Limits::default(), &Wanted::default().with_pdq(true));
    let hash = print.picture.unwrap().unwrap().frames[0].views[0].coefficients.hash();
    fs::write(folder.path().join("pictures.csv"), format!("hash,type,category\n{hash},pdq,drawn\n")).unwrap();
    let build = ["build", "pictures.csv", "--out", "pictures.hgf", "--name", "Pictures", "--category", "drawn"];
    let built = Command::new(env!("CARGO_BIN_EXE_hashgate")).args(build).current_dir(folder.path()).output().unwrap();
    assert!(built.status.success(), "{built:?}");
    folder
}

impl Server {
    pub fn check(&self, headers: &str, body: &[u8]) -> Answer {
        self.call(&format!("POST /v1/check HTTP/1.1{headers}"), body)
    }

    fn outcome(&self, headers: &str, body: &[u8]) -> (u16, String, String) {
        let answer = self.check(headers, body);
        let (outcome, decision) = (answer.header("x-hashgate-outcome"), answer.header("x-hashgate-decision"));
        let outcome = outcome.unwrap_or_else(|| panic!("{} {}", answer.head, answer.text()));
        assert_eq!(answer.json()["outcome"], outcome);
        (answer.status, outcome.to_owned(), decision.unwrap().to_owned())
    }
}

fn is(status: u16, outcome: &str, decision: &str) -> (u16, String, String) {
    (status, outcome.to_owned(), decision.to_owned())
}

#[test]
fn each_kind_of_file_gets_its_status() {
    let folder = pictures();
    let server = start(folder.path(), &["--filter", "pictures.hgf"]);
    assert_eq!(server.outcome("", &jpeg(1, 60)), is(451, "possible-match", "hold"));
    assert_eq!(server.outcome("", &jpeg(2, 90)), is(200, "clear", "upload"));
    assert_eq!(server.outcome("", b"%PDF-1.7 and so on"), is(200, "unchecked", "upload"));
    let mut cut = jpeg(2, 90);
    cut.truncate(cut.len() / 2);
    assert_eq!(server.outcome("", &cut), is(422, "unchecked", "hold"));
    assert_eq!(server.metric("hashgate_checks_total{door=\"Http\",outcome=\"unchecked\"}"), 2.0);
    drop(server);

    // If the server has the full list, it confirms the match and returns the category that the list gives the hash.
    let args = ["--list", "Pictures=pictures.csv", "--match-status", "403", "--unchecked", "not-a-picture=block"];
    let server = start(folder.path(), &[&args[..], &["--unchecked-status", "415"]].concat());
    let answer = server.check("", &jpeg(1, 60));
    assert_eq!((answer.status, &answer.json()["outcome"]), (403, &json!("match")));
    assert_eq!(answer.json()["matches"][0]["category"], "drawn");
    assert_eq!(server.outcome("", &jpeg(2, 90)), is(200, "clear", "upload"));
    assert_eq!(server.outcome("", b"%PDF-1.7 and so on"), is(415, "unchecked", "hold"));
}

#[test]
fn the_verdict_is_that_of_the_command() {
    let folder = pictures();
    let server = start(folder.path(), &["--filter", "pictures.hgf"]);
    for (name, bytes) in [("listed", jpeg(1, 60)), ("clean", jpeg(2, 90)), ("text", b"text".to_vec())] {
        fs::write(folder.path().join(name), &bytes).unwrap();
        let checked = Command::new(env!("CARGO_BIN_EXE_hashgate"))
            .args(["check", "--filter", "pictures.hgf", "--format", "jsonl", name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let mut expected: Value = serde_json::from_slice(&checked.stdout).unwrap();
        // Removes the fields that differ for good reasons: only the command prints the path and a SHA-256 that no list
        // holds, and the server makes lookups in other filters, too.
        for field in ["path", "sha256", "lookups"] {
            expected.as_object_mut().unwrap().remove(field);
        }
        let mut verdict = server.check("", &bytes).json();
        verdict.as_object_mut().unwrap().remove("lookups");
        assert_eq!(verdict, expected);
    }
}

#[test]
fn forms_are_read_as_callers_send_them() {
    let folder = pictures();
    let server = start(folder.path(), &["--filter", "pictures.hgf"]);
    let form =
        |head: &str, file: &[u8]| [format!("--X-Y\r\n{head}\r\n\r\n").as_bytes(), file, b"\r\n--X-Y--\r\n"].concat();
    let (listed, clean) = (jpeg(1, 60), jpeg(2, 90));
    // The requests of pict-rs 0.6.0-rc.6 (src/client.rs) have two Content-Type headers, the file's and the form's, and
    // a part with a name but no file name.
    let of_pict_rs = "\r\nContent-Type: image/jpeg\r\nContent-Type: multipart/form-data; boundary=X-Y";
    let part = "Content-Disposition: form-data; name=\"b8c1/identifier\"";
    assert_eq!(server.outcome(of_pict_rs, &form(part, &listed)).0, 451);
    assert_eq!(server.outcome(of_pict_rs, &form(part, &clean)).0, 200);
    let of_browsers = "\r\nContent-Type: multipart/form-data; boundary=\"X-Y\"";
    let part = "Content-Disposition: form-data; name=\"text\"\r\n\r\nwords\r\n--X-Y\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg";
    assert_eq!(server.outcome(of_browsers, &form(part, &listed)).0, 451);
    assert_eq!(server.check(of_browsers, &listed).problem(), (400, "multipart".into()));
    assert_eq!(server.check("\r\nContent-Encoding: gzip", &listed).problem(), (415, "content-encoding".into()));
}

#[test]
fn what_is_too_long_or_comes_without_a_token_is_refused() {
    let folder = pictures();
    fs::write(folder.path().join("tokens"), "0123456789abcdef\n").unwrap();
    let server =
        start(folder.path(), &["--filter", "pictures.hgf", "--max-file-bytes", "200000", "--token-file", "tokens"]);
    assert_eq!(server.check("", &jpeg(2, 90)).problem(), (401, "token".into()));
    let clean = jpeg(2, 90);
    assert_eq!(server.check("\r\nAuthorization: Bearer 0123456789abcdef", &clean).status, 200);
    assert_eq!(server.call("POST /v1/check?token=0123456789abcdef HTTP/1.1", &clean).status, 200);
    assert_eq!(server.call("POST /v1/check?token=0123456789abcdee HTTP/1.1", &clean).status, 401);
    let long = server.call("POST /v1/check?token=0123456789abcdef HTTP/1.1", &vec![0; 200_001]);
    assert_eq!(long.problem(), (413, "file-size".into()));
    assert!(!server.log.lock().unwrap().contains("0123456789abcdef"));
}

/// `curl` sends a large body only when it is asked to, and never needs to if it is refused.
#[test]
fn a_refused_body_is_not_asked_for() {
    let folder = pictures();
    let server = start(folder.path(), &["--filter", "pictures.hgf", "--max-file-bytes", "300000"]);
    for (length, expected) in [(300_001, b"HTTP/1.1 413"), (300_000, b"HTTP/1.1 100")] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = "POST /v1/check HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length:";
        stream.write_all(format!("{head} {length}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, expected);
    }
}

#[test]
fn without_a_list_there_is_no_answer_until_one_is_published() {
    let folder = pictures();
    fs::create_dir(folder.path().join("published")).unwrap();
    let server = start(folder.path(), &["--dir", "published"]);
    let answer = server.check("", &jpeg(2, 90));
    assert_eq!(answer.problem(), (503, "no-list".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    for args in [
        &["keygen", "--out", "key", "--name", "test"][..],
        &["publish", "pictures.csv", "--dir", "published", "--key", "key", "--name", "Pictures", "--category", "drawn"],
    ] {
        let made = Command::new(env!("CARGO_BIN_EXE_hashgate")).args(args).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success(), "{made:?}");
    }
    server.logged("lists-loaded", 2);
    assert_eq!(server.outcome("", &jpeg(1, 60)), is(451, "possible-match", "hold"));
}

#[test]
fn broken_and_hostile_senders_leave_it_serving() {
    let folder = pictures();
    let server = start(folder.path(), &["--filter", "pictures.hgf", "--check-queue", "8"]);
    // Opens more connections that send nothing further than the server's queue has places. The server refuses them or
    // times them out, and they end when their sockets are dropped.
    let silent: Vec<_> = (0..16)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            write!(stream, "POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf").unwrap();
            stream
        })
        .collect();
    while server.metric("hashgate_checks_in_progress") < 8.0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(server.check("", &jpeg(2, 90)).problem(), (503, "busy".into()));
    drop(silent);
    while server.metric("hashgate_checks_in_progress") > 0.0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    for hostile in hashgate_testkit::hostile::files() {
        assert!((200..500).contains(&server.check("", &hostile.bytes).status), "{}", hostile.name);
    }
    assert_eq!(server.outcome("", &jpeg(1, 60)).0, 451);
}
