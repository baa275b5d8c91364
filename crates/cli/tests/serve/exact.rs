//! Filters of other programs, which hold digests of files.

use super::check::{jpeg, pictures};
use super::clamd::{in_chunks, logged_address, talk};
use super::support::*;
use hashgate_native::dcso::ExactFilter;
use sha1::Digest;

fn write_filter(path: &Path, texts: &[String]) {
    let mut filter = ExactFilter::new(100, 1e-9).unwrap();
    texts.iter().for_each(|text| filter.add(text.as_bytes()));
    fs::write(path, filter.to_bytes()).unwrap();
}

fn sha1_of(bytes: &[u8]) -> String {
    sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn filters_of_digests_are_asked_alone_and_beside_ours() {
    let folder = pictures();
    let path = folder.path().join("other.bloom");
    let (listed, text) = (jpeg(3, 90), b"some text".to_vec());
    let md5 = hashgate::digest::Md5Digest::of(&text).to_string();
    write_filter(&path, &[sha1_of(&listed), md5]);

    // Alone, any file of other digests is clear, a broken picture too.
    let server = start(folder.path(), &["--filter", "other.bloom", "--clamd", "127.0.0.1:0"]);
    let address = logged_address(&server);
    let answer = server.check("", &listed);
    assert_eq!((answer.status, &answer.json()["outcome"]), (451, &json!("possible-match")));
    assert_eq!(answer.json()["exact"], json!([{ "list": "other.bloom", "signal": "sha1" }]));
    assert_eq!(answer.json()["matches"], json!([]));
    assert_eq!(server.check("", &text).json()["exact"][0]["signal"], "md5");
    for clean in [&jpeg(1, 90)[..], &listed[..listed.len() - 9], b"some other text"] {
        let answer = server.check("", clean);
        assert_eq!((answer.status, &answer.json()["outcome"]), (200, &json!("clear")));
    }
    let reply = talk(address, &[&b"zINSTREAM\0"[..], &in_chunks(&listed, 1000)].concat());
    assert_eq!(reply, "stream: Hashgate.PossibleMatch.other.bloom FOUND\0");
    drop(server);

    // Beside ours, both are asked, and a broken picture is unchecked.
    let server = start(folder.path(), &["--filter", "pictures.hgf", "other.bloom"]);
    assert_eq!(server.check("", &listed).json()["exact"][0]["list"], "other.bloom");
    let ours = server.check("", &jpeg(1, 60));
    assert_eq!((ours.status, &ours.json()["matches"][0]["list"]), (451, &json!("Pictures")));
    assert!(ours.json().get("exact").is_none());
    assert_eq!(server.check("", &listed[..listed.len() / 2]).status, 422);
    // Text passes unless a filter holds it. What would become of it otherwise is told.
    assert_eq!(server.check("", b"some other text").status, 200);
    let held = server.check("", &text);
    assert_eq!((held.status, &held.json()["ifNotListed"]["reason"]), (451, &json!("not-a-picture")));

    // A changed filter is read again.
    write_filter(&folder.path().join("next"), &[sha1_of(b"some other text")]);
    fs::rename(folder.path().join("next"), &path).unwrap();
    server.logged("lists-loaded", 2);
    assert_eq!(server.check("", b"some other text").status, 451);
}

#[test]
fn a_match_that_the_full_list_denies_is_held_if_a_filter_of_digests_holds_the_file() {
    let folder = pictures();
    let (listed, clean) = (jpeg(1, 90), jpeg(2, 90));
    write_filter(&folder.path().join("other.bloom"), &[sha1_of(&listed).to_uppercase(), sha1_of(&clean)]);
    let server = start(folder.path(), &["--list", "Pictures=pictures.csv", "--filter", "other.bloom"]);
    let both = server.check("", &listed).json();
    assert_eq!((&both["outcome"], &both["exact"][0]["signal"]), (&json!("match"), &json!("sha1")));
    let one = server.check("", &clean).json();
    assert_eq!((&one["outcome"], one.get("confirmedBy")), (&json!("possible-match"), None));
}

#[test]
fn a_damaged_filter_of_digests_is_refused_at_start() {
    let folder = pictures();
    write_filter(&folder.path().join("other.bloom"), &[sha1_of(b"text")]);
    let bytes = fs::read(folder.path().join("other.bloom")).unwrap();
    fs::write(folder.path().join("cut.bloom"), &bytes[..60]).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(["serve", "--listen", "127.0.0.1:0", "--filter", "cut.bloom"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && error.contains("cut.bloom: bits: expected"), "{error}");
}
