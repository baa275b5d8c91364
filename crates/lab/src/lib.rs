//! Measurements that users run on their own machines: [`eval`] (how well copies are found) and [`simulate`] (what a day
//! costs).

pub mod eval;
pub mod simulate;
