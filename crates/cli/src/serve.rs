//! The confirming server: the full lists, kept on the service's side, and the answer to the rare question whether a possible
//! match is one. `docs/reference/confirm-api.md` says how it is run and what its rules are.

pub mod confirm;
pub mod connections;
pub mod http;
pub mod listed;
pub mod log;
pub mod metrics;
pub mod upstream;
