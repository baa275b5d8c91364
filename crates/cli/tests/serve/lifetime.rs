//! Tests the server from start to end: refused settings, lists that change while it runs, and signals that end it.

use super::support::*;

#[test]
fn it_refuses_to_start_with_what_it_cant_stand_for() {
    let folder = folder();
    published(folder.path());
    fs::write(folder.path().join("empty.csv"), "hash,type\n").unwrap();
    fs::write(folder.path().join("bad.csv"), format!("hash,type\n{},pdq\nf00,pdq\n", hash(1))).unwrap();
    fs::write(folder.path().join("short"), "secret\n").unwrap();
    let cases: [(&[&str], &str); 10] = [
        (&[], "expected something to serve"),
        (&["--list", "nothing.csv"], "nothing.csv"),
        (&["--list", "empty.csv"], "empty.csv: expected at least one hash, got none"),
        (&["--list", "bad.csv"], "1 bad lines"),
        (&["--list", "first.csv", "--token-file", "short"], "short: token 1: expected 16 or more"),
        (&["--list", "a\u{202e}b=first.csv"], "expected visible characters, got U+202E"),
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

/// The raw list has become smaller, but the release without the removed entries still waits for its second signature.
/// The server must start nevertheless.
#[test]
fn a_withdrawal_that_awaits_a_cosignature_doesnt_keep_it_from_starting() {
    let folder = folder();
    published(folder.path());
    let made = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(["publish", "second.txt", "--dir", "published", "--key", "key", "--pending", "--yes"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let server = start(folder.path(), &["--list", "second.txt", "--dir", "published"]);
    assert_eq!(server.get("/list/manifest.txt", "").status, 200);
}

/// Replaces the list's file atomically by a list of numbered hashes.
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
                // Every version of the list holds this hash.
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
        // The log holds no hash, even if a client puts one in the wrong field.
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
        // Waits a different time in each round, so that the kill comes before the server sees the change, while it
        // reads, or afterwards.
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
fn a_list_replaced_by_one_of_equal_length_and_time_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    replace(folder, 0..100);
    let before = fs::metadata(folder.join("list.txt")).unwrap();
    let server = start(folder, &["--list", "list.txt", "--type", "pdq", "--rate", "0"]);
    // Restores the list's time stamp after a change, as `rsync --times` and `tar` do. The length is the same, too, so
    // the server must notice the change otherwise.
    let same_stamp = || {
        let file = fs::File::options().write(true).open(folder.join("list.txt")).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        assert_eq!(fs::metadata(folder.join("list.txt")).unwrap().len(), before.len());
    };
    replace(folder, 1000..1100);
    same_stamp();
    server.logged("lists-loaded", 2);
    assert_eq!(server.confirm(&asked(&hash(1005), 0))["outcome"], "listed");
    let text: String = (2000..2100).map(|n| format!("{}\n", hash(n))).collect();
    fs::write(folder.join("list.txt"), text).unwrap();
    same_stamp();
    server.logged("lists-loaded", 3);
    assert_eq!(server.confirm(&asked(&hash(2005), 0))["outcome"], "listed");
    assert_eq!(server.confirm(&asked(&hash(1005), 0))["outcome"], "not-listed");
}

#[cfg(unix)]
#[test]
fn a_token_file_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "0123456789abcdef\n").unwrap();
    for (mode, warned) in [(0o644, true), (0o640, true), (0o600, false)] {
        fs::set_permissions(&tokens, fs::Permissions::from_mode(mode)).unwrap();
        let server = start(folder.path(), &[&BOTH[..], &["--token-file", "tokens"]].concat());
        server.logged("\"listening\"", 1);
        let log = server.log.lock().unwrap().clone();
        let expected = format!("got {mode:03o}; run chmod 600 on it");
        assert_eq!(log.contains(&expected), warned, "{mode:03o}: {log}");
    }
}
