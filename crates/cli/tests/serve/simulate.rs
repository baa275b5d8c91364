//! `hashgate simulate`, which plays against the real server.

use super::support::*;

/// Simulates a short day, and a second of load. The simulator itself checks every answer.
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
    // Of 600 uploads, a fifth are listed or edited: 120 on average. The bounds are six standard deviations away.
    assert!((60.0..=180.0).contains(&with("checks")), "{figures}");
    assert_eq!((with("listed"), with("cleared")), (with("checks"), 0.0));
    assert_eq!(with("manifestRequests"), 36.0);
    // New clients fetched yesterday's release in full, and then today's delta like every client. Clients that had been
    // away fetched a delta for the days that they missed.
    assert!(with("newClients") > 0.0 && with("firstDownloadBytes") > with("newClients") * 20_000.0, "{figures}");
    assert!(with("deltaRequests") > 12.0 && with("deltaBytes") > 0.0, "{figures}");
    assert_eq!(figures["larger"][1]["uploads"], 50e8);

    let figures = simulate(&["--list-size", "2000", "--load", "200", "--seconds", "1", "--format", "json"]);
    assert_eq!(figures["asked"], 200);
    assert!(figures["ms"]["p50"].as_f64().unwrap() > 0.0, "{figures}");
}
