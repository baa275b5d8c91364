//! The manifest of a release: who signed it, whether it is current, and whether a file is the one that it names.

use std::fmt::Display;

use serde::Serialize;

use super::delta;
use super::note::Note;
use super::trust::Trust;
use crate::filter::FilterInfo;
use crate::filter::header;
use crate::refusal::{Refusal, RefusalCode};
use crate::signal::digest::Sha256Digest;

/// By how many seconds a manifest may be issued after the time on the reader's clock. Clocks may be slow, so this is a
/// day.
pub const MAX_AHEAD_S: u64 = 86_400;

/// A file that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FullFile {
    /// Name of the file, in the folder of the manifest.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, ts(type = "string"))]
    pub sha256: Sha256Digest,
}

/// A delta that a manifest names: it leads from an earlier release to the manifest's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeltaFile {
    /// The earlier release.
    pub from: u64,
    /// Name of the file, in the folder of the manifest.
    pub path: String,
    /// Length in bytes.
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
    /// Checks that these are the bytes of the delta.
    ///
    /// # Errors
    /// `release-length`, `release-digest`.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), Refusal> {
        check_file("delta", bytes, self.bytes, &self.sha256)
    }
}

/// A manifest: the facts about a release, as the list's owner has signed them.
///
/// # Examples
/// ```
/// use hashgate::RefusalCode;
/// use hashgate::release::{Manifest, Trust};
///
/// # #[cfg(feature = "build")]
/// # {
/// # let key = hashgate::release::sign::Key::new("example.org/lists", &[7; 32])?.public();
/// let trust = Trust::new(&[key], 1)?;
/// let refusal = Manifest::verify(b"not a signed note", &trust).unwrap_err();
/// assert_eq!(refusal.code, RefusalCode::ManifestSyntax);
/// # }
/// # Ok::<(), hashgate::Refusal>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Manifest {
    /// Name of the list.
    pub name: String,
    /// What the list holds, in its owner's words.
    pub category: String,
    /// Release number. Later releases have larger numbers.
    pub release: u64,
    /// When it was signed, in seconds since 1970-01-01 UTC.
    pub issued_unix_s: u64,
    /// When it expires, in seconds since 1970-01-01 UTC. By then a later release must have replaced it.
    pub expires_unix_s: u64,
    /// The filter file.
    pub full: FullFile,
    /// Deltas that lead to the filter file, the one from the latest release first.
    pub deltas: Vec<DeltaFile>,
    /// Number of PDQ hashes.
    pub pdq_count: u64,
    /// Number of SHA-256 digests.
    pub sha256_count: u64,
    /// Number of MD5 digests.
    pub md5_count: u64,
    /// Ring keys that are inserted per PDQ hash.
    pub rings: u32,
    /// Image false-positive rate: the expected share of clean pictures that match, in parts of 10^12.
    pub false_positive_parts: u64,
    /// Who vouches for the list, in their own words.
    pub curators: Vec<String>,
    /// Entries that were taken out since the release before, if the curators say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub withdrawn: Option<u64>,
    /// Address of the curators' policy: what they list, and who decides. `https:` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub policy: Option<String>,
    /// Where to object to an entry: an address with `https:` or `mailto:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub appeals: Option<String>,
    /// Whose law the curators act under, in their own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub jurisdiction: Option<String>,
    /// Names of the trusted keys whose signatures were verified; empty if the signatures were not looked at.
    pub signed_by: Vec<String>,
    /// The signed text.
    pub text: String,
}

impl Manifest {
    /// Reads a manifest if enough of the trusted keys have signed it, and if it is of the trusted list.
    ///
    /// # Errors
    /// `manifest-syntax`, `manifest-bad-signature`, `manifest-wrong-key`, `manifest-too-few-signatures`,
    /// `manifest-field`, `manifest-wrong-list`.
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self, Refusal> {
        let note = Note::parse(bytes)?;
        let signed_by = note.verify(trust)?;
        let manifest = Self { signed_by, ..Self::from_text(note.text)? };
        for (field, trusted, got) in
            [("name", &trust.list, &manifest.name), ("category", &trust.category, &manifest.category)]
        {
            if let Some(trusted) = trusted.as_ref().filter(|trusted| *trusted != got) {
                let (expected, got) = (format!("{trusted:?}, the trusted list's"), format!("{got:?}"));
                return Err(RefusalCode::ManifestWrongList.because(field, &expected, &got));
            }
        }
        Ok(manifest)
    }

    /// Checks that the manifest may be used now, by a reader that has seen release `highest_seen` of the list (0 if
    /// none).
    ///
    /// # Errors
    /// `manifest-not-yet-valid`, `manifest-rollback`, `manifest-expired`. The last one means that someone withholds
    /// newer releases, or that nobody makes them.
    pub fn check_freshness(&self, now_unix_s: u64, highest_seen: u64) -> Result<(), Refusal> {
        let ahead = self.issued_unix_s.saturating_sub(now_unix_s);
        if ahead > MAX_AHEAD_S {
            let got = format!("{}, {ahead} s ahead of {now_unix_s}", self.issued_unix_s);
            return Err(RefusalCode::ManifestNotYetValid.because("issued", "at most a day ahead of the clock", &got));
        }
        if self.release < highest_seen {
            let expected = format!("at least {highest_seen}, which was seen before");
            return Err(RefusalCode::ManifestRollback.because("release", &expected, &self.release));
        }
        if now_unix_s >= self.expires_unix_s {
            let got = format!("{}, passed at {now_unix_s}", self.expires_unix_s);
            return Err(RefusalCode::ManifestExpired.because("expires", "a time to come", &got));
        }
        Ok(())
    }

