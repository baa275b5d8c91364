//! The routes: confirm, the published list, the site, and those for operators (health, metrics, API description).

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use serde_json::json;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::check::check;
use crate::check::judge::Judge;
use crate::client::Limiter;
use crate::confirm::confirm;
use crate::folder::{Folder, file_headers, is_text, nothing_here};
use crate::listed::Listed;
use crate::log::log;
use crate::metrics::{CONTENT_TYPE, Metrics, Route};
use crate::problem::{Code, Problem};
use crate::upstream::Upstream;

/// Where files of a published list are.
pub const LIST: &str = "/list";
/// The paths that aren't files. `openapi.json` describes them, and the prefix of a `--site` can't be one of them.
pub const PATHS: [&str; 5] = ["/v1/check", "/v1/confirm", "/healthz", "/metrics", "/openapi.json"];
/// The description of the routes, with `{version}` where the version goes.
const OPENAPI: &str = include_str!("openapi.json");

/// The state that all routes share.
pub struct Service {
    /// The lists. They are replaced as a whole.
    pub listed: RwLock<Arc<Listed>>,
    /// Judges files.
    pub judge: Judge,
    /// Another engine, which is asked about hashes that the lists don't hold.
    pub upstream: Option<Upstream>,
    /// The tokens of the clients that may ask. If there are none, everybody may ask.
    pub tokens: Vec<String>,
    /// Limits the questions per second and client.
    pub limiter: Option<Limiter>,
    /// The header in which a proxy gives the client's address.
    pub address_header: Option<HeaderName>,
    /// Whether each request is logged.
    pub log_requests: bool,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whether the last reading of the lists failed.
    pub stale: AtomicBool,
}

/// Folders that are served.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// A published list, at `/list/`.
    pub list: Option<PathBuf>,
    /// Folders of a site, by path prefix. The empty prefix is `/`.
    pub site: Vec<(String, PathBuf)>,
}

/// All routes.
pub fn routes(service: Arc<Service>, folders: &Folders, origins: &[HeaderValue]) -> Router {
    let allowed = match origins {
        [any] if any == "*" => AllowOrigin::any(),
        some => AllowOrigin::list(some.to_vec()),
    };
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
        .max_age(Duration::from_secs(3600));
    let counted = |router: Router, route: Route| {
        let service = service.clone();
        router.layer(middleware::from_fn(move |request: Request, next: Next| {
            count(service.clone(), route, request, next)
        }))
    };
    let one = |path: &str, method: MethodRouter<Arc<Service>>| {
        Router::new().route(path, method.fallback(wrong_method)).with_state(service.clone())
    };
    let [check_path, confirm_path, health_path, metrics_path, openapi_path] = PATHS;
    let compress = CompressionLayer::new().gzip(true).compress_when(is_text);
    let mut routes = counted(one(confirm_path, post(confirm)).layer(cors.clone()), Route::Confirm)
        .merge(counted(one(check_path, post(check).put(check)), Route::Check))
        .merge(counted(one(health_path, get(health)), Route::Health))
        .merge(counted(one(metrics_path, get(metrics)), Route::Metrics))
        .merge(counted(one(openapi_path, get(openapi)), Route::Openapi));
    if let Some(list) = &folders.list {
        let list = Router::new()
            .nest_service(LIST, Folder::new(list))
            .layer(compress.clone())
            .layer(middleware::from_fn(file_headers))
            .layer(cors);
        routes = routes.merge(counted(list, Route::List));
    }
    let mut site = Router::new();
    let mut has_root = false;
    for (prefix, folder) in &folders.site {
        has_root |= prefix.is_empty();
        site = match prefix.as_str() {
            "" => site.fallback_service(Folder::new(folder)),
            prefix => site.nest_service(prefix, Folder::new(folder)),
        };
    }
    if !has_root {
        site = site.route("/", get(welcome)).fallback(nothing_here);
    }
    routes.merge(counted(site.layer(compress).layer(middleware::from_fn(file_headers)), Route::Site))
}

async fn count(service: Arc<Service>, route: Route, request: Request, next: Next) -> Response {
    let (start, method) = (Instant::now(), request.method().clone());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    service.metrics.request(route, status);
    if service.log_requests {
        // Logs only known methods. Any other method is a text that the client chose, which the log must not hold.
        let method = if method.as_str().len() <= 7 && method.is_safe() || method == Method::POST {
            method.as_str()
        } else {
            "other"
        };
        let ms = start.elapsed().as_secs_f64() * 1e3;
        log(
            "request",
            json!({ "route": format!("{route:?}"), "method": method, "status": status, "ms": (ms * 100.0).round() / 100.0 }),
        );
    }
    response
}

/// Returns a response with a JSON text, which must not be cached.
pub fn json_response(body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    let is_only_engine = service.listed.read().expect("never poisoned").is_empty();
    let status = if is_only_engine && service.upstream.as_ref().is_some_and(Upstream::is_down) {
        "degraded"
    } else if service.stale.load(Ordering::Relaxed) {
        "stale"
    } else {
        "ok"
    };
    json_response(json!({ "status": status }).to_string())
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, service.metrics.text()).into_response()
}

async fn openapi() -> Response {
    json_response(OPENAPI.replace("{version}", env!("CARGO_PKG_VERSION")))
}

async fn welcome() -> &'static str {
    "hashgate: POST /v1/check, POST /v1/confirm, GET /list/manifest.txt, /healthz, /metrics, /openapi.json\n"
}

async fn wrong_method() -> Problem {
    Problem::new(Code::Method, "method", "the method of /openapi.json", "another")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_names_every_route_and_every_problem() {
        let description: Value = serde_json::from_str(OPENAPI).unwrap();
        let list = format!("{LIST}/{{file}}");
        let expected: BTreeSet<_> = PATHS.into_iter().chain([list.as_str()]).collect();
        let described: BTreeSet<_> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, expected);

        let problem = &description["components"]["schemas"]["Problem"]["properties"];
        let codes: BTreeSet<_> =
            problem["code"]["enum"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
        assert_eq!(codes, Code::ALL.into_iter().map(Code::name).collect());
    }
}
