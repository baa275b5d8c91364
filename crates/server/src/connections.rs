//! Accepts connections, and ends those that take too long or are too many.

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

use crate::client::client_of;
use crate::log::log;
use crate::metrics::Metrics;

/// Time for the head of a request to arrive, and longest pause between two requests on a connection.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Longest life of a connection, and so of a download.
const LIFE: Duration = Duration::from_secs(1200);
/// Time for open requests to end once the server is told to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// Longest head of a request in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// The largest numbers of open connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most connections in all.
    pub all: usize,
    /// Most connections per client ([`client_of`]). 0: no limit.
    pub each: usize,
}

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Accepts connections until `end` resolves, then waits for open requests.
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
            Ok((stream, address)) => (stream, address.ip()),
            Err(error) => {
                // The usual reason is that the process has no file descriptors left. Waits, so that other connections
                // can close.
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
            // Ignores errors of the connection, because a client may end it at any time.
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
    // Answers are small and sent at once, so waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // A client may close its sending side and still read the answer.
        .half_close(true)
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(WithPeer { routes: routes.clone(), peer }))
}

/// Adds the client's address to each request before the routes get it.
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

/// The number of connections of each client.
#[derive(Debug)]
struct Peers {
    counts: Mutex<HashMap<IpAddr, usize>>,
    each: usize,
}

/// A connection that is counted. Dropping it ends the count.
struct Place(Arc<Peers>, IpAddr);

impl Peers {
    /// Counts a connection. Returns `None` if its client has too many.
    fn enter(self: Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = client_of(peer);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_has_the_connections_of_one_client() {
        let peers = Arc::new(Peers { counts: Mutex::default(), each: 2 });
        let enter = |text: &str| peers.clone().enter(text.parse().unwrap());
        let first = enter("2001:db8::1");
        let second = enter("2001:db8::2");
        assert!(first.is_some() && second.is_some());
        assert!(enter("2001:db8::3").is_none(), "a third connection from the same /64");
        assert!(enter("2001:db8:0:1::1").is_some());
        let v4 = [enter("192.0.2.1"), enter("::ffff:192.0.2.1")];
        assert!(v4.iter().all(Option::is_some) && enter("192.0.2.1").is_none());
        drop(first);
        assert!(enter("2001:db8::3").is_some());
    }
}
