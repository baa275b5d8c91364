//! The audit page: shows the content of a log as one HTML file that loads no other file.

use std::fmt::Write;

use anyhow::Result;
use hashgate_native::{clock, text};

use crate::history::Release;
use crate::monitor::Seen;

const STYLE: &str = "\
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c1d22; background: #fff }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid #ccc; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.alarm { border-left: 6px solid #b3261e; background: #fdeceb; padding: 0.5rem 1rem; margin: 0.5rem 0 }
.remark { border-left: 6px solid #8a6d00; background: #fff8e0; padding: 0.5rem 1rem; margin: 0.5rem 0 }
.well { border-left: 6px solid #1b6e3c; background: #e9f6ee; padding: 0.5rem 1rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem }
svg { max-width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: #1c1d22 }";

/// Writes the page.
///
/// # Errors
/// A time is after the year 9999.
pub fn write(seen: &Seen) -> Result<String> {
    let title = seen.checkpoint.as_ref().map_or(seen.url.as_str(), |checkpoint| &checkpoint.origin);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>Audit of {0}</title>\n<style>\n{STYLE}\n</style>\n<h1>Audit of {0}</h1>\n\
         <p>This page shows what the public log of a list of picture hashes holds, as a monitor saw it on {1}. Everyone who \
         uses the list is given releases from this log. A log only grows: a release can't be changed or taken back without \
         anybody noticing.</p>\n",
        escaped(title),
        clock::date(seen.at_unix_s)?
    );
    findings(&mut page, seen);
    if let Some(checkpoint) = &seen.checkpoint {
        let witnesses = match &checkpoint.witnesses[..] {
            [] => "none that this monitor was told to ask for".into(),
            names => format!("{} (at {})", escaped(&names.join(", ")), clock::date(checkpoint.witnessed_unix_s)?),
        };
        let _ = writeln!(
            page,
            "<h2>The log</h2>\n<p>{} entries at <code>{}</code>. Witnesses that confirm that it only grew: {witnesses}.</p>\n\
             <details><summary>The signed checkpoint, to compare with what others see</summary><pre>{}</pre></details>",
            checkpoint.size,
            escaped(&seen.url),
            escaped_lines(&checkpoint.note)
        );
    }
    for ((name, category), releases) in seen.history.lists() {
        list(&mut page, name, category, &releases)?;
    }
    page += "</html>\n";
    Ok(page)
}

fn findings(page: &mut String, seen: &Seen) {
    let _ = writeln!(page, "<h2>What was found</h2>");
    if seen.history.findings.is_empty() {
        let _ = writeln!(page, "<p class=\"well\">Nothing contradicts itself. Every entry is a release, in order.</p>");
    }
    for finding in &seen.history.findings {
        let (class, word) = if finding.alarm { ("alarm", "Alarm") } else { ("remark", "Note") };
        let (first, rest) = finding.text.split_once('\n').unwrap_or((&finding.text, ""));
        let rest = if rest.is_empty() { String::new() } else { format!("<pre>{}</pre>", escaped_lines(rest)) };
        let _ = writeln!(
            page,
            "<div class=\"{class}\"><strong>{word} ({}):</strong> {}{rest}</div>",
            finding.kind,
            escaped(first)
        );
    }
}

fn list(page: &mut String, name: &str, category: &str, releases: &[&Release]) -> Result<()> {
    let Some(last) = releases.last() else { return Ok(()) };
    let _ = writeln!(page, "<h2>{} ({})</h2>", escaped(name), escaped(category));
    let _ = writeln!(page, "<p>Curators: {}.</p>", escaped(&last.curators.join("; ")));
    for (word, value) in ["Policy", "Appeals", "Jurisdiction"].iter().zip(&last.about) {
        if let Some(value) = value {
            let _ = writeln!(page, "<p>{word}: {}</p>", escaped(value));
        }
    }
    let entries: Vec<_> = releases.iter().map(|it| (it.issued_unix_s, it.entries() as f64)).collect();
    plot(page, "Entries over time", "entries", &entries, true)?;
    let days = |two: &[&Release]| {
        (two[1].issued_unix_s, two[1].issued_unix_s.saturating_sub(two[0].issued_unix_s) as f64 / 86_400.0)
    };
    let cadence: Vec<_> = releases.windows(2).map(days).collect();
    plot(page, "Days between releases", "days", &cadence, false)?;
    let signed = |name: &String| releases.iter().filter(|release| release.signers.contains(name)).count();
    let mut signers: Vec<_> = releases.iter().flat_map(|release| &release.signers).collect();
    signers.sort_unstable();
    signers.dedup();
    let _ = writeln!(
        page,
        "<h3>Who has signed</h3>\n<table><tr><th>key</th><th class=\"number\">releases of {}</th></tr>",
        releases.len()
    );
    for signer in signers {
        let _ = writeln!(page, "<tr><td>{}</td><td class=\"number\">{}</td></tr>", escaped(signer), signed(signer));
    }
    page.push_str(
        "</table>\n<h3>Releases</h3>\n<table><tr><th class=\"number\">release</th><th class=\"number\">entry</th><th>signed</th>\
         <th class=\"number\">PDQ</th><th class=\"number\">SHA-256</th><th class=\"number\">MD5</th><th class=\"number\">came\
         </th><th class=\"number\">went</th><th>bits of the filter</th><th>signers</th><th>filter file</th></tr>\n",
    );
    for release in releases.iter().rev() {
        let known = |number: Option<u64>| number.map_or("not told".into(), |number| number.to_string());
        let came = release.came.map_or(format!("{:+} net", release.net), |came| came.to_string());
        let bits = release.bits.map_or(String::new(), |[set, cleared]| format!("{set} set, {cleared} cleared"));
        let [pdq, sha256, md5] = release.counts;
        let _ = writeln!(
            page,
            "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td><td class=\"number\">{pdq}</td>\
             <td class=\"number\">{sha256}</td><td class=\"number\">{md5}</td><td class=\"number\">{came}</td>\
             <td class=\"number\">{}</td><td>{bits}</td><td>{}</td><td><code>{}</code></td></tr>",
            release.release,
            release.index,
            clock::date(release.issued_unix_s)?,
            known(release.went),
            escaped(&release.signers.join(", ")),
            &release.sha256[..16]
        );
    }
    page.push_str("</table>\n");
    Ok(())
}

/// Draws values over time: as steps, or as bars.
fn plot(page: &mut String, title: &str, unit: &str, values: &[(u64, f64)], is_line: bool) -> Result<()> {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return Ok(()) };
    let (width, height, left, bottom) = (900.0, 220.0, 70.0, 40.0);
    let highest = values.iter().map(|&(_, value)| value).fold(0.0, f64::max).max(1e-9);
    let span = (last.0 - first.0).max(1) as f64;
    let x = |time: u64| left + (width - left - 20.0) * (time.saturating_sub(first.0) as f64 / span);
    let y = |value: f64| 20.0 + (height - 20.0 - bottom) * (1.0 - value / highest);
    let base = y(0.0);
    let _ = write!(
        page,
        "<h3>{title}</h3>\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}: {} values, the last {:.6} \
         {unit}\"><line x1=\"{left}\" y1=\"{base:.1}\" x2=\"{width}\" y2=\"{base:.1}\" stroke=\"#6b6d78\"/>",
        values.len(),
        last.1
    );
    if is_line {
        let mut points = String::new();
        for (at, &(time, value)) in values.iter().enumerate() {
            if at > 0 {
                let _ = write!(points, "{:.1},{:.1} ", x(time), y(values[at - 1].1));
            }
            let _ = write!(points, "{:.1},{:.1} ", x(time), y(value));
        }
        let _ = write!(page, "<polyline points=\"{points}\" fill=\"none\" stroke=\"#1f4f9e\" stroke-width=\"2\"/>");
    }
    for &(time, value) in values {
        let (x, y) = (x(time), y(value));
        let _ = match is_line {
            true => write!(page, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#1f4f9e\"/>"),
            false => write!(
                page,
                "<line x1=\"{x:.1}\" y1=\"{base:.1}\" x2=\"{x:.1}\" y2=\"{y:.1}\" stroke=\"#1f4f9e\" stroke-width=\"4\"/>"
            ),
        };
    }
    let day = |time| Ok::<_, anyhow::Error>(clock::date(time)?[..10].to_owned());
    let _ = writeln!(
        page,
        "<text x=\"{}\" y=\"24\" text-anchor=\"end\">{}</text><text x=\"{left}\" y=\"{}\">{}</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></svg>",
        left - 6.0,
        short(highest),
        height - 14.0,
        day(first.0)?,
        width - 20.0,
        height - 14.0,
        day(last.0)?
    );
    Ok(())
}

fn short(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Returns a text that can't become markup, with invisible characters escaped.
fn escaped(value: &str) -> String {
    text::plain(value).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn escaped_lines(value: &str) -> String {
    value.lines().map(escaped).collect::<Vec<_>>().join("\n")
}
