//! The host's choice of orientations.

use serde::{Deserialize, Serialize};

/// The orientations that are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Orientations {
    /// All eight rotations and reflections.
    #[default]
    All,
    /// Only the picture as stored.
    Upright,
}
