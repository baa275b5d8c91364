//! Tests `--upstream`: another matching service (HMA) that the server asks.

use super::support::*;

/// Starts a small HTTP server that answers `GET /m/lookup` as HMA does. `answer` returns the status, the body and the
/// delay of the n-th answer.
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
                if first.starts_with("GET /base/m/index/status ") {
                    let body = r#"{"pdq": {"present": true}}"#;
                    let _ = write!(stream, "HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    return;
                }
                let signal =
                    first.strip_prefix("GET /base/m/lookup?signal_type=pdq&signal=").map(|rest| rest[..64].to_owned());
                let seed = signal.as_ref().map(|signal| format!("&seed={signal} "));
                assert!(seed.is_some_and(|seed| first.contains(&seed)), "{first}");
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
        // The very first request fails, so the server repeats it.
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
    // HMA compares hashes of whole pictures. Its "no" doesn't count for a match of a derived view or of a digest.
    assert_eq!(server.confirm(&asked(&hash(5001), 0))["outcome"], "unknown");
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let of_view = |view: &str| {
        let mut question = asked(&hash(5001), 0);
        question["view"] = json!(view);
        server.confirm(&question)["outcome"].clone()
    };
    assert_eq!(
        [of_view("plain"), of_view("border-cut"), of_view("zoom-in-2")],
        ["not-listed", "not-listed", "unknown"]
    );
    let lengths =
        [hash(5000), hash(5001), hash(7)].map(|hash| server.post(&asked(&hash, 0).to_string(), "").body.len());
    assert!(lengths[0] == lengths[1] && lengths[1] == lengths[2], "one length for all answers: {lengths:?}");
    count.store(3, Ordering::SeqCst);
    // The upstream isn't asked about a hash that a list holds.
    assert_eq!(server.confirm(&asked(&hash(7), 0))["list"], "First list");
    assert_eq!(server.confirm(&json!({ "md5": Md5Digest::of(b"x").to_string() }))["outcome"], "unknown");
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(server.metric("hashgate_upstream_requests_total{result=\"failed\"}"), 1.0);
    drop(server);
    // A server without a list of its own asks HMA about every hash.
    let server = start(folder.path(), &["--upstream", &upstream]);
    assert_eq!(server.confirm(&asked(&hash(5000), 0))["list"], "BANK_B");
    let digest = json!({ "sha256": Sha256Digest::of(b"x").to_string() }).to_string();
    assert_eq!(server.post(&digest, "").problem(), (422, "upstream-needs-pdq".into()));
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
    // After several failures the upstream isn't asked for a while. The lists still answer.
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
        // A second attempt would get the same answer, so the server doesn't repeat the question.
        assert_eq!(count.load(Ordering::SeqCst), asked);
    }
    drop(server);
    let server = start(folder.path(), &["--upstream", &format!("hma=http://{address}/base"), "--rate", "0"]);
    assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()));
    assert_eq!(server.post(&question, "").problem(), (503, "upstream-unavailable".into()));
    server.logged("no answer within 4 s", 1);
}

#[test]
fn a_wrong_url_is_noticed_at_start_and_an_upstream_that_is_down_is_told() {
    let folder = folder();
    let (address, _) = hma(|_, _| (200, "{}".into(), Duration::ZERO));
    let other = start(folder.path(), &BOTH);
    let wrong = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(["serve", "--listen", "127.0.0.1:0", "--upstream", &format!("hma=http://{}/", other.address)])
        .output()
        .unwrap();
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("correct the URL"), "{wrong:?}");

    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = start(folder.path(), &["--upstream", &format!("hma=http://{down}/base")]);
    assert_eq!(server.get("/healthz", "").json()["status"], "degraded");
    let problem = server.post(&asked(&hash(5000), 0).to_string(), "").json();
    assert!(problem["got"].as_str().unwrap().contains("refused"), "{problem}");
    // The server's own list still answers.
    let server = start(folder.path(), &[&BOTH[..], &["--upstream", &format!("hma=http://{down}/base")]].concat());
    assert_eq!(server.get("/healthz", "").json()["status"], "ok");
    let server = start(folder.path(), &["--upstream", &format!("hma=http://{address}/base")]);
    assert_eq!(server.get("/healthz", "").json()["status"], "ok");
}
