//! The confirming server: keeps the full lists on the service's side, and answers whether a possible match is on one.
//!
//! A request passes `connections` (limits of number and time) and `routes`, then goes to `confirm` (questions), `check`
//! (files to be judged) or `folder` (files to be served). `docs/how-to/confirming-server.md` and
//! `docs/how-to/check-on-the-server.md` say how to run the server, and `docs/reference/confirm-api.md` what it answers.

mod answer;
mod check;
mod client;
pub mod command;
mod confirm;
mod connections;
mod folder;
mod listed;
mod log;
mod metrics;
mod problem;
mod question;
mod reload;
mod routes;
pub mod small;
mod startup;
mod token;
mod upstream;

pub use check::judge::Hasher;
