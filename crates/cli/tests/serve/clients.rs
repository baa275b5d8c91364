//! Limits per client, and clients that behave badly.

use super::support::*;

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
    // A proxy that listens with one socket for IPv4 and IPv6 writes an IPv4 address in this way. It counts as the same
    // client.
    assert_eq!(from("::ffff:198.51.100.1").problem(), (429, "rate".into()));
    assert_eq!(from("198.51.100.1:4711").problem(), (429, "rate".into()));
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
    // Opens more connections than one address may have. None of them finishes the head of its request, and all stay
    // open until the end of the test.
    let mut slow: Vec<_> = (0..300).map(|_| connect()).collect();
    slow.iter_mut().for_each(|stream| _ = stream.write_all(b"POST /v1/confirm HTTP/1.1\r\nHost: h\r\nX-"));
    let start = Instant::now();
    while server_refused(&slow[280..]) == 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    // Closes most of them to make room for others.
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
        // In turn, the client closes its sending side and reads once from the answer; closes the connection at once; or
        // closes its sending side and reads the answer to the end.
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
    // Pipelining: sends 40 requests at once on one connection, then closes the sending side. All are answered, in
    // order.
    for _ in 0..25 {
        let mut stream = connect();
        stream.write_all(good.repeat(40).as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        assert_eq!(text.matches("\"outcome\":\"listed\"").count(), 40, "{text}");
    }
    // Bodies that are too long, with and without a `Content-Length` that says so.
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
    // The server ends the connections that never finished a head, 10 seconds after they began.
    for stream in &mut slow {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        assert!(!bytes.starts_with(b"HTTP/1.1 200"));
    }
    let start = Instant::now();
    // The connection that reads the metric is counted in it, so 1 is the least value.
    while server.metric("hashgate_connections") > 1.0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} open", server.metric("hashgate_connections"));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Returns how many of the connections the server has closed.
fn server_refused(streams: &[TcpStream]) -> usize {
    let closed = |stream: &&TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut stream = *stream;
        matches!(stream.read(&mut [0; 1]), Ok(0)) || stream.write(b"a").is_err()
    };
    streams.iter().filter(closed).count()
}
