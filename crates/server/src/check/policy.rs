//! What an operator does with each verdict. The operator states it in the same words as in the JavaScript policy, and
//! chooses the HTTP statuses of the answers.

use std::str::FromStr;

use axum::http::StatusCode;
use hashgate::{Caveat, UncheckedReason, Verdict};
use serde::de::DeserializeOwned;

/// One word of the operator about files that could not be checked: `block`, `allow`, or `REASON=block` or
/// `REASON=allow`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Word {
    reason: Option<UncheckedReason>,
    allow: bool,
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (reason, word) = text.split_once('=').map_or((None, text), |(reason, word)| (Some(reason), word));
        let allow = match word {
            "allow" => true,
            "block" => false,
            _ => return Err(format!("expected block, allow, REASON=block or REASON=allow, got {text:?}")),
        };
        let named = |name: &str| named(name).ok_or_else(|| format!("expected a reason of a verdict, got {name:?}"));
        Ok(Self { reason: reason.map(named).transpose()?, allow })
    }
}

/// Reads the name of a reason or caveat, as verdicts in JSON have it.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

/// Reads a caveat.
///
/// # Errors
/// There is no such caveat.
pub fn caveat(name: &str) -> Result<Caveat, String> {
    named(name).ok_or_else(|| format!("expected a caveat of a verdict, got {name:?}"))
}

/// Reads the status of an answer about a file that is held.
///
/// # Errors
/// The status is not from 400 to 499, so a client would not take it as a refusal.
pub fn status(text: &str) -> Result<StatusCode, String> {
    let status = text.parse().ok().filter(|status: &StatusCode| status.is_client_error());
    status.ok_or_else(|| format!("expected a status of 400 to 499, got {text:?}"))
}

/// The policy of an operator, and the statuses of answers about files that are held.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The operator's words. If several words apply to a file, the last one counts.
    pub unchecked: Vec<Word>,
    /// Caveats for which a file is held although it is clear.
    pub caveats: Vec<Caveat>,
    /// The status for a match.
    pub match_status: StatusCode,
    /// The status for a file that could not be checked, or has a caveat of `caveats`.
    pub unchecked_status: StatusCode,
}

impl Policy {
    /// Returns whether files that could not be checked for this reason pass.
    pub fn allows(&self, reason: UncheckedReason) -> bool {
        let fits = |word: &&Word| word.reason == Some(reason);
        let general = |word: &&Word| word.reason.is_none();
        let word = self.unchecked.iter().rev().find(fits).or(self.unchecked.iter().rev().find(general));
        word.map_or(reason == UncheckedReason::NotAPicture, |word| word.allow)
    }

    /// Returns whether a clear file is held for one of its caveats.
    pub fn holds_for_caveat(&self, verdict: &Verdict) -> bool {
        let found = verdict.caveat.iter().chain(&verdict.caveats);
        found.into_iter().any(|caveat| self.caveats.contains(caveat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(words: &[&str]) -> Policy {
        Policy {
            unchecked: words.iter().map(|word| word.parse().unwrap()).collect(),
            caveats: Vec::new(),
            match_status: StatusCode::FORBIDDEN,
            unchecked_status: StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    #[test]
    fn the_words_mean_what_they_mean_in_javascript() {
        use UncheckedReason::{NotAPicture, TooLarge, Unreadable};
        let answers = |words: &[&str]| [NotAPicture, TooLarge, Unreadable].map(|reason| policy(words).allows(reason));
        assert_eq!(answers(&[]), [true, false, false]);
        assert_eq!(answers(&["block"]), [false, false, false]);
        assert_eq!(answers(&["allow"]), [true, true, true]);
        assert_eq!(answers(&["too-large=allow"]), [true, true, false]);
        assert_eq!(answers(&["not-a-picture=block", "allow"]), [false, true, true]);
        for wrong in ["", "maybe", "too-large", "size=allow", "too-large=", "not-a-picture=Allow"] {
            assert!(wrong.parse::<Word>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn statuses_are_refusals() {
        assert_eq!(status("403"), Ok(StatusCode::FORBIDDEN));
        assert_eq!(status("451").map(|status| status.as_u16()), Ok(451));
        assert!(["200", "302", "503", "x", ""].iter().all(|text| status(text).is_err()));
    }
}
