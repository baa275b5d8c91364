//! Starts the server, and reads its processor time and memory from Linux's `/proc`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Result;

/// Clock ticks per second, the unit of times in `/proc` (see `man 5 proc`): 100 on all common Linux systems.
const TICKS: f64 = 100.0;

/// A running server. It is killed when this value is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(program: &Path, filter: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--max-connections-each", "0", "--filter"])
            .arg(filter)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!("{}: {error}; build it: cargo build --release -p hashgate-cli", program.display())
            })?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://").ok_or("the server doesn't start")?.parse()?;
        Ok(Self { child, address })
    }

    /// Returns the processor time that the server has used, in seconds.
    pub fn cpu(&self) -> Result<f64> {
        cpu(&format!("/proc/{}/stat", self.child.id()))
    }

    /// Returns the server's resident memory in MB.
    pub fn memory_mb(&self) -> Result<f64> {
        self.status("VmRSS")
    }

    /// Returns the maximum of the server's resident memory, in MB.
    pub fn peak_mb(&self) -> Result<f64> {
        self.status("VmHWM")
    }

    fn status(&self, name: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("the server has ended")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
        Ok(kib * 1024.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the processor time that this process has used, in seconds.
pub fn own_cpu() -> Result<f64> {
    cpu("/proc/self/stat")
}

fn cpu(path: &str) -> Result<f64> {
    let stat = std::fs::read_to_string(path)?;
    // The second field is the program's name in brackets and may contain spaces, so fields are counted from after it.
    // User time is field 14 and system time field 15.
    let after = stat.rsplit_once(')').ok_or("no name")?.1;
    let ticks = after.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? / TICKS)
}

/// Returns the machine's load average over the last minute.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
