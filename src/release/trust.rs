//! Signing keys whose signatures a reader accepts.

use base64ct::{Base64, Encoding};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use crate::refusal::{Refusal, RefusalCode};

/// C2SP's number for keys that sign the text itself with Ed25519.
pub(super) const ED25519: u8 = 1;

/// A public signing key: `name+hash+base64`, as `hashgate keygen` writes it to `FILE.pub`.
#[derive(Debug, Clone)]
pub(super) struct VerifierKey {
    /// C2SP's number for the kind of signatures that the key makes.
    #[cfg(feature = "build")]
    pub(super) kind: u8,
    pub(super) name: String,
    pub(super) id: [u8; 4],
    pub(super) public: VerifyingKey,
}

impl VerifierKey {
    pub(super) fn of_kind(kind: u8, name: &str, public: VerifyingKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(name.as_bytes());
        hash.update([b'\n', kind]);
        hash.update(public.as_bytes());
        let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
        Self {
            #[cfg(feature = "build")]
            kind,
            name: name.to_owned(),
            id: [a, b, c, d],
            public,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        Self::parse_kind(ED25519, text)
    }

    pub(super) fn parse_kind(kind: u8, text: &str) -> Result<Self, Refusal> {
        let refused = |expected: &str| RefusalCode::TrustInvalid.because("key", expected, &format!("{text:?}"));
        // Base64 can contain a plus; names and hashes can't.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refused("name+hash+base64"));
        };
        if !is_name(name) {
            return Err(refused("a name without spaces"));
        }
        let key = Base64::decode_vec(key).map_err(|_| refused("name+hash+base64"))?;
        let Some((_, public)) = key.split_first().filter(|&(&got, _)| got == kind) else {
            return Err(refused(&format!("a key of type {kind}")));
        };
        let public = public.try_into().map_err(|_| refused("a key of 32 bytes"))?;
        let public = VerifyingKey::from_bytes(&public).map_err(|_| refused("a point of the curve"))?;
        // For a public key of low order, some signatures are valid for almost any text.
        if public.is_weak() {
            return Err(refused("a key of high order"));
        }
        let key = Self::of_kind(kind, name, public);
        if hex(key.id) != id {
            return Err(refused(&format!("the hash {}", hex(key.id))));
        }
        Ok(key)
    }
}

#[cfg(feature = "build")]
impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[self.kind], self.public.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id), Base64::encode_string(&key))
    }
}

/// The signing keys that a reader trusts, how many of them must have signed, and for which list.
///
/// # Examples
/// ```
/// use hashgate::release::Trust;
///
/// // What `hashgate keygen --name example.org/lists` wrote to `key.pub`.
/// # let secret = [7; 32];
/// # #[cfg(feature = "build")]
/// # let key = hashgate::release::sign::Key::new("example.org/lists", &secret)?.public();
/// # #[cfg(feature = "build")]
/// let trust = Trust::new(&[key], 1)?.for_list("Example list", None);
/// assert_eq!(Trust::new(&["nonsense"], 1).unwrap_err().code.as_str(), "trust-invalid");
/// # Ok::<(), hashgate::Refusal>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trust {
    pub(super) keys: Vec<VerifierKey>,
    /// How many of `keys` must have signed.
    pub(super) threshold: usize,
    /// Name of the list, if only one is trusted.
    pub(super) list: Option<String>,
    /// Category of the list, if only one is trusted.
    pub(super) category: Option<String>,
}

impl Trust {
    /// Trusts every list that at least `threshold` of `keys` have signed.
    ///
    /// # Errors
    /// `trust-invalid`: a key is malformed or repeated (under another name too, because two signatures must come from
    /// two signers), or the threshold is not in 1 to the number of keys.
    pub fn new<K: AsRef<str>>(keys: &[K], threshold: usize) -> Result<Self, Refusal> {
        let keys: Vec<_> = keys.iter().map(|key| VerifierKey::parse(key.as_ref())).collect::<Result<_, _>>()?;
        distinct("keys", &keys)?;
        if !(1..=keys.len()).contains(&threshold) {
            let expected = format!("1 to {}, the number of keys", keys.len());
            return Err(RefusalCode::TrustInvalid.because("threshold", &expected, &threshold));
        }
        Ok(Self { keys, threshold, list: None, category: None })
    }

    /// Trusts only the list with this name, and with this category if one is given. One key can sign several lists.
    /// Without this restriction, a server could answer with another list of the same key.
    #[must_use]
    pub fn for_list(mut self, name: impl Into<String>, category: Option<String>) -> Self {
        (self.list, self.category) = (Some(name.into()), category);
        self
    }
}

/// Checks that no key is repeated, whatever its name.
pub(super) fn distinct(field: &str, keys: &[VerifierKey]) -> Result<(), Refusal> {
    for (index, key) in keys.iter().enumerate() {
        if let Some(other) = keys[..index].iter().find(|other| other.public == key.public) {
            let got = format!("the key of {} again as {}", other.name, key.name);
            return Err(RefusalCode::TrustInvalid.because(field, "different keys", &got));
        }
    }
    Ok(())
}

pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

pub(super) fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}
