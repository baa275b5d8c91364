//! Measurements on the machine of whoever runs them: [`eval`] and [`simulate`].

pub mod eval;
pub mod simulate;
