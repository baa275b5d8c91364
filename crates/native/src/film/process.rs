//! A program that is ended at a time limit, and together with this one.

use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The programs that run.
static RUNNING: Mutex<Vec<Weak<Mutex<Child>>>> = Mutex::new(Vec::new());

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a program may run, and how long it may be silent.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimit {
    pub whole: Duration,
    pub silence: Duration,
}

/// A program that runs. Dropping it ends it.
pub(super) struct Running {
    child: Arc<Mutex<Child>>,
    is_late: Arc<AtomicBool>,
    /// Each message begins the silence anew; dropping it ends the watch.
    watch: mpsc::Sender<()>,
}

impl Running {
    /// Starts a program, which is ended at its time limit. On Unix it gets a process group of its own, so that what it
    /// starts ends with it.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(mut command: Command, limit: TimeLimit) -> Result<Self> {
        end_with_us();
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = {
            // Held until the program is noted, so that an interruption finds it.
            let mut running = locked(&RUNNING);
            let child = Arc::new(Mutex::new(command.spawn().context("ffmpeg can't be started")?));
            running.retain(|one| one.strong_count() > 0);
            running.push(Arc::downgrade(&child));
            child
        };
        let is_late = Arc::new(AtomicBool::new(false));
        let (watch, heard) = mpsc::channel();
        let (watched, late) = (child.clone(), is_late.clone());
        std::thread::spawn(move || {
            let start = Instant::now();
            let left = || limit.whole.saturating_sub(start.elapsed()).min(limit.silence);
            let mut answer = Ok(());
            while answer.is_ok() {
                answer = heard.recv_timeout(left());
            }
            if answer == Err(mpsc::RecvTimeoutError::Timeout) {
                late.store(true, Ordering::Relaxed);
                end(&watched);
            }
        });
        Ok(Self { child, is_late, watch })
    }

    /// Takes the output and the error output.
    pub fn outputs(&self) -> Option<(ChildStdout, ChildStderr)> {
        let mut child = locked(&self.child);
        child.stdout.take().zip(child.stderr.take())
    }

    /// Notes that something came from it.
    pub fn heard(&self) {
        let _ = self.watch.send(()); // Its time was over.
    }

    /// Whether it was ended because its time was over.
    pub fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub fn end(&self) {
        end(&self.child);
    }

    /// Waits for its end, which the time limit makes sure of.
    ///
    /// # Errors
    /// The system doesn't say.
    pub fn wait(&self) -> Result<ExitStatus> {
        loop {
            // The lock isn't held while waiting: whoever ends the program needs it.
            if let Some(status) = locked(&self.child).try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        let _ = self.wait(); // Its end was asked for.
    }
}

/// Ends a program and what it started.
fn end(child: &Mutex<Child>) {
    let mut child = locked(child);
    // Until it was waited for, its number is its own.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // It may have just ended.
    }
    let _ = child.kill(); // It may have just ended.
}

/// Ends the programs that run when this one is interrupted, hung up or asked to end. Then ends this one, as the signal
/// would have.
fn end_with_us() {
    /// What shells say of a program that was interrupted.
    const INTERRUPTED: i32 = 130;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where a host has a handler of its own, that one decides.
        let _ = ctrlc::set_handler(|| {
            for child in locked(&RUNNING).iter().filter_map(Weak::upgrade) {
                end(&child);
            }
            std::process::exit(INTERRUPTED);
        });
    });
}
