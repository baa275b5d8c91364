//! Questions and answers of the confirm route, and its errors for malformed requests.

use super::support::*;

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
        // If several rules say "listed", the answer names the strongest. If several lists hold a hash, it names the
        // first list.
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
    let field = server.post(&format!(r#"[{good}, {{"md5": "1"}}]"#), token).json()["field"].clone();
    assert_eq!(field, "[1].md5");
    let problem = server.post(&format!(r#"{{"pdq": "{}g"}}"#, &pdq[1..]), token).json();
    assert_eq!(problem["type"], "urn:hashgate:problem:field-value");
    assert_eq!((&problem["field"], &problem["got"]), (&"pdq".into(), &"'g' at character 64".into()));
    let head = format!("POST /v1/confirm HTTP/1.1\r\nContent-Type: text/plain{token}");
    assert_eq!(server.call(&head, good.as_bytes()).problem(), (415, "content-type".into()));
    assert_eq!(server.post(&" ".repeat(70_000), token).problem(), (413, "body-size".into()));
    assert_eq!(server.get("/v1/confirm", token).problem(), (405, "method".into()));
    assert_eq!(server.get("/nothing", "").problem(), (404, "not-found".into()));
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
