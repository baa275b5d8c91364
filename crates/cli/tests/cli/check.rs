//! `hashgate hash` and `hashgate check` on real files.

use super::support::*;

#[test]
fn from_pictures_to_a_filter_to_verdicts() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "listed/a.png", &draw(1));
    save(folder, "listed/deeper/b.jpg", &draw(2));
    let hashed = hashgate(folder, &["hash", "listed"]);
    assert_eq!((hashed.code, hashed.err.as_str()), (0, ""));
    let lines: Vec<_> = hashed.out.lines().collect();
    assert_eq!(lines[0], "path,width,height,pdq,quality,sha256,md5");
    assert!(lines[1].starts_with("listed/a.png,320,240,") && lines[2].starts_with("listed/deeper/b.jpg,320,240,"));
    assert_eq!(lines.len(), 3);
    write(folder, "list.csv", &hashed.out);

    let built = build(folder, &["list.csv"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert!(built.out.contains("distinct: 2 PDQ, 2 SHA-256, 2 MD5"), "{}", built.out);
    assert_eq!(counts(&inspect(folder)), [2, 2, 2]);

    save(folder, "clean/c.png", &draw(3));
    save(folder, "edited/a-small.jpg", &imageops::resize(&draw(1), 200, 150, imageops::FilterType::Triangle));
    write(folder, "broken.png", "this is not a picture");
    let check = |paths: &[&str]| {
        let run = hashgate(folder, &[&["check", "--filter", "demo.hgf", "--format", "jsonl"], paths].concat());
        (run.code, json_lines(&run.out))
    };
    let (code, clean) = check(&["clean"]);
    assert_eq!((code, &clean[0]["outcome"]), (0, &"clear".into()));
    assert_eq!(clean[0]["path"], "clean/c.png");
    assert_eq!(clean[0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(clean[0]["pdq"].as_str().unwrap().len(), 64);
    assert!(clean[0]["quality"].as_u64().unwrap() >= 50);

    let (code, all) = check(&["clean", "listed", "edited"]);
    assert_eq!(code, 1);
    let outcome: Vec<_> = all.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcome, ["clear", "possible-match", "possible-match", "possible-match"]);
    assert_eq!(all[1]["matches"][0]["strength"], "exact-bytes");
    assert_eq!(all[3]["matches"][0]["list"], "Demo");
    assert_eq!(all[3]["matches"][0]["signal"], "pdq");

    let (code, mixed) = check(&["broken.png", "listed/a.png", "missing.png"]);
    assert_eq!(code, 2);
    assert_eq!((&mixed[0]["outcome"], &mixed[0]["reason"]), (&"unchecked".into(), &"not-a-picture".into()));
    assert_eq!(mixed[1]["outcome"], "possible-match");
    assert_eq!((&mixed[2]["outcome"], &mixed[2]["reason"]), (&"unchecked".into(), &"invalid-input".into()));

    let text = hashgate(folder, &["check", "--filter", "demo.hgf", "clean/c.png", "listed/a.png"]).out;
    assert!(text.starts_with("clean/c.png: clear\nlisted/a.png: possible match: Demo (drawn pictures)"), "{text}");
}

#[test]
fn what_was_left_unread_of_a_progressive_file_is_said() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "listed/a.png", &draw(1));
    write(folder, "list.csv", &hashgate(folder, &["hash", "listed"]).out);
    assert_eq!(build(folder, &["list.csv"]).code, 0);
    let picture = imageops::resize(&draw(3), 1200, 900, imageops::FilterType::Triangle);
    for (name, progressive, said) in
        [("b.jpg", false, "clear"), ("p.jpg", true, "clear, with the caveat ac-terms-unread")]
    {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder.set_progressive(progressive);
        encoder.encode(&picture, 1200, 900, jpeg_encoder::ColorType::Rgb).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
        let run = hashgate(folder, &["check", "--filter", "demo.hgf", name]);
        assert_eq!((run.code, run.out.trim_end()), (0, format!("{name}: {said}").as_str()), "{}", run.err);
    }
}

