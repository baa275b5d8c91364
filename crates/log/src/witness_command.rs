//! `hashgate witness`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hashgate::release::MAX_MANIFEST_BYTES;
use hashgate::release::log::sign::WitnessKey;
use hashgate_native::{clock, secret};

use crate::witness::{Answer, Log, TEXT_TYPE, Witness};

/// Cosign the checkpoints of logs that only grow: be a witness.
///
/// Answers `POST /add-checkpoint` and `GET /ORIGIN-HASH/checkpoint`, as C2SP's tlog-witness has it. Refuses a
/// checkpoint that doesn't continue the one that it cosigned before. Keep the folder of its state: a witness that
/// forgets it can be shown another log. Answers plain HTTP; a proxy adds TLS. Ends on SIGINT or SIGTERM.
#[derive(clap::Args)]
pub struct Args {
    /// File of the witness's private key, as `keygen --witness` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of what the witness remembers. Made if it isn't there.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Public key of a log, as text or file. May be given several times. The log's origin is the key's name, unless it
    /// follows after a space: "KEY ORIGIN".
    #[arg(long = "log", value_name = "KEY", required = true)]
    logs: Vec<String>,
    /// Address and port to listen on. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8788")]
    listen: SocketAddr,
}

/// Serves until the process is told to end.
///
/// # Errors
/// A key or the folder can't be used, or the address can't be listened on.
pub fn run(args: &Args) -> Result<ExitCode> {
    let key = WitnessKey::parse(&secret::read(&args.key)?).with_context(|| args.key.display().to_string())?;
    let log = |text: &String| -> Result<Log> {
        let (key, origin) = text.split_once(' ').map_or((text.as_str(), None), |(key, origin)| (key, Some(origin)));
        Log::new(&secret::public(key)?, origin)
    };
    let logs = args.logs.iter().map(log).collect::<Result<_>>()?;
    let witness = Arc::new(Witness::open(key, logs, &args.state)?);
    hashgate_server::small::serve(args.listen, routes(witness))
}

/// Returns the routes of a witness.
pub fn routes(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{hash}/checkpoint", get(latest))
        .layer(DefaultBodyLimit::max(MAX_MANIFEST_BYTES))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let answered = tokio::task::spawn_blocking(move || {
        let now = clock::now_unix_s()?;
        anyhow::Ok(witness.add_checkpoint(&body, now))
    });
    match answered.await {
        Ok(Ok(Answer { status, content_type, body })) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn latest(State(witness): State<Arc<Witness>>, Path(hash): Path<String>) -> Response {
    match witness.latest(&hash) {
        Ok(Some(note)) => {
            ([(header::CONTENT_TYPE, TEXT_TYPE), (header::CACHE_CONTROL, "no-cache")], note).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
