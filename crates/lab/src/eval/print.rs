//! The figures as text.

use anyhow::Result;
use hashgate_native::terminal::{complain, say};

use super::figures::{Figures, Times, percent};

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
    for reason in &figures.left_out {
        complain(&format!("left out: {reason}"));
    }
    say(format!(
        "{} pictures, {} copies, seed {}; a list of {} hashes, {} rings, image false-positive rate {:e}",
        figures.pictures,
        figures.all.copies,
        figures.seed,
        figures.list_size,
        figures.rings,
        figures.false_positive_rate
    ))?;
    let wide = figures.edits.iter().map(|row| row.edit.len() + 1).max().unwrap_or(0).max(14);
    say(format!("\n{:<wide$}{:>8}{:>8}{:>12}{:>10}", "found, %", "copies", "exact", "Hamming 31", "hashgate"))?;
    for row in figures.edits.iter().chain([&figures.all]) {
        let [exact, near, found] = [row.exact, row.near, row.found].map(|part| percent(part, row.copies));
        say(format!("{:<wide$}{:>8}{exact:>8.1}{near:>12.1}{found:>10.1}", row.edit, row.copies))?;
    }
    if figures.all.low_quality > 0 {
        say(format!("{} copies are of PDQ quality under 50, which nothing here finds", figures.all.low_quality))?;
    }
    say(format!("\n{}", figures.confirm.text()))?;
    if !figures.budgets.is_empty() {
        say(format!("\n{:>13}{:>10}{:>12}{:>14}", "lookup budget", "found, %", "lookups", "bytes/hash"))?;
    }
    for row in &figures.budgets {
        let found = percent(row.found, row.copies);
        say(format!("{:>13}{found:>10.1}{:>12}{:>14.2}", row.lookup_budget, row.lookups, row.bytes_per_hash))?;
    }
    say(format!("\n{:>12}{:>14}{:>12}{:>9}{:>12}", "asked for", "bits/item", "strangers", "matched", "measured"))?;
    for row in &figures.false_positives {
        let rate = f64::from(row.held) / f64::from(row.pictures.max(1));
        say(format!(
            "{:>12e}{:>14.2}{:>12}{:>9}{rate:>12.5}",
            row.false_positive_rate, row.bits_per_item, row.pictures, row.held
        ))?;
    }
    let Times { lookup_ms, lookup_ns, scan_ms } = figures.times;
    say(format!(
        "\n{:.2} bytes per hash, {:.1} bits per item; a picture that isn't found costs {lookup_ms:.2} ms ({lookup_ns:.1} ns per lookup); \
         a scan of the raw list {scan_ms:.2} ms",
        figures.bytes_per_hash, figures.bits_per_item
    ))
}