    /// Checks that the manifest may be used now, given that enough witnesses have shown that it is at least
    /// `witnessed_unix_s` now. So even if the reader's clock is slow, a manifest that expired before that time isn't
    /// accepted, and a manifest that the witnesses have seen isn't refused as issued in the future. `max_age_s` is the
    /// largest accepted age of cosignatures in seconds.
    ///
    /// # Errors
    /// `log-stale`; `manifest-not-yet-valid`, also if the manifest was issued more than a day ahead of the witnesses'
    /// clocks; `manifest-rollback`, `manifest-expired`.
    pub fn check_witnessed(
        &self,
        witnessed_unix_s: u64,
        max_age_s: Option<u64>,
        clock_unix_s: u64,
        highest_seen: u64,
    ) -> Result<(), Refusal> {
        if self.issued_unix_s.saturating_sub(witnessed_unix_s) > MAX_AHEAD_S {
            let got = format!("{}, cosigned at {witnessed_unix_s}", self.issued_unix_s);
            let expected = "at most a day ahead of the witnesses' clocks";
            return Err(RefusalCode::ManifestNotYetValid.because("issued", expected, &got));
        }
        self.check_freshness(clock_unix_s.max(witnessed_unix_s), highest_seen)?;
        match max_age_s {
            Some(most) if clock_unix_s.saturating_sub(witnessed_unix_s) > most => {
                let expected = format!("at most {most} s before {clock_unix_s}, the clock's time");
                Err(RefusalCode::LogStale.because("cosignatures", &expected, &witnessed_unix_s))
            }
            _ => Ok(()),
        }
    }

    /// Checks that these are the bytes of the release's filter file, and that its header agrees with the manifest. Open
    /// the file next: [`Filter::open`](crate::Filter::open).
    ///
    /// # Errors
    /// `release-length`, `release-digest`, `release-mismatch`.
    pub fn verify_full(&self, bytes: &[u8]) -> Result<(), Refusal> {
        check_file("full file", bytes, self.full.bytes, &self.full.sha256)?;
        self.check_header(bytes)
    }

    /// Makes the release's filter file from that of an earlier release and a delta that the manifest names. The result
    /// has the SHA-256 that the manifest gives.
    ///
    /// # Errors
    /// `delta-base` if no delta starts from `base`; `release-length` and `release-digest` if `delta` isn't the one that
    /// the manifest names; `delta-syntax` and `release-mismatch` if the delta was published malformed.
    pub fn apply_delta(&self, base: &[u8], delta: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (info, _) = header::read(base)
            .map_err(|error| RefusalCode::DeltaBase.because("base", "a filter file", &format!("one with {error}")))?;
        let Some(offer) = self.deltas.iter().find(|offer| offer.from == info.release) else {
            let offers: Vec<_> = self.deltas.iter().map(|offer| offer.from.to_string()).collect();
            let expected =
                if offers.is_empty() { "no delta".into() } else { format!("release {}", offers.join(" or ")) };
            return Err(RefusalCode::DeltaBase.because("base", &expected, &format!("release {}", info.release)));
        };
        offer.verify(delta)?;
        let file = delta::apply(base, delta, &offer.base_sha256, &self.full.sha256)?;
        self.check_header(&file)?;
        Ok(file)
    }

    fn check_header(&self, file: &[u8]) -> Result<(), Refusal> {
        let (info, _) = header::read(file)
            .map_err(|error| RefusalCode::ReleaseMismatch.because("full file", "a filter file", &error))?;
        let FilterInfo { name, category, release, .. } = &info;
        let pairs: [(&str, &dyn Display, &dyn Display); 8] = [
            ("name", &self.name, name),
            ("category", &self.category, category),
            ("release", &self.release, release),
            ("PDQ hashes", &self.pdq_count, &info.pdq_count),
            ("SHA-256 digests", &self.sha256_count, &info.sha256_count),
            ("MD5 digests", &self.md5_count, &info.md5_count),
            ("rings", &self.rings, &info.rings),
            ("image false-positive rate", &self.false_positive_parts, &info.false_positive_parts),
        ];
        for (field, expected, got) in pairs {
            let (expected, got) = (expected.to_string(), got.to_string());
            if expected != got {
                return Err(RefusalCode::ReleaseMismatch.because(field, &expected, &got));
            }
        }
        Ok(())
    }
}

fn check_file(what: &str, bytes: &[u8], length: u64, sha256: &Sha256Digest) -> Result<(), Refusal> {
    if bytes.len() as u64 != length {
        return Err(RefusalCode::ReleaseLength.because(
            what,
            &format!("{length} bytes"),
            &format!("{} bytes", bytes.len()),
        ));
    }
    let got = Sha256Digest::of(bytes);
    if got != *sha256 {
        return Err(RefusalCode::ReleaseDigest.because(what, &format!("SHA-256 {sha256}"), &got));
    }
    Ok(())
}

fn as_text<S: serde::Serializer>(value: &Sha256Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
