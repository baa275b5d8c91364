//! Makes and signs releases (feature `build`: never part of the browser's code).

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};

use super::manifest::{FullFile, Manifest};
use super::note::Note;
use super::trust::{self, ED25519, Trust, VerifierKey};
use crate::filter::FilterInfo;
use crate::refusal::{Refusal, RefusalCode};

pub use super::delta::{Delta, write as write_delta};

/// Start of a private key, as in Go's `sumdb/note`: `PRIVATE+KEY+name+hash+base64`.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A private signing key. Its bytes are cleared when it is dropped.
///
/// # Examples
/// ```
/// use hashgate::release::Trust;
/// use hashgate::release::sign::Key;
///
/// // In earnest, take 32 random bytes.
/// let key = Key::new("example.org/lists", &[7; 32])?;
/// let trust = Trust::new(&[key.public()], 1)?;
/// assert_eq!(Key::parse(&key.private())?.public(), key.public());
/// # Ok::<(), hashgate::Refusal>(())
/// ```
pub struct Key {
    verifier: VerifierKey,
    signing: SigningKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.verifier.name).finish()
    }
}

impl Key {
    /// Makes a key of 32 secret random bytes.
    ///
    /// # Errors
    /// `trust-invalid` if the name is empty, or has spaces, control characters or a plus.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, Refusal> {
        if !trust::is_name(name) {
            let expected = "a name without spaces and plus, such as example.org/lists";
            return Err(RefusalCode::TrustInvalid.because("key's name", expected, &format!("{name:?}")));
        }
        let signing = SigningKey::from_bytes(secret);
        Ok(Self { verifier: VerifierKey::of_kind(ED25519, name, signing.verifying_key()), signing })
    }

    /// Reads the text of a private key as [`Key::private`] returns it. The refusal doesn't repeat the text, which is
    /// secret.
    ///
    /// # Errors
    /// `trust-invalid`.
    pub fn parse(private: &str) -> Result<Self, Refusal> {
        let (verifier, signing) = read_private(ED25519, private).ok_or_else(|| {
            RefusalCode::TrustInvalid.because(
                "private key",
                "PRIVATE+KEY+name+hash+base64, as keygen writes it",
                &"another text",
            )
        })?;
        Ok(Self { verifier, signing })
    }

    /// Returns the private key as text.
    #[must_use]
    pub fn private(&self) -> String {
        private_text(&self.verifier, &self.signing)
    }

    /// Returns the public key as text, as readers put it into their [`Trust`].
    #[must_use]
    pub fn public(&self) -> String {
        self.verifier.to_string()
    }

    /// Returns the key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.verifier.name
    }

    pub(super) fn line(&self, text: &str) -> String {
        let signature = [self.verifier.id.as_slice(), &self.signing.sign(text.as_bytes()).to_bytes()].concat();
        format!("— {} {}\n", self.verifier.name, Base64::encode_string(&signature))
    }
}

/// Reads a private key of the given C2SP kind.
pub(super) fn read_private(kind: u8, private: &str) -> Option<(VerifierKey, SigningKey)> {
    let mut parts = private.strip_prefix(PRIVATE)?.splitn(3, '+');
    let (name, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let secret = Base64::decode_vec(secret).ok()?;
    let secret: &[u8; 32] = secret.strip_prefix(&[kind])?.try_into().ok()?;
    let signing = SigningKey::from_bytes(secret);
    let verifier = VerifierKey::of_kind(kind, name, signing.verifying_key());
    (trust::is_name(name) && trust::hex(verifier.id) == id).then_some((verifier, signing))
}

/// Writes a private key.
pub(super) fn private_text(verifier: &VerifierKey, signing: &SigningKey) -> String {
    let secret = [&[verifier.kind], signing.as_bytes().as_slice()].concat();
    format!("{PRIVATE}{}+{}+{}", verifier.name, trust::hex(verifier.id), Base64::encode_string(&secret))
}

impl Manifest {
    /// Makes the manifest of a verified filter file, without deltas and curators.
    #[must_use]
    pub fn of(info: &FilterInfo, full: FullFile, issued_unix_s: u64, expires_unix_s: u64) -> Self {
        Self {
            name: info.name.clone(),
            category: info.category.clone(),
            release: info.release,
            issued_unix_s,
            expires_unix_s,
            full,
            deltas: Vec::new(),
            pdq_count: info.pdq_count,
            sha256_count: info.sha256_count,
            md5_count: info.md5_count,
            rings: info.rings,
            false_positive_parts: info.false_positive_parts,
            curators: Vec::new(),
            withdrawn: None,
            policy: None,
            appeals: None,
            jurisdiction: None,
            signed_by: Vec::new(),
            text: String::new(),
        }
    }

    /// Signs the manifest. Returns the signed note.
    ///
    /// # Errors
    /// `manifest-field`: a field has a value that readers refuse.
    pub fn sign(&self, key: &Key) -> Result<String, Refusal> {
        let text = self.to_text();
        Self::from_text(&text)?;
        let note = format!("{text}\n{}", key.line(&text));
        Note::parse(note.as_bytes())?;
        Ok(note)
    }

    /// Reads a manifest without looking at its signatures. Nothing shows who wrote it.
    ///
    /// # Errors
    /// `manifest-syntax`, `manifest-field`.
    pub fn read_unverified(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::from_text(Note::parse(bytes)?.text)
    }
}

/// Adds a signature to a note. Returns the note unchanged if the key has signed it already.
///
/// # Errors
/// `manifest-syntax`, `manifest-field`; `manifest-bad-signature` if a signature in this key's name isn't by this key.
pub fn cosign(note: &[u8], key: &Key) -> Result<Vec<u8>, Refusal> {
    let parsed = Note::parse(note)?;
    Manifest::from_text(parsed.text)?;
    if parsed.names(&key.verifier) {
        parsed.verify(&Trust::new(&[key.public()], 1)?)?;
        return Ok(note.to_vec());
    }
    let cosigned = [note, key.line(parsed.text).as_bytes()].concat();
    Note::parse(&cosigned)?;
    Ok(cosigned)
}
