//! The route that answers questions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde_json::json;

use crate::answer::{self, Answer, By, Outcome};
use crate::client;
use crate::connections::Peer;
use crate::listed::Listed;
use crate::log::log;
use crate::metrics::Metrics;
use crate::problem::{Code, Problem};
use crate::question::{self, Question};
use crate::routes::{Service, json_response};
use crate::token;
use crate::upstream::Upstream;

/// Longest body of a request in bytes. A batch of 100 with every field takes 33 kB.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Time for the body of a request to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// An answer is sent only at a multiple of this time after the question, so that its time doesn't show how long the
/// lookup took.
const QUANTUM: Duration = Duration::from_millis(5);

/// Answers the questions of a request.
pub async fn confirm(State(service): State<Arc<Service>>, request: Request) -> Response {
    let start = tokio::time::Instant::now();
    let answered = answer(&service, request).await;
    let taken = start.elapsed().as_nanos().div_ceil(QUANTUM.as_nanos());
    tokio::time::sleep_until(start + QUANTUM * u32::try_from(taken).unwrap_or(u32::MAX)).await;
    answered.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(service: &Service, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    token::authorise(&service.tokens, &head.headers, None)?;
    // Browsers let a page of another origin send this content type only after a preflight request.
    let is_json = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|text| text.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json"))
    };
    if !head.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(Problem::new(Code::ContentType, "content-type", "application/json", "another type"));
    }
    let body = read(body).await?;
    let (questions, batch) = question::questions(&body)?;
    let told = service.address_header.as_ref().and_then(|name| client::told_by_proxy(&head.headers, name));
    let asking = told.or_else(|| head.extensions.get::<Peer>().map(|peer| peer.0));
    if let (Some(limiter), Some(asking)) = (&service.limiter, asking) {
        client::limit(limiter, asking, questions.len())?;
    }

    let listed = service.listed.read().expect("never poisoned").clone();
    if listed.is_empty() && service.upstream.is_none() {
        return Err(Problem::new(
            Code::NoList,
            "list",
            "a list to confirm by",
            "none, because this server only hosts files",
        ));
    }
    let work = Instant::now();
    let mut answers = Vec::with_capacity(questions.len());
    for question in &questions {
        let mut found = answer::ask(&listed, question);
        if let (Some(upstream), Outcome::NotListed) = (&service.upstream, found.outcome) {
            found = ask_upstream(upstream, &service.metrics, &listed, question).await?;
        }
        answers.push(found);
        // Between the questions of a batch, lets the server work on other requests.
        tokio::task::yield_now().await;
    }
    service.metrics.worked(work.elapsed());
    answers.iter().for_each(|answer| service.metrics.confirm(answer.outcome));
    let of_upstream = service.upstream.as_ref().map_or(0, |_| Answer::longest_of_upstream());
    let width = listed.width.max(of_upstream);
    let texts: Vec<_> = answers.iter().map(|answer| answer.padded(width)).collect();
    let body = if batch { format!("[{}]", texts.join(",")) } else { texts.concat() };
    Ok(json_response(body))
}

async fn ask_upstream(
    upstream: &Upstream,
    metrics: &Metrics,
    listed: &Listed,
    question: &Question,
) -> Result<Answer, Problem> {
    let Some(hash) = question.pdq else {
        if !listed.is_empty() {
            return Ok(Answer::UNKNOWN);
        }
        return Err(Problem::new(Code::UpstreamNeedsPdq, "pdq", "a PDQ hash", "none"));
    };
    match upstream.ask(&hash, metrics).await {
        // The upstream compares PDQ hashes of whole pictures. Its "no" says nothing about a derived view, whose hash is
        // far from that of the whole picture, nor about a digest.
        Ok(None) if question.is_whole => Ok(Answer::NOT_LISTED),
        Ok(None) => Ok(Answer::UNKNOWN),
        Ok(Some(hit)) => Ok(Answer::listed(By::Hamming, hit.distance, (&hit.bank, None))),
        Err(error) => {
            let why = format!("{error:#}");
            log("upstream-failed", json!({ "error": why }));
            Err(Problem::new(Code::UpstreamUnavailable, "upstream", "an answer", &why))
        }
    }
}

async fn read(body: Body) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if std::error::Error::source(&error).is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            Err(Problem::new(Code::BodySize, "body", &format!("at most {MAX_BODY_BYTES} bytes"), "more"))
        }
        Ok(Err(_)) => Err(Problem::new(Code::Body, "body", "a whole request", "an early end")),
        Err(_) => {
            let expected = format!("a request within {} s", BODY_TIME.as_secs());
            Err(Problem::new(Code::Timeout, "body", &expected, "a part of it"))
        }
    }
}
