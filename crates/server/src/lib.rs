//! The confirming server: keeps the full lists on the service's side, and answers whether a possible match is on one.
//!
//! A request goes through [`connections`] (how many, how long), [`routes`] (what is where), `confirm` (questions and
//! answers), `check` (files that are judged) or `folder` (files that are given out). `docs` of the workspace says how the server is run and what its rules are.

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
mod startup;
mod token;
mod upstream;

pub use check::judge::Hasher;
