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
