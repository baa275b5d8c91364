//! C2SP signed notes (<https://c2sp.org/signed-note>) with Ed25519 keys: a text, an empty line, and one line per
//! signature.

use base64ct::{Base64, Encoding};
use ed25519_dalek::Signature;

use super::trust::{Trust, VerifierKey, hex, is_name};
use crate::refusal::{Refusal, RefusalCode};

/// Longest manifest in bytes, signatures included.
pub const MAX_MANIFEST_BYTES: usize = 128 << 10;
/// Largest number of signatures of one note. C2SP asks readers to accept at least 16.
const MAX_SIGNATURES: usize = 100;

/// A note, split into its parts. Nothing about it is verified yet.
pub(super) struct Note<'a> {
    /// The signed text, with its last line feed.
    pub(super) text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

struct SignatureLine<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let refused =
            |expected: &str, got: &dyn std::fmt::Display| RefusalCode::ManifestSyntax.because("note", expected, got);
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(refused(&format!("at most {MAX_MANIFEST_BYTES} bytes"), &bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|error| refused("UTF-8", &error))?;
        if let Some(control) = note.chars().find(|&c| c < ' ' && c != '\n') {
            return Err(refused("no control characters", &control.escape_default()));
        }
        let Some(end) = note.rfind("\n\n") else {
            return Err(refused("a text, an empty line and signatures", &"no empty line"));
        };
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let Some(lines) = lines.strip_suffix('\n') else {
            return Err(refused("signature lines that end in a line feed", &format_args!("{lines:?}")));
        };
        let signatures: Vec<_> = lines
            .split('\n')
            .map(|line| {
                SignatureLine::parse(line)
                    .ok_or_else(|| refused("signature lines (— name base64)", &format_args!("{line:?}")))
            })
            .collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(refused(&format!("at most {MAX_SIGNATURES} signatures"), &signatures.len()));
        }
        Ok(Self { text, signatures })
    }

    /// Returns the names of the trusted keys that have signed. Refuses the note if they are fewer than the threshold.
    ///
    /// # Errors
    /// `manifest-bad-signature`, `manifest-wrong-key`, `manifest-too-few-signatures`.
    pub(super) fn verify(&self, trust: &Trust) -> Result<Vec<String>, Refusal> {
        let mut signed_by: Vec<String> = Vec::new();
        let mut signers = Vec::new();
        for line in &self.signatures {
            // Ignores signatures by unknown keys, as C2SP demands. A signature by a known key must be valid.
            let known = |key: &VerifierKey| key.name == line.name && key.id == line.id;
            let Some(signer) = trust.keys.iter().position(known) else { continue };
            let key = &trust.keys[signer];
            let signature = Signature::from_slice(&line.signature);
            if !signature.is_ok_and(|signature| key.public.verify_strict(self.text.as_bytes(), &signature).is_ok()) {
                let expected = format!("a signature of this text by {}+{}", key.name, hex(key.id));
                return Err(RefusalCode::ManifestBadSignature.because("signature", &expected, &"another"));
            }
            if !signers.contains(&signer) {
                signers.push(signer);
                signed_by.push(key.name.clone());
            }
        }
        if signed_by.is_empty() {
            let expected: Vec<_> = trust.keys.iter().map(|key| format!("{}+{}", key.name, hex(key.id))).collect();
            let got: Vec<_> = self.signatures.iter().map(|line| format!("{}+{}", line.name, hex(line.id))).collect();
            return Err(RefusalCode::ManifestWrongKey.because("signature", &expected.join(" or "), &got.join(" and ")));
        }
        if signed_by.len() < trust.threshold {
            let expected = format!("{} of the {} trusted keys", trust.threshold, trust.keys.len());
            let got = format!("{}: {}", signed_by.len(), signed_by.join(" and "));
            return Err(RefusalCode::ManifestTooFewSignatures.because("signatures", &expected, &got));
        }
        Ok(signed_by)
    }

    /// Returns the signature lines: the name, the hash of the key, and the signature. Nothing about them is verified.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, [u8; 4], &[u8])> {
        self.signatures.iter().map(|line| (line.name, line.id, line.signature.as_slice()))
    }

    /// Returns whether a signature line names this key. The signature may be invalid.
    #[cfg(feature = "build")]
    pub(super) fn names(&self, key: &VerifierKey) -> bool {
        self.signatures.iter().any(|line| line.name == key.name && line.id == key.id)
    }
}

impl<'a> SignatureLine<'a> {
    /// ```text
    /// — name base64(4 bytes: first of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key) ‖ signature)
    /// ```
    fn parse(line: &'a str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let signature = Base64::decode_vec(signature).ok()?;
        let (id, signature) = signature.split_first_chunk()?;
        (is_name(name) && !signature.is_empty()).then(|| Self { name, id: *id, signature: signature.to_vec() })
    }
}
