//! Background tasks: reads changed lists again, and forgets idle clients.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hashgate_native::list;
use serde_json::json;

use crate::check::filters::{Filters, Sources};
use crate::listed::{Listed, Source, Stamp};
use crate::log::log;
use crate::routes::Service;

/// Replaces the lists and filters. Requests that are being answered go on with the old ones.
pub fn swap(service: &Service, listed: Arc<Listed>, filters: Filters, start: Instant) {
    let [pdq, sha256, md5] = listed.counts();
    service.metrics.held(listed.counts());
    service.metrics.load("loaded");
    let count = filters.count();
    service.judge.swap(filters);
    *service.listed.write().expect("never poisoned") = listed;
    service.stale.store(false, Ordering::Relaxed);
    let ms = start.elapsed().as_millis() as u64;
    log("lists-loaded", json!({ "pdq": pdq, "sha256": sha256, "md5": md5, "filters": count, "ms": ms }));
}

/// Looks at the files of the lists and filters every second, and reads them again when one has changed. Never ends.
pub async fn watch(service: Arc<Service>, lists: Vec<Source>, sources: Sources, reading: list::Options) {
    let mut refused = None;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let current = service.listed.read().expect("never poisoned").clone();
        // A file may be missing for a moment while it is being replaced.
        let (Ok(of_lists), Ok(of_filters)) = (Stamp::of(&lists), sources.stamp()) else { continue };
        let lists_changed = of_lists != current.stamp;
        let stamps = Some((of_lists, of_filters));
        let unchanged = !lists_changed && stamps.as_ref().is_some_and(|(_, it)| *it == service.judge.filters().stamp);
        if unchanged || stamps == refused {
            continue;
        }
        let (start, lists, sources, reading) = (Instant::now(), lists.clone(), sources.clone(), reading.clone());
        let read = move || -> anyhow::Result<_> {
            let listed = if lists_changed { Arc::new(Listed::read(&lists, &reading)?) } else { current };
            let filters = Filters::read(&sources, &listed)?;
            Ok((listed, filters))
        };
        match tokio::task::spawn_blocking(read).await.map_err(anyhow::Error::from).and_then(|read| read) {
            Ok((listed, filters)) => {
                refused = None;
                swap(&service, listed, filters, start);
            }
            Err(error) => {
                refused = stamps;
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
