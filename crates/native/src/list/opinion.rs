//! The opinion of a source on a hash: that it belongs on the list, that this is disputed, or that it doesn't belong
//! there.

/// The opinion of a source on a hash.
///
/// The names are those of `threatexchange` 1.2.17 (`SignalOpinionCategory`, `AggregateSignalOpinionCategory`). A source
/// that gives no opinion counts as asserting the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Opinion {
    /// `POSITIVE_CLASS`, `INVESTIGATION_SEED`, or no word: the hash is of such a picture, or leads to one.
    #[default]
    Asserted,
    /// `DISPUTED`: some of the community assert it and some deny it.
    Disputed,
    /// `NEGATIVE_CLASS`: the hash is of a harmless picture, or an example.
    Negative,
}

impl Opinion {
    /// Reads the name of a category. Returns `None` if it isn't an opinion.
    pub(super) fn named(category: &str) -> Option<Self> {
        match category.trim().to_ascii_uppercase().as_str() {
            "POSITIVE_CLASS" | "INVESTIGATION_SEED" => Some(Self::Asserted),
            "DISPUTED" => Some(Self::Disputed),
            "NEGATIVE_CLASS" => Some(Self::Negative),
            _ => None,
        }
    }

    /// Joins two opinions on one hash, as `threatexchange` does: one that asserts and one that denies make a dispute.
    pub(super) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Disputed }
    }

    /// Joins several opinions. Without any, the hash is asserted: its source lists it.
    pub(super) fn all(opinions: impl IntoIterator<Item = Self>) -> Self {
        opinions.into_iter().reduce(Self::and).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Opinion::{self, Asserted, Disputed, Negative};

    #[test]
    fn an_assertion_and_a_denial_are_a_dispute() {
        assert_eq!(Opinion::all([]), Asserted);
        assert_eq!(Opinion::all([Asserted, Asserted]), Asserted);
        assert_eq!(Opinion::all([Negative, Negative]), Negative);
        assert_eq!(Opinion::all([Asserted, Negative, Asserted]), Disputed);
        assert_eq!(Opinion::all([Disputed, Asserted]), Disputed);
    }
}
