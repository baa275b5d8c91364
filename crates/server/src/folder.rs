//! Serves the files of a folder, and sets their headers.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tower::Service;
use tower_http::services::ServeDir;

use crate::problem::{Code, Problem};

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
                   style-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves the files of a folder, except files whose name begins with a dot. A link may lead from one place in the
/// folder to another, but not out of it.
#[derive(Clone)]
pub struct Folder {
    root: Arc<Path>,
    files: ServeDir,
}

impl Folder {
    /// Serves this folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.into(), files: ServeDir::new(root) }
    }
}

impl Service<Request> for Folder {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The service is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { root, mut files } = self.clone();
        Box::pin(async move {
            if is_public(&root, request.uri().path()).await {
                Ok(files.call(request).await?.map(Body::new))
            } else {
                Ok(nothing_here().await.into_response())
            }
        })
    }
}

/// Returns whether the path of a request names a file, or a folder with an `index.html`, that may be served.
async fn is_public(root: &Path, path: &str) -> bool {
    // Decodes the path as `ServeDir` does, because a dot may be written as %2e.
    let Ok(path) = percent_decode_str(path).decode_utf8() else { return false };
    let parts = || path.split('/').filter(|part| !part.is_empty());
    if parts().any(|part| part.starts_with('.')) {
        return false;
    }
    let file = parts().fold(root.to_owned(), |folder, part| folder.join(part));
    if !leads_inside(root, &file).await {
        return false;
    }
    // For a folder, `ServeDir` serves its `index.html`, or answers that there is none.
    let page = file.join("index.html");
    let is_page = tokio::fs::symlink_metadata(&page).await.is_ok();
    !is_page || leads_inside(root, &page).await
}

/// Returns whether a file exists and lies in the folder after every link was followed, with no name on its path that
/// begins with a dot.
async fn leads_inside(root: &Path, file: &Path) -> bool {
    let real: Result<(PathBuf, PathBuf), _> =
        async { Ok::<_, std::io::Error>((tokio::fs::canonicalize(root).await?, tokio::fs::canonicalize(file).await?)) }
            .await;
    let Ok((root, file)) = real else { return false };
    let Ok(inside) = file.strip_prefix(root) else { return false };
    !inside.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'))
}

/// The answer to a request for a path that doesn't exist.
pub async fn nothing_here() -> Problem {
    Problem::new(Code::NotFound, "path", "a path of /openapi.json", "another")
}

/// Returns whether a response should be compressed: texts should. Compressing a filter would not make it smaller.
pub fn is_text(status: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let text =
        ["text/", "application/json", "application/wasm", "image/svg+xml"].iter().any(|start| kind.starts_with(start));
    text && status == StatusCode::OK
}

/// Sets the headers of a file: how long it may be cached, its ETag, and the Content-Security-Policy of a page.
pub async fn file_headers(mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let forever = path.starts_with("/list/") && is_immutable(path.rsplit('/').next().unwrap_or(""));
    if !forever && request.headers_mut().remove(header::IF_RANGE).is_some() {
        // If the file has changed since the client's first part, the rest doesn't fit that part. So sends the whole
        // file.
        request.headers_mut().remove(header::RANGE);
    }
    let mut response = next.run(request).await;
    let unchanged = response.status() == StatusCode::NOT_MODIFIED;
    let found = response.status().is_success() || unchanged;
    let headers = response.headers_mut();
    let cache = if forever && found { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    // Clients ask for the manifest all day, and mostly get the answer "not modified". Leaves out headers that the
    // client has already or that only pages need, because they would make up most of that answer.
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
        // A strong ETag promises equal bytes, which two encodings of a file don't have.
        let weak =
            headers.get(header::ETAG).and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
        weak.into_iter().for_each(|tag| _ = headers.insert(header::ETAG, tag));
    }
    response
}

/// Returns whether a file of a published list never changes. Only the current manifest changes.
fn is_immutable(name: &str) -> bool {
    let numbered = |start: &str, end: &str| name.starts_with(start) && name.ends_with(end);
    numbered("full-", ".hgf") || numbered("delta-", ".hgd") || numbered("manifest-", ".txt")
}
