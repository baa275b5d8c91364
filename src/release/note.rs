//! C2SP signed notes (<https://c2sp.org/signed-note>) with Ed25519 keys: a text, an empty line, and a line for each
//! signature.

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{MAX_MANIFEST_BYTES, Refusal, ReleaseError};

/// C2SP's number for "Ed25519 over the text".
pub(super) const ED25519: u8 = 1;
/// Signatures of one note; C2SP asks readers to take at least 16.
const MAX_SIGNATURES: usize = 100;

/// Whose signature a reader accepts: `name+hash+base64`, as `hashgate keygen` writes it to `FILE.pub`.
#[derive(Debug, Clone)]
pub(super) struct VerifierKey {
    pub(super) name: String,
    pub(super) id: [u8; 4],
    pub(super) public: VerifyingKey,
}

impl VerifierKey {
    pub(super) fn new(name: &str, public: VerifyingKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(name.as_bytes());
        hash.update([b'\n', ED25519]);
        hash.update(public.as_bytes());
        let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
        Self { name: name.to_owned(), id: [a, b, c, d], public }
    }

    fn parse(text: &str) -> Result<Self, ReleaseError> {
        let refused = |expected: &str| Refusal::TrustInvalid.because("key", expected, &format!("{text:?}"));
        // Base64 has a plus of its own; names and hashes have none.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refused("name+hash+base64"));
        };
        if !is_name(name) {
            return Err(refused("a name without spaces"));
        }
        let key = Base64::decode_vec(key).map_err(|_| refused("name+hash+base64"))?;
        let Some((&ED25519, public)) = key.split_first() else {
            return Err(refused("a key of type 1, Ed25519"));
        };
        let public = public.try_into().map_err(|_| refused("a key of 32 bytes"))?;
        let public = VerifyingKey::from_bytes(&public).map_err(|_| refused("a point of the curve"))?;
        // A key of low order has signatures that fit almost any text.
        if public.is_weak() {
            return Err(refused("a key of high order"));
        }
        let key = Self::new(name, public);
        if hex(key.id) != id {
            return Err(refused(&format!("the hash {}", hex(key.id))));
        }
        Ok(key)
    }
}

#[cfg(feature = "build")]
impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[ED25519], self.public.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id), Base64::encode_string(&key))
    }
}

/// Keys, and how many of them must have signed.
#[derive(Debug, Clone)]
pub struct Trust {
    keys: Vec<VerifierKey>,
    threshold: usize,
}

impl Trust {
    /// Any `threshold` of `keys`.
    ///
    /// # Errors
    /// `trust-invalid`: a key that isn't one, a key that is there twice (under another name too: two signatures must be
    /// two signers), a threshold of 0 or of more than there are keys.
    pub fn new<K: AsRef<str>>(keys: &[K], threshold: usize) -> Result<Self, ReleaseError> {
        let keys: Vec<_> = keys.iter().map(|key| VerifierKey::parse(key.as_ref())).collect::<Result<_, _>>()?;
        for (index, key) in keys.iter().enumerate() {
            if let Some(other) = keys[..index].iter().find(|other| other.public == key.public) {
                let got = format!("the key of {} again as {}", other.name, key.name);
                return Err(Refusal::TrustInvalid.because("keys", "different keys", &got));
            }
        }
        if !(1..=keys.len()).contains(&threshold) {
            let expected = format!("1 to {}, the number of keys", keys.len());
            return Err(Refusal::TrustInvalid.because("threshold", &expected, &threshold));
        }
        Ok(Self { keys, threshold })
    }
}

/// A note in its parts; nothing about it is proved yet.
pub(super) struct Note<'a> {
    /// What is signed, its last line feed included.
    pub(super) text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

struct SignatureLine<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ReleaseError> {
        let refused =
            |expected: &str, got: &dyn std::fmt::Display| Refusal::ManifestSyntax.because("note", expected, got);
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

    /// The names of the trusted keys whose signatures are good; at least the threshold of them.
    pub(super) fn verify(&self, trust: &Trust) -> Result<Vec<String>, ReleaseError> {
        let mut signed_by: Vec<String> = Vec::new();
        let mut signers = Vec::new();
        for line in &self.signatures {
            // What unknown keys say is ignored, as C2SP demands; what a known one says must be true.
            let known = |key: &VerifierKey| key.name == line.name && key.id == line.id;
            let Some(signer) = trust.keys.iter().position(known) else { continue };
            let key = &trust.keys[signer];
            let signature = Signature::from_slice(&line.signature);
            if !signature.is_ok_and(|signature| key.public.verify_strict(self.text.as_bytes(), &signature).is_ok()) {
                let expected = format!("a signature of this text by {}+{}", key.name, hex(key.id));
                return Err(Refusal::ManifestBadSignature.because("signature", &expected, &"another"));
            }
            if !signers.contains(&signer) {
                signers.push(signer);
                signed_by.push(key.name.clone());
            }
        }
        if signed_by.is_empty() {
            let expected: Vec<_> = trust.keys.iter().map(|key| format!("{}+{}", key.name, hex(key.id))).collect();
            let got: Vec<_> = self.signatures.iter().map(|line| format!("{}+{}", line.name, hex(line.id))).collect();
            return Err(Refusal::ManifestWrongKey.because("signature", &expected.join(" or "), &got.join(" and ")));
        }
        if signed_by.len() < trust.threshold {
            let expected = format!("{} of the {} trusted keys", trust.threshold, trust.keys.len());
            let got = format!("{}: {}", signed_by.len(), signed_by.join(" and "));
            return Err(Refusal::ManifestTooFewSignatures.because("signatures", &expected, &got));
        }
        Ok(signed_by)
    }

    /// Whether this key has signed, or says that it has.
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

pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

pub(super) fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}
