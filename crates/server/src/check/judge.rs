//! Checks a file that has arrived: waits for a thread, hashes the file, looks its hashes up, and confirms matches.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::Result;
use hashgate::{Dismissed, Fingerprint, Limits, Match, Outcome, UncheckedReason, Verdict, ViewSet, Wanted};
use hashgate_native::contain::contained;
use hashgate_native::open_file::OpenFile;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::filters::Filters;
use super::policy::Policy;
use super::spool::{Arrived, Spool};
use super::threads::Threads;
use crate::answer::{self, Outcome as Listing};
use crate::listed::Listed;
use crate::metrics::{Door, Metrics};
use crate::problem::{Code, Problem};
use crate::question::Question;

/// Computes the wanted signals of a file. Reads a picture in as many ways as this build can (see "reading" in the
/// glossary).
pub type Hasher = fn(&mut OpenFile, &Limits, &Wanted) -> Result<Fingerprint>;

/// Longest time that a file waits for a thread.
const WAIT: Duration = Duration::from_secs(30);

/// How files are checked.
pub struct Settings {
    /// The function that hashes a file.
    pub hasher: Hasher,
    /// The limits on the pictures that are read.
    pub limits: Limits,
    /// Largest number of files that are hashed at once.
    pub threads: usize,
    /// Largest number of files that may arrive, wait or be hashed at once.
    pub queue: usize,
    /// Where files are stored while they are checked.
    pub spool: Spool,
    /// The operator's policy: what is done with each verdict.
    pub policy: Policy,
}

/// Judges files.
pub struct Judge {
    settings: Settings,
    places: Arc<Semaphore>,
    /// A permit for each of `workers`.
    threads: Arc<Semaphore>,
    workers: Threads,
    filters: RwLock<Arc<Filters>>,
    metrics: Arc<Metrics>,
}

/// A place in the queue, from the first byte of a file to its verdict. Dropping it leaves the queue.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.checking.dec();
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It passes.
    Pass,
    /// The file is held, because it matched.
    HoldMatch,
    /// The file is held, because it could not be checked or has a caveat that the operator doesn't accept.
    HoldUnchecked,
}

/// A verdict, and the decision about the file.
#[derive(Debug)]
pub struct Judgement {
    /// The verdict, as JavaScript's.
    pub json: Value,
    /// What becomes of the file.
    pub decision: Decision,
}

impl Judgement {
    /// The outcome's name.
    pub fn outcome(&self) -> &str {
        self.json["outcome"].as_str().unwrap_or_default()
    }

    /// Returns the name of the list that matched first, else the reason why the file is unchecked, else the caveat.
    pub fn why(&self) -> &str {
        let list = self.json["matches"][0]["list"].as_str();
        list.or(self.json["reason"].as_str()).or(self.json["caveat"].as_str()).unwrap_or_default()
    }
}

impl Judge {
    /// Makes a judge that has no filter yet.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Result<Self> {
        Ok(Self {
            places: Arc::new(Semaphore::new(settings.queue)),
            threads: Arc::new(Semaphore::new(settings.threads)),
            workers: Threads::start(settings.threads)?,
            settings,
            filters: RwLock::new(Arc::new(Filters::none())),
            metrics,
        })
    }

    /// Replaces the filters. Files that are being checked go on with the old ones.
    pub fn swap(&self, filters: Filters) {
        *self.filters.write().expect("never poisoned") = Arc::new(filters);
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    /// Returns the place where files are stored while they arrive.
    pub fn spool(&self) -> &Spool {
        &self.settings.spool
    }

    /// Takes a place in the queue.
    ///
    /// # Errors
    /// The queue is full.
    pub fn enter(&self) -> Result<Place, Problem> {
        let permit = self.places.clone().try_acquire_owned();
        let expected = format!("at most {} files at once (--check-queue)", self.settings.queue);
        let permit = permit.map_err(|_| Problem::new(Code::Busy, "queue", &expected, "more"))?;
        self.metrics.checking.inc();
        Ok(Place { _permit: permit, metrics: self.metrics.clone() })
    }

    /// Returns how many files are being hashed, and how many may be at once.
    pub fn load(&self) -> (usize, usize) {
        let all = self.settings.threads;
        (all - self.threads.available_permits().min(all), all)
    }

    /// If there is no usable list, returns the verdict that holds for every file. Returns `None` if there is a usable
    /// list.
    ///
    /// # Errors
    /// There is no usable list, and the policy blocks files then. The client gets a problem of this server instead of a
    /// verdict.
    pub fn without_list(&self, door: Door) -> Result<Option<Judgement>, Problem> {
        if self.filters().are_usable() {
            return Ok(None);
        }
        let problem = Problem::new(Code::NoList, "list", "a list that is valid", "none");
        self.metrics.check(door, "unchecked");
        if !self.settings.policy.allows(UncheckedReason::Unavailable) {
            return Err(problem);
        }
        let verdict = Verdict::unchecked(UncheckedReason::Unavailable, problem.detail());
        Ok(Some(Judgement { json: to_json(&verdict), decision: Decision::Pass }))
    }

    /// Checks a file, once a thread is free.
    ///
    /// # Errors
    /// No thread was free in time.
    pub async fn judge(
        &self,
        door: Door,
        place: Place,
        arrived: Arrived,
        listed: Arc<Listed>,
    ) -> Result<Judgement, Problem> {
        let waited = tokio::time::timeout(WAIT, self.threads.clone().acquire_owned()).await;
        let Ok(thread) = waited.map(|permit| permit.expect("never closed")) else {
            let expected = format!("a free thread within {} s", WAIT.as_secs());
            return Err(Problem::new(Code::Busy, "queue", &expected, "none"));
        };
        let (filters, start) = (self.filters(), Instant::now());
        let (hasher, limits) = (self.settings.hasher, self.settings.limits);
        let policy = self.settings.policy.clone();
        let work = move || {
            // Moves the place in the queue and the permit into the work. So both are kept until the work ends, even if
            // the client has disconnected.
            let _held = (place, thread);
            let mut arrived = arrived;
            let wanted = filters.lookup.wanted(ViewSet::All);
            // Always reads the picture, even if all lists hold digests alone, so that the verdict says whether the file
            // is a picture.
            let done = contained(|| (hasher)(&mut arrived.file, &limits, &wanted.with_pdq(true)));
            let print = match done {
                Ok(Ok(print)) => print,
                Ok(Err(error)) => return unchecked(UncheckedReason::InvalidInput, format!("{error:#}"), &policy),
                Err(why) => return unchecked(UncheckedReason::EngineFailed, why, &policy),
            };
            contained(|| look_up(&print, &filters, &listed, &policy))
                .unwrap_or_else(|why| unchecked(UncheckedReason::EngineFailed, why, &policy))
        };
        let judgement = self.workers.run(work).await;
        self.metrics.checked(start.elapsed());
        self.metrics.check(door, judgement.outcome());
        Ok(judgement)
    }

    /// Returns the filters that files are checked against now.
    pub fn filters(&self) -> Arc<Filters> {
        self.filters.read().expect("never poisoned").clone()
    }
}