#[test]
fn a_file_that_cannot_be_read_gets_its_own_error_and_the_rest_go_on() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "a.png", &draw(1));
    write(folder, "b.png", "no picture");
    save(folder, "c.png", &draw(2));
    let csv = hashgate(folder, &["hash", "--threads", "1", "a.png", "b.png", "missing", "c.png"]);
    assert_eq!((csv.code, csv.out.lines().count()), (2, 3));
    assert!(csv.err.contains("b.png: ") && csv.err.contains("missing: "), "{}", csv.err);

    let jsonl = hashgate(folder, &["hash", "--format", "jsonl", "."]);
    let lines = json_lines(&jsonl.out);
    assert_eq!((jsonl.code, lines.len(), jsonl.err.as_str()), (2, 3, ""));
    assert!(lines[0]["error"].is_null() && lines[2]["error"].is_null());
    assert!(lines[1]["error"].as_str().unwrap().len() > 10);
    // A file that is no picture still has digests.
    assert_eq!(lines[1]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn hostile_files_are_unchecked_with_a_reason() {
    let folder = folder();
    let files = hostile::files();
    for file in &files {
        fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    let list = folder.path().with_extension("list");
    fs::write(&list, format!("pdq {}\n", digests(1)[0])).unwrap();
    let filter = folder.path().with_extension("hgf");
    let paths = [list.to_str().unwrap(), filter.to_str().unwrap()];
    let built = ["build", paths[0], "--out", paths[1], "--name", "Demo", "--category", "drawn"];
    assert_eq!(hashgate(folder.path(), &built).code, 0);
    let checked = hashgate(folder.path(), &["check", "--filter", paths[1], "--format", "jsonl", "."]);
    fs::remove_file(list).unwrap();
    fs::remove_file(filter).unwrap();
    assert_eq!((checked.code, checked.err.as_str()), (2, ""));
    let lines = json_lines(&checked.out);
    assert_eq!(lines.len(), files.len());
    for file in files {
        let path = Path::new(".").join(&file.name);
        let line = lines.iter().find(|line| line["path"].as_str() == path.to_str()).unwrap();
        let (outcome, reason) = (&line["outcome"], &line["reason"]);
        match file.expect {
            Expect::Reads => assert_eq!(outcome, "clear", "{line}"),
            Expect::Unsupported => assert!(reason == "unsupported-picture" || reason == "not-a-picture", "{line}"),
            Expect::Unreadable | Expect::BrokenFilm => assert_eq!(reason, "unreadable", "{line}"),
            Expect::ReadsPartly | Expect::TooLarge => assert_eq!(reason, "too-large", "{line}"),
        }
    }
}

/// Filters of other programs hold digests as texts. The digests of `sha1sum` are inserted in capital letters here, as
/// in CIRCL's filters.
#[test]
fn filters_of_other_programs_are_asked_beside_ours() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "a.png", &draw(1));
    save(folder, "b.png", &draw(2));
    save(folder, "c.png", &draw(3));
    let bytes = fs::read(folder.join("b.png")).unwrap();
    write(folder, "list", &hashgate(folder, &["hash", "a.png"]).out);
    assert_eq!(build(folder, &["list", "--dcso", "ours.bloom"]).code, 0);
    use sha1::Digest;
    let sha1: String = sha1::Sha1::digest(&bytes).iter().map(|byte| format!("{byte:02X}")).collect();
    let mut other = hashgate_native::dcso::ExactFilter::new(10, 1e-9).unwrap();
    other.add(sha1.as_bytes());
    fs::write(folder.join("other.bloom"), other.to_bytes()).unwrap();
    let checked = |args: &[&str]| hashgate(folder, &[&["check", "--format", "jsonl"], args].concat());
    let run = checked(&["--filter", "ours.bloom", "--filter", "other.bloom", "a.png", "b.png", "c.png"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let lines = json_lines(&run.out);
    assert_eq!(lines[0]["exact"][0]["signal"], "sha256");
    assert_eq!(lines[0]["exact"][1]["signal"], "md5");
    assert_eq!(
        (&lines[1]["exact"][0]["signal"], &lines[1]["exact"][0]["list"]),
        (&"sha1".into(), &"other.bloom".into())
    );
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["possible-match", "possible-match", "clear"]);
    let both = checked(&["--filter", "demo.hgf", "--filter", "other.bloom", "a.png", "b.png"]);
    let lines = json_lines(&both.out);
    assert!(lines[0]["matches"][0]["list"] == "Demo" && lines[1]["exact"][0]["signal"] == "sha1", "{}", both.out);
    fs::write(folder.join("cut.bloom"), &other.to_bytes()[..60]).unwrap();
    assert!(checked(&["--filter", "cut.bloom", "a.png"]).err.contains("cut.bloom: bits: expected"));
}
