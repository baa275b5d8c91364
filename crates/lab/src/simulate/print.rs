//! The figures as text.

use anyhow::Result;
use hashgate_native::terminal::say;

use super::figures::{Figures, Larger};

/// Prints the figures as tables.
///
/// # Errors
/// The output can't be written.
pub fn print(figures: &Figures) -> Result<()> {
    // A blank line comes before each table.
    let say = |line: String| match line.strip_prefix('\n') {
        Some(line) => say("").and_then(|()| say(line)),
        None => say(&line),
    };
    let Figures { with, without, .. } = figures;
    let kilobytes = |bytes: u64| format!("{:.1} kB", bytes as f64 / 1e3);
    say(format!(
        "a day of {} clients: {} uploads; a list of {} hashes, {} rings, {} bytes of filter, {} changes a day; seed {}",
        figures.clients,
        figures.uploads,
        figures.list_size,
        figures.rings,
        figures.filter_bytes,
        figures.changes_a_day,
        figures.seed
    ))?;
    say(format!(
        "checked on the clients: {} different clean pictures ({} held by chance), edited copies found: {}",
        figures.different_clean_pictures, figures.clean_pictures_held_by_chance, figures.edited_copies_found
    ))?;
    let cpu = with.confirm_cpu_s + with.update_cpu_s;
    say(format!("\n{:<44}{:>18}{:>18}", "on the server, measured", "without hashgate", "with hashgate"))?;
    for (what, before, after) in [
        ("checks", without.checks.to_string(), with.checks.to_string()),
        ("  of them listed; cleared", "-".into(), format!("{}; {}", with.listed, with.cleared)),
        ("CPU ms per check", format!("{:.2}", without.cpu_ms_a_check), format!("{:.2}", with.cpu_ms_a_check)),
        ("CPU seconds, first downloads left aside", format!("{:.1}", without.cpu_s), format!("{cpu:.2}")),
        ("picture bytes hashed", format!("{:.1} MB", without.picture_bytes_hashed as f64 / 1e6), "0".into()),
        ("bytes of confirm, both ways", "-".into(), kilobytes(with.confirm_bytes)),
        (
            "requests for manifests; for deltas",
            "-".into(),
            format!("{}; {}", with.manifest_requests, with.delta_requests),
        ),
        ("bytes of manifests, both ways", "-".into(), kilobytes(with.manifest_bytes)),
        ("bytes of deltas, both ways", "-".into(), kilobytes(with.delta_bytes)),
        (
            "egress of updates per client, with manifests",
            "-".into(),
            format!("{:.1} kB", with.update_bytes_a_client / 1e3),
        ),
        ("  a client that was away", "-".into(), format!("{:.1} kB", with.update_bytes_a_client_back / 1e3)),
        (
            "first downloads",
            "-".into(),
            format!("{} clients, {}", with.new_clients, kilobytes(with.first_download_bytes)),
        ),
    ] {
        say(format!("{what:<44}{before:>18}{after:>18}"))?;
    }
    say(format!("{:.0} times fewer checks on the server", figures.times_fewer_checks))?;
    let header = figures
        .larger
        .iter()
        .map(|larger| format!("{:>24}", format!("{:.0e} clients", larger.clients)))
        .collect::<String>();
    say(format!("\n{:<44}{header}", "computed for a day of"))?;
    let row = |what: &str, value: &dyn Fn(&Larger) -> String| {
        say(format!(
            "{what:<44}{}",
            figures.larger.iter().map(|larger| format!("{:>24}", value(larger))).collect::<String>()
        ))
    };
    row("uploads", &|larger| format!("{:.3e}", larger.uploads))?;
    row("checks on the server without hashgate", &|larger| format!("{:.3e}", larger.checks_without))?;
    row("checks on the server with it", &|larger| format!("{:.3e}", larger.checks_with))?;
    row("  times fewer", &|larger| format!("{:.0}", larger.checks_without / larger.checks_with))?;
    row("  per second", &|larger| format!("{:.1}", larger.checks_a_second_with))?;
    row("CPU cores, busy all day, without hashgate", &|larger| format!("{:.1}", larger.cpu_cores_without))?;
    row("CPU cores, busy all day, with it", &|larger| format!("{:.2}", larger.cpu_cores_with))?;
    row("requests for updates per second", &|larger| format!("{:.0}", larger.update_requests_a_second))?;
    row("GB of updates", &|larger| format!("{:.0}", larger.update_gigabytes))?;
    row("GB of first downloads", &|larger| format!("{:.0}", larger.first_download_gigabytes))?;
    say("\nassumed".into())?;
    for (what, value) in &figures.assumptions {
        say(format!("  {what:<46}{value}"))?;
    }
    Ok(())
}