fn unchecked(reason: UncheckedReason, detail: String, policy: &Policy) -> Judgement {
    judgement(&Verdict::unchecked(reason, detail), policy)
}

fn to_json(verdict: &Verdict) -> Value {
    serde_json::to_value(verdict).expect("texts and numbers")
}

/// Looks a file up. If the server holds the list of a match in full, it confirms the match here. If the full list
/// doesn't hold the hash, the match was a chance hit, and the search goes on without it.
fn look_up(print: &Fingerprint, filters: &Filters, listed: &Listed, policy: &Policy) -> Judgement {
    let mut dismissed: Vec<Dismissed> = Vec::new();
    let mut seeming: Vec<Match> = Vec::new();
    loop {
        let verdict = filters.lookup.look_up_past(print, &dismissed);
        let Outcome::PossibleMatch { matches } = &verdict.outcome else {
            let mut judgement = judgement(&verdict, policy);
            if verdict.outcome == Outcome::Clear && !seeming.is_empty() {
                judgement.json["matches"] = json!(seeming);
                judgement.json["confirmedBy"] = json!(CONFIRMER);
            }
            return judgement;
        };
        let own: Vec<_> = matches.iter().filter(|found| filters.own.contains(&found.list)).collect();
        let is_listed = |found: &&&Match| answer::ask(listed, &question(found, print)).outcome == Listing::Listed;
        if let Some(found) = own.iter().find(is_listed) {
            let confirmed = answer::ask(listed, &question(found, print));
            let mut json = to_json(&verdict);
            json["outcome"] = json!("match");
            json["confirmedBy"] = json!(CONFIRMER);
            // Takes the category from the full list, because a filter doesn't hold the category of a hash.
            let place = matches.iter().position(|one| one == *found).unwrap_or_default();
            if let Some(category) = confirmed.category {
                json["matches"][place]["category"] = json!(category);
            }
            json.as_object_mut().map(|fields| fields.remove("ifNotListed"));
            return Judgement { json, decision: Decision::HoldMatch };
        }
        if own.is_empty() || own.len() < matches.len() {
            // The server can't confirm a match of a list that it doesn't hold in full, so the outcome stays
            // "possible-match".
            return judgement(&verdict, policy);
        }
        dismissed.extend(own.iter().map(|found| Dismissed::from(*found)));
        seeming.extend(own.into_iter().cloned());
    }
}

/// The name of this server in a verdict's `confirmedBy`.
const CONFIRMER: &str = "hashgate";

fn question(found: &Match, print: &Fingerprint) -> Question {
    match found.pdq() {
        Some(pdq) => Question { pdq: Some(pdq.pdq), ring: Some(pdq.ring), ..Question::default() },
        None if found.signal.name() == "sha256" => Question { sha256: print.sha256, ..Question::default() },
        None => Question { md5: print.md5, ..Question::default() },
    }
}

fn judgement(verdict: &Verdict, policy: &Policy) -> Judgement {
    let decision = match &verdict.outcome {
        Outcome::Clear if policy.holds_for_caveat(verdict) => Decision::HoldUnchecked,
        Outcome::Clear => Decision::Pass,
        Outcome::Unchecked { reason, .. } if policy.allows(*reason) => Decision::Pass,
        Outcome::Unchecked { .. } => Decision::HoldUnchecked,
        Outcome::PossibleMatch { .. } => Decision::HoldMatch,
    };
    Judgement { json: to_json(verdict), decision }
}
