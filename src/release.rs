//! Releases of a list (`docs/filter-format.md`, "The release manifest" and "Deltas"): who signed one, whether it is
//! current, and whether the bytes at hand are those it names.

mod delta;
mod note;
#[cfg(feature = "build")]
pub mod sign;

use std::fmt::Display;

use serde::Serialize;

use crate::digest::Sha256Digest;
use crate::filter_file::{self, ESCALATION_UNIT, FilterInfo, MAX_TEXT};
use crate::keys::MAX_RINGS;
pub use note::Trust;

/// First line of a manifest.
const FIRST_LINE: &str = "hashgate release v1";
/// Longest manifest, signatures included.
pub const MAX_MANIFEST_BYTES: usize = 128 << 10;
/// Most deltas and most curators of a manifest.
pub const MAX_LINES: usize = 64;
/// How far ahead of the reader's clock a manifest may be issued: clocks are wrong.
pub const MAX_AHEAD_S: u64 = 86_400;
/// Largest number in a manifest: the largest that JavaScript holds exactly.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A file that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FullFile {
    /// A file name, beside the manifest.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, ts(type = "string"))]
    pub sha256: Sha256Digest,
}

/// A delta on offer, from an earlier release to the manifest's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeltaFile {
    /// The earlier release.
    pub from: u64,
    /// A file name, beside the manifest.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256 of the delta.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, ts(type = "string"))]
    pub sha256: Sha256Digest,
    /// SHA-256 of the earlier release's full file.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, ts(type = "string"))]
    pub base_sha256: Sha256Digest,
}

impl DeltaFile {
    /// Whether these are the delta's bytes.
    ///
    /// # Errors
    /// `release-length`, `release-digest`.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), ReleaseError> {
        check_file("delta", bytes, self.bytes, &self.sha256)
    }
}

/// What a release says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Manifest {
    /// Name of the list.
    pub name: String,
    /// What the list holds, in the owner's words.
    pub category: String,
    /// Release number; later releases have larger numbers.
    pub release: u64,
    /// When it was signed, in seconds since 1970-01-01 UTC.
    pub issued_unix_s: u64,
    /// When it must have been replaced.
    pub expires_unix_s: u64,
    /// The filter file.
    pub full: FullFile,
    /// Shorter ways to it, the latest release first.
    pub deltas: Vec<DeltaFile>,
    /// PDQ hashes.
    pub pdq_count: u64,
    /// SHA-256 digests.
    pub sha256_count: u64,
    /// MD5 digests.
    pub md5_count: u64,
    /// Ring keys inserted of each PDQ hash.
    pub rings: u32,
    /// Expected share of clean pictures that hit, in parts of 10^12.
    pub escalation_parts: u64,
    /// Who vouches for the list, in their own words.
    pub curators: Vec<String>,
    /// Names of the trusted keys whose signatures were verified; empty if none were.
    pub signed_by: Vec<String>,
    /// The signed text: [`Manifest::from_text`] reads it again.
    pub text: String,
}

/// What was refused, as a stable code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The manifest isn't a signed note.
    ManifestSyntax,
    /// A line of the manifest isn't what it must be.
    ManifestField,
    /// None of the trusted keys has signed.
    ManifestWrongKey,
    /// Some, but not enough, of the trusted keys have signed.
    ManifestTooFewSignatures,
    /// A line in the name of a trusted key isn't its signature of this text.
    ManifestBadSignature,
    /// The keys or the threshold to verify with are no such thing.
    TrustInvalid,
    /// It should have been replaced by now.
    ManifestExpired,
    /// It is issued in the future.
    ManifestNotYetValid,
    /// It is older than one that was seen.
    ManifestRollback,
    /// A file hasn't the length that the manifest gives.
    ReleaseLength,
    /// A file hasn't the SHA-256 that the manifest gives.
    ReleaseDigest,
    /// A filter file says other things about itself than the manifest.
    ReleaseMismatch,
    /// The delta doesn't start from this filter.
    DeltaBase,
    /// The delta isn't one.
    DeltaSyntax,
}

