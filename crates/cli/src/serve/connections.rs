//! Accepting connections, and ending those that take too long or are too many.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::log::log;
use super::metrics::Metrics;

/// For the head of a request, and between two requests of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// A connection is ended at this age, whatever it is doing: the slowest download that is waited for.
const LIFE: Duration = Duration::from_secs(1200);
/// For open requests, once the server is told to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all.
    pub all: usize,
    /// From one address; 0 is no limit.
    pub each: usize,
}

/// The address at the other end, as the routes see it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Serves until `end`, then waits for what is open.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    end: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(limits.all));
    let peers = Arc::new(Peers { counts: Mutex::default(), each: limits.each });
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let next = async { (slots.clone().acquire_owned().await.expect("never closed"), listener.accept().await) };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            () = &mut end => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, address.ip().to_canonical()),
            Err(error) => {
                // Out of file descriptors, as a rule: others must close first.
                log("accept-failed", json!({ "error": error.kind().to_string() }));
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = peers.clone().enter(peer) else {
            metrics.refused.inc();
            continue;
        };
        let connection = graceful.watch(open(stream, peer, &routes));
        let metrics = metrics.clone();
        metrics.connections.inc();
        tokio::spawn(async move {
            // Whatever ended it is the client's affair.
            let _ = tokio::time::timeout(LIFE, connection).await;
            metrics.connections.dec();
            drop((slot, place));
        });
    }
    drop(listener);
    let open = graceful.count();
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        log("connections-dropped", json!({ "after_s": FAREWELL.as_secs(), "open": open }));
    }
}

type Connection = hyper::server::conn::http1::Connection<TokioIo<TcpStream>, TowerToHyperService<WithPeer>>;

fn open(stream: TcpStream, peer: IpAddr, routes: &Router) -> Connection {
    // Answers are small and whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // Who has said all may close that way and still wait for the answer.
        .half_close(true)
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(WithPeer { routes: routes.clone(), peer }))
}

/// The routes, told who is asking.
#[derive(Clone)]
struct WithPeer {
    routes: Router,
    peer: IpAddr,
}

impl tower::Service<hyper::Request<hyper::body::Incoming>> for WithPeer {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = axum::routing::future::RouteFuture<std::convert::Infallible>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        // A router is always ready.
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: hyper::Request<hyper::body::Incoming>) -> Self::Future {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Peer(self.peer));
        self.routes.call(request)
    }
}

/// How many connections each address has.
#[derive(Debug)]
struct Peers {
    counts: Mutex<HashMap<IpAddr, usize>>,
    each: usize,
}

/// One connection's place among its address's; given back when it is dropped.
struct Place(Arc<Peers>, IpAddr);

impl Peers {
    fn enter(self: Arc<Self>, peer: IpAddr) -> Option<Place> {
        {
            let mut counts = self.counts.lock().expect("never poisoned");
            let count = counts.entry(peer).or_default();
            if self.each > 0 && *count >= self.each {
                return None;
            }
            *count += 1;
        }
        Some(Place(self, peer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.0.counts.lock().expect("never poisoned");
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}
