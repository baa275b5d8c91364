//! The second check: the route `/v1/check`, by which back ends let the server check files.

pub mod args;
mod body;
pub mod clamd;
pub mod filters;
pub mod judge;
mod multipart;
mod policy;
mod spool;
mod threads;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header, request};
use axum::response::{IntoResponse, Response};

use crate::metrics::Door;
use crate::problem::Problem;
use crate::routes::Service;
use crate::token;
use body::{Chunks, Form};
use judge::{Decision, Judgement};

/// The header that repeats the verdict's outcome.
const OUTCOME: &str = "x-hashgate-outcome";
/// The header that says what becomes of the file: `upload` or `hold`.
const DECISION: &str = "x-hashgate-decision";

/// Checks the file of a request. Answers with the verdict and the decision.
pub async fn check(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut chunks = Chunks::of(body);
    match answer(&service, &head, &mut chunks).await {
        Ok(judgement) => respond(&service, &judgement),
        Err(problem) => {
            // Reads the rest of a refused body, so that the client sees the answer. A client without a valid token gets
            // no such service, so that strangers can't cause work.
            if problem.code() != crate::problem::Code::Token {
                chunks.drain(&head.headers).await;
            }
            problem.into_response()
        }
    }
}

async fn answer(service: &Service, head: &request::Parts, chunks: &mut Chunks) -> Result<Judgement, Problem> {
    token::authorise(&service.tokens, &head.headers, Some(head.uri.query().unwrap_or_default()))?;
    let judge = &service.judge;
    let form = Form::of(&head.headers)?;
    body::check_length(&head.headers, &form, judge.spool())?;
    let place = judge.enter()?;
    if let Some(judgement) = judge.without_list(Door::Http)? {
        return Ok(judgement);
    }
    let arrived = form.receive(chunks, judge.spool()).await?;
    let listed = service.listed.read().expect("never poisoned").clone();
    judge.judge(Door::Http, place, arrived, listed).await
}

fn respond(service: &Service, judgement: &Judgement) -> Response {
    let policy = service.judge.policy();
    let (status, decision) = match judgement.decision {
        Decision::Pass => (StatusCode::OK, "upload"),
        Decision::HoldMatch => (policy.match_status, "hold"),
        Decision::HoldUnchecked => (policy.unchecked_status, "hold"),
    };
    let mut response = crate::routes::json_response(judgement.json.to_string());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let outcome = HeaderValue::from_str(judgement.outcome()).unwrap_or(HeaderValue::from_static("unchecked"));
    headers.insert(OUTCOME, outcome);
    headers.insert(DECISION, HeaderValue::from_static(decision));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
