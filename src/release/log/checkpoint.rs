//! Checkpoints (C2SP `tlog-checkpoint`) and their cosignatures (C2SP `tlog-cosignature`, version 1).

use base64ct::{Base64, Encoding};
use ed25519_dalek::Signature;
use serde::Serialize;

use super::super::note::Note;
use super::super::trust::{VerifierKey, hex};
use super::merkle::Hash;
use super::trust::LogTrust;
use crate::refusal::{Refusal, RefusalCode};

/// A state of a log: its size and its root, as signed by the log's key and by enough witnesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the Merkle tree of all entries, in Base64.
    #[serde(serialize_with = "as_base64")]
    #[cfg_attr(test, ts(type = "string"))]
    pub root: Hash,
    /// Names of the trusted witnesses that have cosigned.
    pub witnesses: Vec<String>,
    /// The time at which enough witnesses had cosigned, in seconds since 1970-01-01 UTC. The present time can't be
    /// earlier. 0 without witnesses.
    pub witnessed_unix_s: u64,
    /// The signed note with all its signatures. If two notes of a log contradict each other, whoever has both can prove
    /// that to anybody.
    pub note: String,
}

impl Checkpoint {
    /// Reads a checkpoint if the trusted log has signed it and enough of the trusted witnesses have cosigned it.
    ///
    /// # Errors
    /// `log-syntax`, `log-wrong-origin`, `log-wrong-key`, `log-bad-signature`, `log-too-few-witnesses`.
    pub fn verify(bytes: &[u8], trust: &LogTrust) -> Result<Self, Refusal> {
        let note = Note::parse(bytes).map_err(malformed)?;
        let (origin, size, root) = read(note.text)?;
        if origin != trust.origin {
            let (expected, got) = (format!("{:?}, the trusted log's", trust.origin), format!("{origin:?}"));
            return Err(RefusalCode::LogWrongOrigin.because("origin", &expected, &got));
        }
        let mut is_signed = false;
        // For each trusted witness, the latest time at which it cosigned; 0 if it didn't cosign.
        let mut times = vec![0; trust.witnesses.len()];
        for (name, id, signature) in note.lines() {
            let of = |key: &VerifierKey| key.name == name && key.id == id;
            if of(&trust.key) {
                check(&trust.key, note.text.as_bytes(), signature)?;
                is_signed = true;
            } else if let Some(witness) = trust.witnesses.iter().position(of) {
                let time = cosigned_at(&trust.witnesses[witness], note.text, signature)?;
                times[witness] = time.max(times[witness]);
            }
        }
        if !is_signed {
            let expected = format!("{}+{}", trust.key.name, hex(trust.key.id));
            return Err(RefusalCode::LogWrongKey.because("checkpoint's signature", &expected, &"those of other keys"));
        }
        let cosigned = times.iter().filter(|&&time| time > 0).count();
        if cosigned < trust.threshold {
            let expected = format!("{} of the {} trusted witnesses", trust.threshold, trust.witnesses.len());
            return Err(RefusalCode::LogTooFewWitnesses.because("cosignatures", &expected, &cosigned));
        }
        // Takes the latest time that at least `threshold` witnesses have reached, so fewer witnesses can't move it
        // forward. Compares each time with all others, because code for sorting would add kilobytes to the wasm.
        let has_come = |&&time: &&u64| times.iter().filter(|&&other| other >= time).count() >= trust.threshold;
        let witnessed_unix_s = match trust.threshold {
            0 => 0,
            _ => times.iter().filter(has_come).fold(0, |latest, &time| latest.max(time)),
        };
        let names = trust.witnesses.iter().zip(&times).filter(|&(_, &time)| time > 0);
        let witnesses = names.map(|(witness, _)| witness.name.clone()).collect();
        let note = std::str::from_utf8(bytes).unwrap_or_default().to_owned();
        Ok(Self { origin: origin.to_owned(), size, root, witnesses, witnessed_unix_s, note })
    }
}

/// Reads the origin, size and root from the first three lines of a checkpoint's text. Ignores further lines; C2SP lets
/// a log use them as it likes.
pub(super) fn read(text: &str) -> Result<(&str, u64, Hash), Refusal> {
    let read = || {
        let mut lines = text.split_terminator('\n');
        let (origin, size, root) = (lines.next()?, number(lines.next()?)?, hash(lines.next()?)?);
        (!origin.is_empty() && lines.all(|line| !line.is_empty())).then_some((origin, size, root))
    };
    let expected = "lines with an origin, a size in decimal digits and a root in Base64, none of them empty";
    read().ok_or_else(|| RefusalCode::LogSyntax.because("checkpoint", expected, &format_args!("{text:?}")))
}

/// Returns the origin, size and root of a checkpoint without verifying any signature. The values may be forged.
///
/// # Errors
/// `log-syntax`.
#[cfg(feature = "build")]
pub fn read_unverified(note: &[u8]) -> Result<(String, u64, Hash), Refusal> {
    let (origin, size, root) = read(Note::parse(note).map_err(malformed)?.text)?;
    Ok((origin.to_owned(), size, root))
}

/// Returns the signature lines of a note that name a key, given as text (types 1 and 4). Doesn't verify the signatures.
///
/// # Errors
/// `log-syntax`, `trust-invalid`.
#[cfg(feature = "build")]
pub fn line_by(note: &[u8], key: &str) -> Result<String, Refusal> {
    let key = VerifierKey::parse(key).or_else(|_| VerifierKey::parse_kind(super::trust::COSIGNATURE, key))?;
    let note = Note::parse(note).map_err(malformed)?;
    let lines = note.lines().filter(|(name, id, _)| *name == key.name && *id == key.id);
    Ok(lines.map(|(name, id, signature)| signature_line(name, id, signature)).collect())
}

#[cfg(feature = "build")]
pub(super) fn signature_line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("— {name} {}\n", Base64::encode_string(&[&id, signature].concat()))
}

/// Reads decimal digits, without a sign or leading zeros.
pub(super) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

pub(super) fn hash(text: &str) -> Option<Hash> {
    Base64::decode_vec(text).ok()?.try_into().ok()
}

/// The message of a cosignature.
pub(super) fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Verifies a witness's cosignature of a text. Returns its time in seconds since 1970.
fn cosigned_at(key: &VerifierKey, text: &str, signature: &[u8]) -> Result<u64, Refusal> {
    let (time, rest) = signature.split_first_chunk().unwrap_or((&[0xff; 8], &[]));
    let time = u64::from_be_bytes(*time);
    if time == 0 || time > i64::MAX as u64 {
        return Err(bad(key));
    }
    check(key, message(text, time).as_bytes(), rest)?;
    Ok(time)
}

fn check(key: &VerifierKey, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    let signature = Signature::from_slice(signature);
    let holds = signature.is_ok_and(|signature| key.public.verify_strict(message, &signature).is_ok());
    if holds { Ok(()) } else { Err(bad(key)) }
}

fn bad(key: &VerifierKey) -> Refusal {
    let expected = format!("a signature of this checkpoint by {}+{}", key.name, hex(key.id));
    RefusalCode::LogBadSignature.because("signature", &expected, &"another")
}

/// Turns a refusal of a malformed note into the refusal of a malformed checkpoint.
pub(super) fn malformed(refusal: Refusal) -> Refusal {
    Refusal { code: RefusalCode::LogSyntax, field: "checkpoint".into(), ..refusal }
}

fn as_base64<S: serde::Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64::encode_string(hash))
}