impl Refusal {
    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ManifestSyntax => "manifest-syntax",
            Self::ManifestField => "manifest-field",
            Self::ManifestWrongKey => "manifest-wrong-key",
            Self::ManifestTooFewSignatures => "manifest-too-few-signatures",
            Self::ManifestBadSignature => "manifest-bad-signature",
            Self::TrustInvalid => "trust-invalid",
            Self::ManifestExpired => "manifest-expired",
            Self::ManifestNotYetValid => "manifest-not-yet-valid",
            Self::ManifestRollback => "manifest-rollback",
            Self::ReleaseLength => "release-length",
            Self::ReleaseDigest => "release-digest",
            Self::ReleaseMismatch => "release-mismatch",
            Self::DeltaBase => "delta-base",
            Self::DeltaSyntax => "delta-syntax",
        }
    }

    #[cold]
    fn because(self, field: &str, expected: &str, got: &dyn Display) -> ReleaseError {
        ReleaseError { refusal: self, field: field.into(), expected: expected.into(), got: got.to_string() }
    }
}

/// Why a release was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, got {got}")]
pub struct ReleaseError {
    /// What kind of refusal.
    pub refusal: Refusal,
    /// The field.
    pub field: String,
    /// What was expected of it.
    pub expected: String,
    /// What was got.
    pub got: String,
}

impl Manifest {
    /// Reads a manifest, once enough of the trusted keys have signed it: until then nothing in it counts.
    ///
    /// # Errors
    /// `manifest-syntax`, `manifest-bad-signature`, `manifest-wrong-key`, `manifest-too-few-signatures`,
    /// `manifest-field`.
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self, ReleaseError> {
        let note = note::Note::parse(bytes)?;
        let signed_by = note.verify(trust)?;
        Ok(Self { signed_by, ..Self::from_text(note.text)? })
    }

    /// Whether the manifest may be used now, by a reader that has seen release `highest_seen` of the list (0: none).
    ///
    /// # Errors
    /// `manifest-not-yet-valid`, `manifest-rollback`, `manifest-expired`: someone withholds newer releases, or nobody
    /// makes them.
    pub fn check_freshness(&self, now_unix_s: u64, highest_seen: u64) -> Result<(), ReleaseError> {
        let ahead = self.issued_unix_s.saturating_sub(now_unix_s);
        if ahead > MAX_AHEAD_S {
            let got = format!("{}, {ahead} s ahead of {now_unix_s}", self.issued_unix_s);
            return Err(Refusal::ManifestNotYetValid.because("issued", "at most a day ahead of the clock", &got));
        }
        if self.release < highest_seen {
            let expected = format!("at least {highest_seen}, which was seen before");
            return Err(Refusal::ManifestRollback.because("release", &expected, &self.release));
        }
        if now_unix_s >= self.expires_unix_s {
            let got = format!("{}, passed at {now_unix_s}", self.expires_unix_s);
            return Err(Refusal::ManifestExpired.because("expires", "a time to come", &got));
        }
        Ok(())
    }

    /// Whether these are the bytes of the release's full file, and the file says of itself what the manifest says.
    /// Opening it is the next step: [`crate::Filter::open`].
    ///
    /// # Errors
    /// `release-length`, `release-digest`, `release-mismatch`.
    pub fn verify_full(&self, bytes: &[u8]) -> Result<(), ReleaseError> {
        check_file("full file", bytes, self.full.bytes, &self.full.sha256)?;
        self.check_header(bytes)
    }

