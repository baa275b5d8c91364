//! The routes: confirm, the published list, the site, and what an operator asks.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use serde_json::json;
use subtle::ConstantTimeEq;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::ServeDir;

use super::confirm::{self, Answer, By, MAX_BATCH, Outcome, Problem};
use super::connections::Peer;
use super::listed::Listed;
use super::log::log;
use super::metrics::{CONTENT_TYPE, Metrics, Route};
use super::upstream::Upstream;

/// Bytes of a confirm request; a batch of 100 with every field takes 33 kB.
const MAX_BODY: usize = 64 * 1024;
/// For the body of a confirm request to arrive.
const BODY: Duration = Duration::from_secs(10);
/// Answers leave at multiples of this time after the question, so that how long looking up took can't be told.
const QUANTUM: Duration = Duration::from_millis(5);
/// Rate limits are kept for so many addresses before those that are full again are forgotten.
const MAX_CLIENTS: usize = 100_000;

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
                   style-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the routes know.
pub struct Service {
    /// The lists; replaced whole.
    pub listed: RwLock<Arc<Listed>>,
    /// Another engine, asked about what the lists don't hold.
    pub upstream: Option<Upstream>,
    /// Who may ask; empty lets everybody.
    pub tokens: Vec<String>,
    /// Questions a second and client.
    pub limiter: Option<RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>>,
    /// A header with the client's address, set by a proxy.
    pub address_header: Option<HeaderName>,
    /// Whether each request is logged.
    pub log_requests: bool,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whether the last reading of the lists failed.
    pub stale: std::sync::atomic::AtomicBool,
}

/// A limiter of `rate` questions a second; a batch must fit in at once.
pub fn limiter(rate: NonZeroU32) -> RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock> {
    let burst = NonZeroU32::new(MAX_BATCH as u32).map_or(rate, |batch| rate.max(batch));
    RateLimiter::hashmap(Quota::per_second(rate).allow_burst(burst))
}

/// Folders that are served.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// A published list, at `/list/`.
    pub list: Option<PathBuf>,
    /// Parts of a site, by prefix; the empty prefix is `/`.
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
    let one = |path: &str, method: axum::routing::MethodRouter<Arc<Service>>| {
        Router::new().route(path, method.fallback(wrong_method)).with_state(service.clone())
    };
    let compress = CompressionLayer::new().gzip(true).compress_when(is_text);
    let mut routes = counted(one("/v1/confirm", post(confirm)).layer(cors.clone()), Route::Confirm)
        .merge(counted(one("/healthz", get(health)), Route::Health))
        .merge(counted(one("/metrics", get(metrics)), Route::Metrics))
        .merge(counted(one("/openapi.json", get(openapi)), Route::Openapi));
    if let Some(list) = &folders.list {
        let list = Router::new()
            .nest_service("/list", ServeDir::new(list))
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
            "" => site.fallback_service(ServeDir::new(folder)),
            prefix => site.nest_service(prefix, ServeDir::new(folder)),
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
        // A method that isn't a known one is a text that the client chose.
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

async fn confirm(State(service): State<Arc<Service>>, request: Request) -> Response {
    let start = tokio::time::Instant::now();
    let answered = answer(&service, request).await;
    let taken = start.elapsed().as_nanos().div_ceil(QUANTUM.as_nanos());
    tokio::time::sleep_until(start + QUANTUM * u32::try_from(taken).unwrap_or(u32::MAX)).await;
    answered.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(service: &Service, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    authorise(&service.tokens, &head.headers)?;
    // A page of another origin can't send this type without asking for leave first.
    let is_json = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|text| text.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json"))
    };
    if !head.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "content-type", ["content-type", "application/json", "another type"]));
    }
    let body = read(body).await?;
    let (questions, batch) = confirm::questions(&body)?;
    let peer = head.extensions.get::<Peer>().map(|peer| peer.0);
    limit(service, &head.headers, peer, questions.len())?;

    let listed = service.listed.read().expect("never poisoned").clone();
    if listed.is_empty() && service.upstream.is_none() {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Problem::new(
            status,
            "no-list",
            ["list", "a list to confirm by", "none: this server only hosts files"],
        ));
    }
    let work = Instant::now();
    let mut answers = Vec::with_capacity(questions.len());
    for question in &questions {
        let mut found = confirm::ask(&listed, question);
        if let (Some(upstream), Outcome::NotListed) = (&service.upstream, found.outcome) {
            found = ask_upstream(upstream, &service.metrics, &listed, question).await?;
        }
        answers.push(found);
        // A batch must not keep others waiting.
        tokio::task::yield_now().await;
    }
    service.metrics.worked(work.elapsed());
    answers.iter().for_each(|answer| service.metrics.confirm(answer.outcome));
    let texts: Vec<_> = answers.iter().map(|answer| answer.padded(listed.width)).collect();
    let body = if batch { format!("[{}]", texts.join(",")) } else { texts.concat() };
    Ok(json_response(body))
}

