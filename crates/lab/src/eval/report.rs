//! Writes the page of `hashgate eval --report`. It is self-contained, and written for people who decide about hashgate
//! rather than program with it.

use std::fmt::Write;

use super::figures::{Figures, percent};

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>hashgate: how well edited copies are found</title>
<style>
:root { color-scheme: light dark; --text: light-dark(#17211f, #e6eeec); --soft: light-dark(#52605d, #a3b3b0);
  --line: light-dark(#d5dddb, #33413f); --page: light-dark(#fff, #121817); --ours: light-dark(#0b6e69, #5fd0c5);
  --near: light-dark(#b5651d, #f0a860); --exact: light-dark(#7a7f99, #9aa2c8); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.55 system-ui, sans-serif; color: var(--text);
  background: var(--page); }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; } p { max-width: 44rem; } .soft { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.5rem 0; } .facts b { display: block; font-size: 1.9rem; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
.grid { stroke: var(--line); } .ours { fill: var(--ours); } .near { fill: var(--near); } .exact { fill: var(--exact); }
path.ours, path.near { fill: none; stroke-width: 2; } path.ours { stroke: var(--ours); }
path.near { stroke: var(--near); stroke-dasharray: 5 4; }
.key span { margin-right: 1.2rem; } .key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border-radius: 2px; }
table { border-collapse: collapse; } td, th { padding: .15rem .9rem .15rem 0; text-align: right; } td:nth-child(-n+2), th:nth-child(-n+2) { text-align: left; }
</style></head><body>
"#;

/// Returns the page as HTML.
pub fn page(figures: &Figures) -> String {
    let mut page = HEAD.to_owned();
    let all = &figures.all;
    let [exact, near, found] = [all.exact, all.near, all.found].map(|part| percent(part, all.copies));
    let mut say = |text: String| page.push_str(&text);
    say(format!(
        r#"<h1>How well edited copies are found</h1>
<p>A filter of known pictures is useful only if it still finds a picture after people have saved, resized, cropped or captioned it.
This page shows what a hashgate filter found among {copies} edited copies of {pictures} pictures, beside two other ways of using the same hash on the
same copies. It was made by <code>hashgate eval</code> on pictures of your own; nothing left the machine.</p>
<div class="facts">
<div><b>{found:.1}%</b>of the copies found by the filter</div>
<div><b>{near:.1}%</b>found by comparing with the raw list (Hamming distance 31)</div>
<div><b>{exact:.1}%</b>found by looking for equal hashes</div>
<div><b>{bytes:.1} bytes</b>of filter for each hash; the raw list takes 32, and publishes the hashes</div>
<div><b>1 in {one_in}</b>clean pictures may be held by chance: the rate that was asked for</div>
</div>"#,
        copies = grouped(all.copies.into()),
        pictures = figures.pictures,
        bytes = figures.bytes_per_hash,
        one_in = grouped((1.0 / figures.false_positive_rate).round() as u64),
    ));
    say(format!(
        r#"<h2>By kind of edit</h2>
<p>Each bar is the share of copies that were found. An edit near 100% is safe to rely on; one near 0% means that whoever edits so is not
stopped by this filter.</p>{}"#,
        bars(figures)
    ));
    let points: Vec<_> = figures
        .budgets
        .iter()
        .map(|row| (f64::from(row.lookup_budget).log2(), percent(row.found, row.copies)))
        .collect();
    let ticks: Vec<_> = figures
        .budgets
        .iter()
        .map(|row| (f64::from(row.lookup_budget).log2(), row.lookup_budget.to_string()))
        .collect();
    let level = vec![(points[0].0, near), (points[points.len() - 1].0, near)];
    let shares = [0.0, 20.0, 40.0, 60.0, 80.0, 100.0].map(|share| (share, format!("{share}%")));
    say(format!(
        r#"<h2>Found, against the effort of looking</h2>
<p>The filter is asked many times for each picture, with the least certain bits of its hash changed. More lookups find more copies, and
cost time and filter size. Dashed: comparing with the raw list.</p>{}"#,
        plot(&points, &level, &ticks, &shares, "lookups per ring key", "copies found")
    ));
    let rate = |held: u32, pictures: u32| (f64::from(held) / f64::from(pictures.max(1))).max(1e-5).log10();
    let seen = || figures.false_positives.iter();
    let points: Vec<_> = seen().map(|row| (row.bits_per_item, rate(row.held, row.pictures))).collect();
    let asked: Vec<_> = seen().map(|row| (row.bits_per_item, row.false_positive_rate.log10())).collect();
    let ticks: Vec<_> = seen().map(|row| (row.bits_per_item, format!("{:.0}", row.bits_per_item))).collect();
    let powers = [5, 4, 3, 2, 1].map(|power| (-f64::from(power), format!("1 in {}", grouped(10u64.pow(power)))));
    let powers = [&powers[..], &[(0.0, "all".into())]].concat();
    say(format!(
        r#"<h2>Clean pictures that were held by chance</h2>
<p>Longer keys mean fewer chance matches. Line: the share of {strangers} pictures and copies that are <em>not</em> on the list and were held
all the same (none at all is drawn at 1 in 100,000). They are edits of few pictures, which chance treats much alike, so the line wavers. Dashed: what the filter was asked for.</p>{plot}"#,
        strangers = grouped(figures.false_positives.first().map_or(0, |row| row.pictures).into()),
        plot = plot(&points, &asked, &ticks, &powers, "bits for each key", "share held")
    ));
    let times = &figures.times;
    let most = times.lookup_ms.max(times.scan_ms).max(0.001);
    let bar = |class: &str, y: u32, name: &str, ms: f64| {
        let width = 520.0 * ms / most;
        format!(
            r#"<text x="0" y="{}">{name}</text><rect class="{class}" x="190" y="{y}" width="{width:.1}" height="20" rx="3"/><text x="{:.1}" y="{}">{ms:.2} ms</text>"#,
            y + 15,
            196.0 + width,
            y + 15
        )
    };
    say(format!(
        r#"<h2>Time to look one picture up</h2>
<p>Median, on the machine that made this page, for a picture that isn't found: at most {lookups} lookups in the filter, or a comparison with each of the {size}
hashes of the list in all eight orientations.</p>
<svg viewBox="0 0 800 70" role="img" aria-label="Time to look one picture up">{}{}</svg>"#,
        bar("ours", 5, "hashgate filter", times.lookup_ms),
        bar("near", 38, "scan of the raw list", times.scan_ms),
        lookups = grouped(figures.lookups),
        size = grouped(figures.list_size as u64),
    ));
    say(format!(
        r#"<h2>What this does and does not say</h2>
<p>The figures hold for these pictures and these edits. The list had {size} hashes: those of the pictures, and numbered ones that stand for the rest. {low} copies
had too little detail for PDQ (quality under 50) and count as not found. Larger crops, larger rotations and collages are beyond
it. A match is a reason to ask, never a proof.</p>
<h2>The edits</h2>
<p>Each is made once of every picture, where it has a place or a colour at one drawn by the seed, and saved as JPEG of quality 90 if nothing else is said.</p>
<table><tr><th>edit</th><th>what is done</th><th>equal</th><th>Hamming 31</th><th>hashgate</th></tr>{edits}</table>
<p class="soft">Seed {seed}, {rings} rings, image false-positive rate {rate:e}, {bits:.1} bits per item.</p></body></html>
"#,
        size = grouped(figures.list_size as u64),
        low = all.low_quality,
        edits = table(figures),
        seed = figures.seed,
        rings = figures.rings,
        rate = figures.false_positive_rate,
        bits = figures.bits_per_item,
    ));
    page
}

/// Writes a number with a comma between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let group = |(place, digit): (usize, char)| {
        let comma = place > 0 && (digits.len() - place).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

fn table(figures: &Figures) -> String {
    let row = |edit: &super::figures::Recall| {
        let [exact, near, found] = [edit.exact, edit.near, edit.found].map(|part| percent(part, edit.copies));
        let (name, about) = (&edit.edit, &edit.about);
        format!("<tr><td>{name}</td><td>{about}</td><td>{exact:.1}%</td><td>{near:.1}%</td><td>{found:.1}%</td></tr>\n")
    };
    figures.edits.iter().map(row).collect()
}

fn bars(figures: &Figures) -> String {
    let (row, top) = (30, 8);
    let height = top + row * figures.edits.len();
    let mut svg = format!(
        r#"<p class="key"><span><i style="background:var(--ours)"></i>hashgate</span><span><i style="background:var(--near)"></i>Hamming 31</span>
<span><i style="background:var(--exact)"></i>equal hashes</span></p>
<svg viewBox="0 0 800 {height}" role="img" aria-label="Copies found by kind of edit">"#
    );
    for (index, edit) in figures.edits.iter().enumerate() {
        let y = top + row * index;
        let _ = write!(svg, r#"<g><title>{}</title><text x="0" y="{}">{}</text>"#, edit.about, y + 14, edit.edit);
        for (place, (class, part)) in
            [("ours", edit.found), ("near", edit.near), ("exact", edit.exact)].into_iter().enumerate()
        {
            let share = percent(part, edit.copies);
            let at = y + [0, 11, 18][place];
            let thick = [10, 6, 5][place];
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="130" y="{at}" width="{:.1}" height="{thick}" rx="2"/>"#,
                6.0 * share
            );
        }
        let _ = write!(svg, r#"<text x="738" y="{}">{:.0}%</text></g>"#, y + 14, percent(edit.found, edit.copies));
    }
    svg.push_str("</svg>");
    svg
}

type Points = [(f64, f64)];
type Ticks = [(f64, String)];

/// Draws a plot: a line of the measured points, and a dashed line to compare them with.
fn plot(measured: &Points, other: &Points, across: &Ticks, up: &Ticks, x_name: &str, y_name: &str) -> String {
    let range = |ticks: &Ticks| {
        let values = || ticks.iter().map(|(value, _)| *value);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let ((left, right), (low, high)) = (range(across), range(up));
    let x = |value: f64| 70.0 + 700.0 * (value - left) / (right - left).max(1e-9);
    let y = |value: f64| 290.0 - 260.0 * (value - low) / (high - low).max(1e-9);
    let mut svg = format!(r#"<svg viewBox="0 0 800 350" role="img" aria-label="{y_name} against {x_name}">"#);
    for (value, name) in up {
        let at = y(*value);
        let _ = write!(
            svg,
            r#"<path class="grid" d="M70 {at:.1}H770"/><text x="62" y="{:.1}" text-anchor="end">{name}</text>"#,
            at + 4.0
        );
    }
    for (value, name) in across {
        let _ = write!(svg, r#"<text x="{:.1}" y="310" text-anchor="middle">{name}</text>"#, x(*value));
    }
    for (class, points) in [("near", other), ("ours", measured)] {
        let line: Vec<_> = points.iter().map(|(a, b)| format!("{:.1} {:.1}", x(*a), y(*b))).collect();
        let _ = write!(svg, r#"<path class="{class}" d="M{}"/>"#, line.join("L"));
    }
    for (a, b) in measured {
        let _ = write!(svg, r#"<circle class="ours" cx="{:.1}" cy="{:.1}" r="4"/>"#, x(*a), y(*b));
    }
    let _ = write!(
        svg,
        r#"<text x="420" y="338" text-anchor="middle">{x_name}</text><text x="70" y="16">{y_name}</text></svg>"#
    );
    svg
}
