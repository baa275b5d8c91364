//! Signs checkpoints, as a log and as a witness (feature `build`: never part of the browser's code).

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};

use super::super::note::Note;
use super::super::sign::{Key, private_text, read_private};
use super::super::trust::{VerifierKey, is_name};
use super::checkpoint::{malformed, message, read, signature_line};
use super::merkle::Hash;
use super::trust::COSIGNATURE;
use crate::refusal::{Refusal, RefusalCode};

/// Writes and signs a checkpoint. The origin is the key's name.
#[must_use]
pub fn checkpoint(key: &Key, size: u64, root: &Hash) -> String {
    let text = format!("{}\n{size}\n{}\n", key.name(), Base64::encode_string(root));
    format!("{text}\n{}", key.line(&text))
}

/// A private key of a witness. It signs cosignatures and nothing else. Its bytes are cleared when it is dropped.
pub struct WitnessKey {
    verifier: VerifierKey,
    signing: SigningKey,
}

impl std::fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WitnessKey").field(&self.verifier.name).finish()
    }
}

impl WitnessKey {
    /// Makes a key of 32 secret random bytes.
    ///
    /// # Errors
    /// `trust-invalid` if the name is empty, or has spaces, control characters or a plus.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, Refusal> {
        if !is_name(name) {
            let expected = "a name without spaces and plus, such as example.org/witness";
            return Err(RefusalCode::TrustInvalid.because("key's name", expected, &format!("{name:?}")));
        }
        let signing = SigningKey::from_bytes(secret);
        Ok(Self { verifier: VerifierKey::of_kind(COSIGNATURE, name, signing.verifying_key()), signing })
    }

    /// Reads the text of a private key as [`private`](Self::private) returns it. The refusal doesn't repeat the text,
    /// which is secret.
    ///
    /// # Errors
    /// `trust-invalid`.
    pub fn parse(private: &str) -> Result<Self, Refusal> {
        let (verifier, signing) = read_private(COSIGNATURE, private).ok_or_else(|| {
            let expected = "PRIVATE+KEY+name+hash+base64 of type 4, as keygen --witness writes it";
            RefusalCode::TrustInvalid.because("private key", expected, &"another text")
        })?;
        Ok(Self { verifier, signing })
    }

    /// Returns the private key as text.
    #[must_use]
    pub fn private(&self) -> String {
        private_text(&self.verifier, &self.signing)
    }

    /// Returns the public key as text.
    #[must_use]
    pub fn public(&self) -> String {
        self.verifier.to_string()
    }

    /// Returns the key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.verifier.name
    }

    /// Cosigns a checkpoint at a time in seconds since 1970. Returns the signature line. Before calling this, check
    /// that the checkpoint continues the one that the witness cosigned before.
    ///
    /// # Errors
    /// `log-syntax`.
    pub fn cosign(&self, note: &[u8], unix_s: u64) -> Result<String, Refusal> {
        let text = Note::parse(note).map_err(malformed)?.text;
        read(text)?;
        let signature = self.signing.sign(message(text, unix_s).as_bytes()).to_bytes();
        let timed = [unix_s.to_be_bytes().as_slice(), &signature].concat();
        Ok(signature_line(&self.verifier.name, self.verifier.id, &timed))
    }
}