    /// The release's full file, from an earlier release's and a delta on offer. The result is proved: it has the
    /// SHA-256 that the manifest gives.
    ///
    /// # Errors
    /// `delta-base` if no delta starts from `base`; `release-length` and `release-digest` if `delta` isn't the one that
    /// the manifest names; `delta-syntax` and `release-mismatch` if the manifest's signers signed nonsense.
    pub fn apply_delta(&self, base: &[u8], delta: &[u8]) -> Result<Vec<u8>, ReleaseError> {
        let (info, _) = filter_file::read_header(base)
            .map_err(|error| Refusal::DeltaBase.because("base", "a filter file", &format!("one with {error}")))?;
        let Some(offer) = self.deltas.iter().find(|offer| offer.from == info.release) else {
            let offers: Vec<_> = self.deltas.iter().map(|offer| offer.from.to_string()).collect();
            let expected =
                if offers.is_empty() { "no delta".into() } else { format!("release {}", offers.join(" or ")) };
            return Err(Refusal::DeltaBase.because("base", &expected, &format!("release {}", info.release)));
        };
        offer.verify(delta)?;
        let file = delta::apply(base, delta, &offer.base_sha256, &self.full.sha256)?;
        self.check_header(&file)?;
        Ok(file)
    }

    fn check_header(&self, file: &[u8]) -> Result<(), ReleaseError> {
        let (info, _) = filter_file::read_header(file)
            .map_err(|error| Refusal::ReleaseMismatch.because("full file", "a filter file", &error))?;
        let FilterInfo { name, category, release, .. } = &info;
        let pairs: [(&str, &dyn Display, &dyn Display); 8] = [
            ("name", &self.name, name),
            ("category", &self.category, category),
            ("release", &self.release, release),
            ("PDQ hashes", &self.pdq_count, &info.pdq_count),
            ("SHA-256 digests", &self.sha256_count, &info.sha256_count),
            ("MD5 digests", &self.md5_count, &info.md5_count),
            ("rings", &self.rings, &info.rings),
            ("escalation rate", &self.escalation_parts, &info.escalation_parts),
        ];
        for (field, expected, got) in pairs {
            let (expected, got) = (expected.to_string(), got.to_string());
            if expected != got {
                return Err(Refusal::ReleaseMismatch.because(field, &expected, &got));
            }
        }
        Ok(())
    }

    /// The lines of a manifest, in this order, each with one spelling:
    ///
    /// ```text
    /// hashgate release v1
    /// name TEXT
    /// category TEXT
    /// release N
    /// issued SECONDS
    /// expires SECONDS
    /// full PATH BYTES SHA256
    /// delta FROM PATH BYTES SHA256 BASE-SHA256     0 to 64, FROM falling
    /// pdq N
    /// sha256 N
    /// md5 N
    /// rings N
    /// escalation PARTS
    /// curator TEXT                                 0 to 64
    /// ```
    ///
    /// # Errors
    /// `manifest-field`. Nothing says who wrote the text: only a verified manifest's is to be read again.
    pub fn from_text(text: &str) -> Result<Self, ReleaseError> {
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
            escalation_parts: lines.number("escalation")?,
            curators: lines.all("curator").map(|text| checked_text("curator", text)).collect::<Result<_, _>>()?,
            signed_by: Vec::new(),
            text: text.to_owned(),
        };
        check("end", lines.lines.next().is_none(), "no further line", &lines.next_or_end())?;
        manifest.check_fields()?;
        Ok(manifest)
    }

    fn check_fields(&self) -> Result<(), ReleaseError> {
        check("release", self.release > 0, "1 or more", &self.release)?;
        check("expires", self.expires_unix_s > self.issued_unix_s, "later than issued", &self.expires_unix_s)?;
        let rings = if self.pdq_count > 0 { 1..=MAX_RINGS } else { 0..=0 };
        check("rings", rings.contains(&self.rings), "1 to 4 with PDQ hashes, 0 without", &self.rings)?;
        let possible = (1..=ESCALATION_UNIT).contains(&self.escalation_parts);
        check("escalation", possible, "1 to 10^12 parts of 10^12", &self.escalation_parts)?;
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

/// The lines that are left of a manifest.
struct Lines<'a> {
    lines: std::iter::Peekable<std::str::SplitTerminator<'a, char>>,
}

