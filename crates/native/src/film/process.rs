//! Runs a program, and ends it at a time limit or when hashgate itself is interrupted.

use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The programs that are running.
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

/// A program that is running. Dropping this value ends the program.
pub(super) struct Running {
    child: Arc<Mutex<Child>>,
    is_late: Arc<AtomicBool>,
    /// Each message restarts the time of silence. Dropping the sender ends the thread that watches the time.
    watch: mpsc::Sender<()>,
}

impl Running {
    /// Starts a program, and ends it at its time limit. On Unix the program gets a process group of its own, so that the
    /// programs that it starts are ended with it.
    ///
    /// # Errors
    /// The program can't be started.
    pub fn start(mut command: Command, limit: TimeLimit) -> Result<Self> {
        end_with_us();
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = {
            // Keeps the lock until the program is in the list, so that an interruption meanwhile finds it there.
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

    /// Takes the program's output and error output. Returns `None` if they were taken before.
    pub fn outputs(&self) -> Option<(ChildStdout, ChildStderr)> {
        let mut child = locked(&self.child);
        child.stdout.take().zip(child.stderr.take())
    }

    /// Notes that the program gave something, which restarts the time of silence.
    pub fn heard(&self) {
        let _ = self.watch.send(()); // Fails if the time is over already.
    }

    /// Returns whether the program was ended at its time limit.
    pub fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Ends the program.
    pub fn end(&self) {
        end(&self.child);
    }

    /// Waits until the program has ended. The time limit makes sure that it does.
    ///
    /// # Errors
    /// The system doesn't tell the program's state.
    pub fn wait(&self) -> Result<ExitStatus> {
        loop {
            // Releases the lock before it sleeps, because a thread that ends the program needs the lock.
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
        let _ = self.wait(); // Removes the ended process from the system's table.
    }
}

/// Ends a program, and on Unix the programs that it started.
fn end(child: &Mutex<Child>) {
    let mut child = locked(child);
    // The system may give the process's number to another process once this one was waited for. So doesn't use the
    // number of a process that has ended.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // It may have just ended.
    }
    let _ = child.kill(); // It may have just ended.
}

/// Sets a handler for the signals INT, TERM and HUP, once. It ends the running programs, and then hashgate with the
/// exit code of an interrupted program.
fn end_with_us() {
    /// The exit code that shells give a program that the signal INT ended.
    const INTERRUPTED: i32 = 130;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails if the process has a handler already. Then that handler decides.
        let _ = ctrlc::set_handler(|| {
            for child in locked(&RUNNING).iter().filter_map(Weak::upgrade) {
                end(&child);
            }
            std::process::exit(INTERRUPTED);
        });
    });
}