async fn ask_upstream(
    upstream: &Upstream,
    metrics: &Metrics,
    listed: &Listed,
    question: &confirm::Question,
) -> Result<Answer, Problem> {
    let Some(hash) = question.pdq else {
        if !listed.is_empty() {
            return Ok(Answer::NOT_LISTED);
        }
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Problem::new(
            status,
            "missing-field",
            ["pdq", "a PDQ hash, which is all that the upstream knows", "none"],
        ));
    };
    match upstream.ask(&hash, metrics).await {
        Ok(None) => Ok(Answer::NOT_LISTED),
        Ok(Some(hit)) => Ok(Answer::listed(By::Hamming, hit.distance, (&hit.bank, None))),
        Err(error) => {
            log("upstream-failed", json!({ "error": format!("{error:#}") }));
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Problem::new(status, "upstream-unavailable", ["upstream", "an answer", "none"]))
        }
    }
}

fn authorise(tokens: &[String], headers: &HeaderMap) -> Result<(), Problem> {
    if tokens.is_empty() {
        return Ok(());
    }
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")).unwrap_or(b"");
    // All are compared, each in a time that doesn't depend on where it differs.
    let known = tokens.iter().fold(subtle::Choice::from(0), |known, token| known | token.as_bytes().ct_eq(given));
    if known.into() {
        return Ok(());
    }
    let got = if given.is_empty() { "none" } else { "another" };
    Err(Problem::new(StatusCode::UNAUTHORIZED, "token", ["authorization", "a bearer token of this server", got]))
}

async fn read(body: Body) -> Result<axum::body::Bytes, Problem> {
    let limit = format!("at most {MAX_BODY} bytes");
    match tokio::time::timeout(BODY, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let too_long =
                std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
            Err(match too_long {
                true => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-size", ["body", &limit, "more"]),
                false => Problem::new(StatusCode::BAD_REQUEST, "body", ["body", "a whole request", "an early end"]),
            })
        }
        Err(_) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", ["body", "a request within 10 s", "only a part"]))
        }
    }
}

fn limit(service: &Service, headers: &HeaderMap, peer: Option<IpAddr>, questions: usize) -> Result<(), Problem> {
    let Some(limiter) = &service.limiter else { return Ok(()) };
    // The proxy appends: what stands before its own entry is the client's claim.
    let told = service.address_header.as_ref().and_then(|name| headers.get_all(name).iter().next_back());
    let told = told.and_then(|value| value.to_str().ok()).and_then(|text| text.rsplit(',').next()?.trim().parse().ok());
    let client = match told.or(peer) {
        // Whoever has one address of IPv6 has the 2^64 beside it.
        Some(IpAddr::V6(address)) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        Some(address) => address,
        None => return Ok(()),
    };
    if limiter.len() > MAX_CLIENTS {
        limiter.retain_recent();
    }
    let Some(cells) = NonZeroU32::new(questions as u32) else { return Ok(()) };
    match limiter.check_key_n(&client, cells) {
        Ok(Ok(())) => Ok(()),
        _ => Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate", ["questions", "fewer a second", "too many"])),
    }
}

fn json_response(body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    let stale = service.stale.load(std::sync::atomic::Ordering::Relaxed);
    json_response(json!({ "status": if stale { "stale" } else { "ok" } }).to_string())
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, service.metrics.text()).into_response()
}

async fn openapi() -> Response {
    json_response(include_str!("openapi.json").replace("{version}", env!("CARGO_PKG_VERSION")))
}

async fn welcome() -> &'static str {
    "hashgate: POST /v1/confirm, GET /list/manifest.txt, /healthz, /metrics, /openapi.json\n"
}

async fn nothing_here() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", ["path", "a path of /openapi.json", "another"])
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", ["method", "the method of /openapi.json", "another"])
}

fn is_text(status: StatusCode, _: axum::http::Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let text =
        ["text/", "application/json", "application/wasm", "image/svg+xml"].iter().any(|start| kind.starts_with(start));
    // A filter is as dense as a file can be.
    text && status == StatusCode::OK
}

/// Caching, and what a page may do, for files.
async fn file_headers(mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // A file that is being written, or one that nobody meant to publish.
    if path.split('/').any(|part| part.starts_with('.')) {
        return nothing_here().await.into_response();
    }
    let forever = path.starts_with("/list/") && is_immutable(path.rsplit('/').next().unwrap_or(""));
    if !forever && request.headers_mut().remove(header::IF_RANGE).is_some() {
        // The rest of another version would be worse than the whole.
        request.headers_mut().remove(header::RANGE);
    }
    let mut response = next.run(request).await;
    let unchanged = response.status() == StatusCode::NOT_MODIFIED;
    let found = response.status().is_success() || unchanged;
    let headers = response.headers_mut();
    let cache = if forever && found { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    // Clients ask for the manifest all day long: what they have already, and what only pages need, would be most of
    // "nothing new".
    if unchanged {
        headers.remove(header::LAST_MODIFIED);
    } else {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if !path.starts_with("/list/") {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        // Two encodings of one file aren't the same bytes.
        let weak =
            headers.get(header::ETAG).and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
        weak.into_iter().for_each(|tag| _ = headers.insert(header::ETAG, tag));
    }
    response
}

/// The files of a published list that never change: all but the manifest that is current.
fn is_immutable(name: &str) -> bool {
    let numbered = |start: &str, end: &str| name.starts_with(start) && name.ends_with(end);
    numbered("full-", ".hgf") || numbered("delta-", ".hgd") || numbered("manifest-", ".txt")
}