impl<'a> Lines<'a> {
    /// The value of the next line, if that is its key.
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let value = |line: &&'a str| line.strip_prefix(key)?.strip_prefix(' ');
        let found = value(self.lines.peek()?)?;
        self.lines.next();
        Some(found)
    }

    fn one(&mut self, key: &str) -> Result<&'a str, ReleaseError> {
        let found = self.take(key);
        found.ok_or_else(|| Refusal::ManifestField.because(key, &format!("a line {key:?}"), &self.next_or_end()))
    }

    fn all(&mut self, key: &'static str) -> impl Iterator<Item = &'a str> {
        std::iter::from_fn(move || self.take(key))
    }

    fn text(&mut self, key: &str) -> Result<String, ReleaseError> {
        checked_text(key, self.one(key)?)
    }

    fn number(&mut self, key: &str) -> Result<u64, ReleaseError> {
        number(key, self.one(key)?)
    }

    fn next_or_end(&mut self) -> String {
        self.lines.peek().map_or("the end".into(), |line| format!("{line:?}"))
    }
}

fn full_file(line: &str) -> Result<FullFile, ReleaseError> {
    let fields: Vec<_> = line.split(' ').collect();
    let [path, bytes, sha256] = fields[..] else {
        return Err(Refusal::ManifestField.because("full", "path, bytes and SHA-256", &format!("{line:?}")));
    };
    Ok(FullFile { path: file_name("full", path)?, bytes: number("full", bytes)?, sha256: digest("full", sha256)? })
}

fn delta_file(line: &str) -> Result<DeltaFile, ReleaseError> {
    let fields: Vec<_> = line.split(' ').collect();
    let [from, path, bytes, sha256, base] = fields[..] else {
        let expected = "release, path, bytes, SHA-256 and the base's SHA-256";
        return Err(Refusal::ManifestField.because("delta", expected, &format!("{line:?}")));
    };
    Ok(DeltaFile {
        from: number("delta", from)?,
        path: file_name("delta", path)?,
        bytes: number("delta", bytes)?,
        sha256: digest("delta", sha256)?,
        base_sha256: digest("delta", base)?,
    })
}

/// Decimal digits, without a sign or zeros before it.
fn number(field: &str, text: &str) -> Result<u64, ReleaseError> {
    let number = text.parse().ok().filter(|&number: &u64| number <= MAX_NUMBER && number.to_string() == text);
    number.ok_or_else(|| Refusal::ManifestField.because(field, "a whole number below 2^53", &format!("{text:?}")))
}

/// Lower-case hexadecimal.
fn digest(field: &str, text: &str) -> Result<Sha256Digest, ReleaseError> {
    let digest = text.parse().ok().filter(|digest: &Sha256Digest| digest.to_string() == text);
    digest.ok_or_else(|| {
        Refusal::ManifestField.because(field, "a SHA-256 of 64 lower-case hexadecimal digits", &format!("{text:?}"))
    })
}

/// A name that can't lead out of the manifest's folder, nor to another server.
fn file_name(field: &str, text: &str) -> Result<String, ReleaseError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let sound = plain && (1..=MAX_TEXT).contains(&text.len()) && !text.starts_with('.');
    check(field, sound, "a file name of letters, digits and -._", &format_args!("{text:?}"))?;
    Ok(text.to_owned())
}

fn checked_text(field: &str, text: &str) -> Result<String, ReleaseError> {
    let sound = (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
    check(field, sound, "1 to 200 bytes without control characters", &format_args!("{text:?}"))?;
    Ok(text.to_owned())
}

fn check(field: &str, holds: bool, expected: &str, got: &dyn Display) -> Result<(), ReleaseError> {
    if holds { Ok(()) } else { Err(Refusal::ManifestField.because(field, expected, got)) }
}

fn check_file(what: &str, bytes: &[u8], length: u64, sha256: &Sha256Digest) -> Result<(), ReleaseError> {
    if bytes.len() as u64 != length {
        return Err(Refusal::ReleaseLength.because(
            what,
            &format!("{length} bytes"),
            &format!("{} bytes", bytes.len()),
        ));
    }
    let got = Sha256Digest::of(bytes);
    if got != *sha256 {
        return Err(Refusal::ReleaseDigest.because(what, &format!("SHA-256 {sha256}"), &got));
    }
    Ok(())
}

fn as_text<S: serde::Serializer>(value: &Sha256Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
