//! Background tasks: reads changed lists again, and forgets idle clients.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hashgate_native::list;
use serde_json::json;

use crate::listed::{Listed, Source, Stamp};
use crate::log::log;
use crate::routes::Service;

/// Replaces the lists. Requests that are being answered go on with the old ones.
pub fn swap(service: &Service, listed: Listed, start: Instant) {
    let [pdq, sha256, md5] = listed.counts();
    service.metrics.held(listed.counts());
    service.metrics.load("loaded");
    *service.listed.write().expect("never poisoned") = Arc::new(listed);
    service.stale.store(false, Ordering::Relaxed);
    let ms = start.elapsed().as_millis() as u64;
    log("lists-loaded", json!({ "pdq": pdq, "sha256": sha256, "md5": md5, "ms": ms }));
}

/// Looks at the files of the lists every second, and reads them again when one has changed. Never ends.
pub async fn watch(service: Arc<Service>, sources: Vec<Source>, reading: list::Options) {
    let mut refused: Option<Stamp> = None;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let current = service.listed.read().expect("never poisoned").stamp.clone();
        let stamp = match Stamp::of(&sources) {
            // A file may be missing for a moment while it is being replaced.
            Err(_) => continue,
            Ok(stamp) if stamp == current || refused.as_ref() == Some(&stamp) => continue,
            Ok(stamp) => stamp,
        };
        let (start, sources, reading) = (Instant::now(), sources.clone(), reading.clone());
        let read = tokio::task::spawn_blocking(move || Listed::read(&sources, &reading)).await;
        match read.map_err(anyhow::Error::from).and_then(|read| read) {
            Ok(listed) => {
                refused = None;
                swap(&service, listed, start);
            }
            Err(error) => {
                refused = Some(stamp);
                service.metrics.load("refused");
                service.stale.store(true, Ordering::Relaxed);
                log("lists-refused", json!({ "error": format!("{error:#}"), "kept": "the lists as they were" }));
            }
        }
    }
}

/// Once a minute, forgets clients that may use their whole rate again. Never ends.
pub async fn forget(service: Arc<Service>) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        service.limiter.iter().for_each(|limiter| {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        });
    }
}
