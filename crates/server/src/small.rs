//! Serves the routes of another service with limits on the number and the duration of connections.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use hashgate_native::terminal;
use tokio::net::TcpListener;

use crate::command::end;
use crate::connections::{self, Limits};
use crate::metrics::Metrics;

/// Most connections in all, and per client.
const LIMITS: Limits = Limits { all: 1024, each: 256 };

/// Serves until the process is told to end. Prints the address once it accepts connections.
///
/// # Errors
/// The address can't be listened on.
pub fn serve(listen: SocketAddr, routes: Router) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("--listen {listen}"))?;
        let end = end()?;
        terminal::remark(&format!("{}{}", terminal::LISTENING, listener.local_addr()?));
        connections::serve(listener, routes, LIMITS, Arc::new(Metrics::new()), end).await;
        Ok(ExitCode::SUCCESS)
    })
}
