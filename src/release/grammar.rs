//! The text of a manifest. The functions that read and write its lines stand next to each other.

use std::fmt::Display;

use super::manifest::{DeltaFile, FullFile, Manifest};
use crate::filter::text::{EXPECTED_TEXT, MAX_TEXT, is_plain_text};
use crate::filter::{MAX_RINGS, RATE_UNIT};
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::digest::Sha256Digest;

/// First line of a manifest.
const FIRST_LINE: &str = "hashgate release v1";
/// Largest number of `delta` lines of a manifest, and of `curator` lines.
pub const MAX_LINES: usize = 64;
/// Largest number in a manifest: 2^53 - 1, the largest integer up to which JavaScript is exact.
const MAX_NUMBER: u64 = (1 << 53) - 1;

impl Manifest {
    /// Reads the text of a manifest. Its lines come in this order, and each has exactly one spelling.
    /// Each occurs once, unless the right column says how many of them there may be:
    ///
    /// ```text
    /// hashgate release v1
    /// name TEXT
    /// category TEXT
    /// release N
    /// issued SECONDS
    /// expires SECONDS
    /// full PATH BYTES SHA256
    /// delta FROM PATH BYTES SHA256 BASE-SHA256     0 to 64 lines, FROM falling
    /// pdq N
    /// sha256 N
    /// md5 N
    /// rings N
    /// escalation PARTS
    /// curator TEXT                                 0 to 64 lines
    /// withdrawn N                                  0 or 1 line
    /// policy ADDRESS                               0 or 1 line
    /// appeals ADDRESS                              0 or 1 line
    /// jurisdiction TEXT                            0 or 1 line
    /// ```
    ///
    /// # Errors
    /// `manifest-field`. Nothing shows who wrote the text: use this only for the [`text`](Self::text) of a manifest
    /// that was verified.
    pub fn from_text(text: &str) -> Result<Self, Refusal> {
        let mut lines = Lines { lines: text.split_terminator('\n').peekable() };
        let first = lines.lines.next().unwrap_or_default();
        check("first line", first == FIRST_LINE, FIRST_LINE, &format_args!("{first:?}"))?;
        let manifest = Self {
            name: lines.text("name")?,
            category: lines.text("category")?,
            release: lines.number("release")?,
            issued_unix_s: lines.number("issued")?,
            expires_unix_s: lines.number("expires")?,
            full: full_file(lines.one("full")?)?,
            deltas: lines.all("delta").map(delta_file).collect::<Result<_, _>>()?,
            pdq_count: lines.number("pdq")?,
            sha256_count: lines.number("sha256")?,
            md5_count: lines.number("md5")?,
            rings: u32::try_from(lines.number("rings")?).unwrap_or(u32::MAX),
            false_positive_parts: lines.number("escalation")?,
            curators: lines.all("curator").map(|text| checked_text("curator", text)).collect::<Result<_, _>>()?,
            withdrawn: lines.take("withdrawn").map(|text| number("withdrawn", text)).transpose()?,
            policy: lines.take("policy").map(|text| address("policy", text)).transpose()?,
            appeals: lines.take("appeals").map(|text| address("appeals", text)).transpose()?,
            jurisdiction: lines.take("jurisdiction").map(|text| checked_text("jurisdiction", text)).transpose()?,
            signed_by: Vec::new(),
            text: text.to_owned(),
        };
        check("end", lines.lines.next().is_none(), "no further line", &lines.next_or_end())?;
        manifest.check_fields()?;
        Ok(manifest)
    }

    /// Writes the text of a manifest that [`from_text`](Self::from_text) can read.
    #[cfg(feature = "build")]
    pub(super) fn to_text(&self) -> String {
        use std::fmt::Write;
        let mut text = format!(
            "{FIRST_LINE}\nname {}\ncategory {}\nrelease {}\nissued {}\nexpires {}\nfull {} {} {}\n",
            self.name,
            self.category,
            self.release,
            self.issued_unix_s,
            self.expires_unix_s,
            self.full.path,
            self.full.bytes,
            self.full.sha256,
        );
        for delta in &self.deltas {
            let DeltaFile { from, path, bytes, sha256, base_sha256 } = delta;
            let _ = writeln!(text, "delta {from} {path} {bytes} {sha256} {base_sha256}");
        }
        let _ = write!(
            text,
            "pdq {}\nsha256 {}\nmd5 {}\nrings {}\nescalation {}\n",
            self.pdq_count, self.sha256_count, self.md5_count, self.rings, self.false_positive_parts
        );
        for curator in &self.curators {
            let _ = writeln!(text, "curator {curator}");
        }
        if let Some(withdrawn) = self.withdrawn {
            let _ = writeln!(text, "withdrawn {withdrawn}");
        }
        for (key, value) in [("policy", &self.policy), ("appeals", &self.appeals), ("jurisdiction", &self.jurisdiction)]
        {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} {value}");
            }
        }
        text
    }

    fn check_fields(&self) -> Result<(), Refusal> {
        check("release", self.release > 0, "1 or more", &self.release)?;
        check("expires", self.expires_unix_s > self.issued_unix_s, "later than issued", &self.expires_unix_s)?;
        let rings = if self.pdq_count > 0 { 1..=MAX_RINGS } else { 0..=0 };
        check("rings", rings.contains(&self.rings), "1 to 4 with PDQ hashes, 0 without", &self.rings)?;
        let possible = (1..=RATE_UNIT).contains(&self.false_positive_parts);
        check("escalation", possible, "1 to 10^12 parts of 10^12", &self.false_positive_parts)?;
        check("delta", self.deltas.len() <= MAX_LINES, "at most 64", &self.deltas.len())?;
        check("curator", self.curators.len() <= MAX_LINES, "at most 64", &self.curators.len())?;
        let mut below = self.release;
        for delta in &self.deltas {
            check("delta", delta.from < below, &format!("a release before {below}"), &delta.from)?;
            below = delta.from;
        }
        Ok(())
    }
}

