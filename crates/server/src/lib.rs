//! The confirming server: keeps the full lists on the service's side, and answers whether a possible match is on one.
//!
//! A request passes `connections` (limits of number and time) and `routes`, then goes to `confirm` (questions) or
//! `folder` (files). `docs/how-to/confirming-server.md` says how to run the server, and `docs/reference/confirm-api.md`
//! what it answers.

mod answer;
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
mod upstream;
