//! `hashgate eval`.

use super::support::*;

#[test]
fn eval_measures_the_same_twice_and_writes_a_page() {
    let folder = folder();
    let folder = folder.path();
    for seed in 1..=4 {
        save(folder, &format!("pictures/{seed}.png"), &draw(seed));
    }
    write(folder, "pictures/notes.txt", "not a picture");
    let eval = |threads: &str, report: &str| {
        let args =
            ["eval", "pictures", "--list-size", "2000", "--format", "json", "--threads", threads, "--report", report];
        let run = hashgate(folder, &args);
        assert_eq!(run.code, 0, "{}", run.err);
        let mut figures: Value = serde_json::from_str(&run.out).unwrap();
        figures.as_object_mut().unwrap().remove("times");
        figures
    };
    let figures = eval("1", "report.html");
    assert_eq!(figures, eval("2", "again.html"));
    assert_eq!((&figures["pictures"], &figures["all"]["copies"]), (&4.into(), &172.into()));
    assert!(figures["leftOut"][0].as_str().unwrap().contains("notes.txt"), "{}", figures["leftOut"]);
    let of = |edit: &str| figures["edits"].as_array().unwrap().iter().find(|row| row["edit"] == edit).unwrap().clone();
    assert_eq!((&of("png")["exact"], &of("png")["near"], &of("png")["found"]), (&4.into(), &4.into(), &4.into()));
    // The filter finds all copies of this edit, and equal hashes find none of them. So the two figures are counted
    // separately.
    assert_eq!((&of("border-2")["exact"], &of("border-2")["found"]), (&0.into(), &4.into()));
    assert!(of("border-2")["near"].as_u64() < Some(4));
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(page.contains("letterbox") && !page.contains("http") && !page.contains("<script"), "self-contained");

    let refused = hashgate(folder, &["eval", "missing"]);
    assert!(refused.err.contains("missing: expected a folder of pictures"), "{}", refused.err);
}

#[test]
fn eval_measures_copies_that_other_programs_made() {
    let folder = folder();
    let folder = folder.path();
    for seed in 1..=4 {
        save(folder, &format!("pictures/{seed}.png"), &draw(seed));
        save(folder, &format!("copies/mirrored/{seed}.jpg"), &imageops::flip_horizontal(&draw(seed)));
        // A quarter of a picture, which nothing finds, and a picture that isn't in the folder.
        save(
            folder,
            &format!("copies/quarter/{seed}.png"),
            &imageops::crop_imm(&draw(seed), 0, 0, 160, 120).to_image(),
        );
        save(folder, &format!("copies/quarter/other-{seed}.png"), &draw(seed + 10));
    }
    write(folder, "copies/mirrored/4.jpg", "not a picture");
    let arguments = ["eval", "pictures", "--copies", "copies", "--list-size", "2000", "--format", "json"];
    let measured = hashgate(folder, &arguments);
    assert_eq!(measured.code, 0, "{}", measured.err);
    let figures: Value = serde_json::from_str(&measured.out).unwrap();
    let row = |at: usize| {
        let row = &figures["edits"][at];
        (row["edit"].as_str().unwrap(), ["copies", "near", "found"].map(|field| row[field].as_u64().unwrap()))
    };
    assert_eq!((row(0), row(1)), (("mirrored", [4, 3, 3]), ("quarter", [4, 0, 0])), "an unreadable copy isn't found");
    assert_eq!(figures["pictures"], 4);

    let refused = hashgate(folder, &["eval", "pictures", "--copies", "pictures"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("pictures: expected a folder for each edit"), "{}", refused.err);
}

#[test]
fn eval_measures_films_and_the_copies_that_lie_beside_them() {
    if !Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let folder = folder();
    let folder = folder.path();
    fs::create_dir_all(folder.join("films/one")).unwrap();
    for (name, first) in [("one.mov", 0), ("two.mov", 20), ("one/copy.mov", 0)] {
        fs::write(folder.join("films").join(name), super::films::film(first, 12)).unwrap();
    }
    let arguments =
        ["eval", "films", "--list-size", "2000", "--edit", "mirrored", "--edit", "screen", "--format", "json"];
    let measured = hashgate(folder, &arguments);
    assert_eq!(measured.code, 0, "{}", measured.err);
    let figures: Value = serde_json::from_str(&measured.out).unwrap();
    assert_eq!((&figures["films"], &figures["all"]["copies"]), (&2.into(), &5.into()), "{figures}");
    let row = |name: &str| {
        let rows = figures["edits"].as_array().unwrap();
        let row = rows.iter().find(|row| row["edit"] == name).unwrap();
        ["copies", "content", "everySecond", "vpdqThreeFrames"].map(|field| row[field].as_u64().unwrap())
    };
    // Our rule finds what vPDQ's doesn't: a copy turned over, and a film within a screen.
    assert_eq!(row("mirrored"), [2, 2, 2, 0]);
    assert_eq!(row("screen"), [2, 2, 2, 0]);
    assert_eq!(row("own copies"), [1, 1, 1, 1]);
    assert_eq!(figures["clean"]["heldByTheOthers"], 0);
    let refused = hashgate(folder, &["eval", "films", "--edit", "none"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("--edit: expected one of h264-28, "), "{}", refused.err);
}