/// The lines of a manifest that were not read yet.
struct Lines<'a> {
    lines: std::iter::Peekable<std::str::SplitTerminator<'a, char>>,
}

impl<'a> Lines<'a> {
    /// If the next line begins with `key`, takes the line and returns its value.
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let value = |line: &&'a str| line.strip_prefix(key)?.strip_prefix(' ');
        let found = value(self.lines.peek()?)?;
        self.lines.next();
        Some(found)
    }

    fn one(&mut self, key: &str) -> Result<&'a str, Refusal> {
        let found = self.take(key);
        found.ok_or_else(|| RefusalCode::ManifestField.because(key, &format!("a line {key:?}"), &self.next_or_end()))
    }

    fn all(&mut self, key: &'static str) -> impl Iterator<Item = &'a str> {
        std::iter::from_fn(move || self.take(key))
    }

    fn text(&mut self, key: &str) -> Result<String, Refusal> {
        checked_text(key, self.one(key)?)
    }

    fn number(&mut self, key: &str) -> Result<u64, Refusal> {
        number(key, self.one(key)?)
    }

    fn next_or_end(&mut self) -> String {
        self.lines.peek().map_or("the end".into(), |line| format!("{line:?}"))
    }
}

fn full_file(line: &str) -> Result<FullFile, Refusal> {
    let fields: Vec<_> = line.split(' ').collect();
    let [path, bytes, sha256] = fields[..] else {
        return Err(RefusalCode::ManifestField.because("full", "path, bytes and SHA-256", &format!("{line:?}")));
    };
    Ok(FullFile { path: file_name("full", path)?, bytes: number("full", bytes)?, sha256: digest("full", sha256)? })
}

fn delta_file(line: &str) -> Result<DeltaFile, Refusal> {
    let fields: Vec<_> = line.split(' ').collect();
    let [from, path, bytes, sha256, base] = fields[..] else {
        let expected = "release, path, bytes, SHA-256 and the base's SHA-256";
        return Err(RefusalCode::ManifestField.because("delta", expected, &format!("{line:?}")));
    };
    Ok(DeltaFile {
        from: number("delta", from)?,
        path: file_name("delta", path)?,
        bytes: number("delta", bytes)?,
        sha256: digest("delta", sha256)?,
        base_sha256: digest("delta", base)?,
    })
}

/// Reads decimal digits, without a sign or leading zeros.
fn number(field: &str, text: &str) -> Result<u64, Refusal> {
    let number = text.parse().ok().filter(|&number: &u64| number <= MAX_NUMBER && number.to_string() == text);
    number.ok_or_else(|| RefusalCode::ManifestField.because(field, "a whole number below 2^53", &format!("{text:?}")))
}

/// Reads a digest in lower-case hexadecimal.
fn digest(field: &str, text: &str) -> Result<Sha256Digest, Refusal> {
    let digest = text.parse().ok().filter(|digest: &Sha256Digest| digest.to_string() == text);
    digest.ok_or_else(|| {
        RefusalCode::ManifestField.because(field, "a SHA-256 of 64 lower-case hexadecimal digits", &format!("{text:?}"))
    })
}

/// Reads a file name. Refuses names that could lead out of the manifest's folder or to another server.
fn file_name(field: &str, text: &str) -> Result<String, Refusal> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let sound = plain && (1..=MAX_TEXT).contains(&text.len()) && !text.starts_with('.');
    check(field, sound, "a file name of letters, digits and -._", &format_args!("{text:?}"))?;
    Ok(text.to_owned())
}

/// Reads an address that a page may show as a link: `https://`, or `mailto:` for appeals, followed by visible ASCII
/// characters.
fn address(field: &str, text: &str) -> Result<String, Refusal> {
    let rest = text.strip_prefix("https://");
    let rest = rest.or_else(|| text.strip_prefix("mailto:").filter(|_| field == "appeals"));
    let plain = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let sound = rest.is_some_and(|rest| !rest.is_empty() && plain(rest)) && text.len() <= MAX_TEXT;
    check(
        field,
        sound,
        "an address of at most 200 bytes with https: (appeals: or mailto:)",
        &format_args!("{text:?}"),
    )?;
    Ok(text.to_owned())
}

fn checked_text(field: &str, text: &str) -> Result<String, Refusal> {
    let sound = is_plain_text(text);
    check(field, sound, EXPECTED_TEXT, &format_args!("{text:?}"))?;
    Ok(text.to_owned())
}

fn check(field: &str, holds: bool, expected: &str, got: &dyn Display) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(RefusalCode::ManifestField.because(field, expected, got)) }
}
