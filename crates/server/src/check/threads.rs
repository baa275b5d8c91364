//! A fixed set of threads that hash files.
//!
//! The system's allocator keeps freed memory per thread. The runtime has many threads for blocking work. If these
//! hashed files, each would keep as much memory as its largest picture took.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that wait for work.
pub struct Threads {
    jobs: Sender<Job>,
}

impl Threads {
    /// Starts `count` threads. They end when this object is dropped.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(count: usize) -> Result<Self> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..count {
            let waiting = waiting.clone();
            let start = std::thread::Builder::new().name("check".into()).spawn(move || work(&waiting));
            start.context("--check-threads: the system gives no thread")?;
        }
        Ok(Self { jobs })
    }

    /// Does a piece of work on one of the threads. The work is done even if the caller stops waiting for the result.
    ///
    /// # Panics
    /// The work panics.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        let job = Box::new(move || _ = done.send(work()));
        self.jobs.send(job).expect("the threads wait as long as this is there");
        result.await.expect("the work doesn't panic")
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        // This line gives the lock back before the work begins, so that other threads can take work meanwhile.
        let job = waiting.lock().expect("never poisoned").recv();
        let Ok(job) = job else { return };
        job();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn work_is_done_side_by_side_on_the_same_threads() {
        let threads = Threads::start(2).unwrap();
        let mut seen = HashSet::new();
        for _ in 0..20 {
            // The barrier lets neither half end before the other half has begun.
            let both = Arc::new(Barrier::new(2));
            let half = || {
                let both = both.clone();
                threads.run(move || (both.wait(), std::thread::current().id()).1)
            };
            let (one, other) = tokio::join!(half(), half());
            assert_ne!(one, other);
            seen.extend([one, other]);
        }
        assert_eq!(seen.len(), 2);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_done() {
        let threads = Threads::start(1).unwrap();
        let ((told, heard), (begin, begun)) = (oneshot::channel(), channel());
        let mut run = Box::pin(threads.run(move || (begun.recv().unwrap(), told.send(()).unwrap())));
        // Polls once, which sends the work to a thread, and then drops the future, like a client that disconnects.
        std::future::poll_fn(|context| {
            assert!(run.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(run);
        begin.send(()).unwrap();
        heard.await.unwrap();
    }
}
