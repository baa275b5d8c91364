//! Starts this program again as separate processes: the publisher and the server.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use hashgate::pdq::PdqHash;
use hashgate::release::Manifest;
use hashgate_native::terminal::LISTENING;

use super::wire::Wire;

/// Room for growth of the published filters, in per cent.
pub const HEADROOM: u32 = 5;

/// Writes a list, one hash per line.
///
/// # Errors
/// The file can't be written.
pub fn write_list(path: &Path, list: &[PdqHash]) -> Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for hash in list {
        writeln!(file, "{hash}")?;
    }
    Ok(file.flush()?)
}

/// Publishes a list by `hashgate publish`. Returns the bytes of the filter file.
///
/// # Errors
/// Publishing failed.
pub fn publish(folder: &Path, list: &[PdqHash]) -> Result<Vec<u8>> {
    write_list(&folder.join("list.txt"), list)?;
    let names = ["--name", "Simulation", "--category", "numbered hashes", "--type", "pdq"];
    let headroom = HEADROOM.to_string();
    succeed(
        hashgate(folder)?
            .args(["publish", "list.txt", "--dir", "published", "--key", "key"])
            .args(names)
            .args(["--headroom", &headroom]),
    )?;
    let manifest = Manifest::read_unverified(&std::fs::read(folder.join("published/manifest.txt"))?)?;
    Ok(std::fs::read(folder.join("published").join(manifest.full.path))?)
}

/// Runs a command to its end.
///
/// # Errors
/// The command failed.
pub fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Returns a command that starts this program again.
///
/// # Errors
/// The system doesn't tell where the program lies.
pub fn hashgate(folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(folder).stdin(Stdio::null());
    Ok(command)
}

/// A running `hashgate serve`. Dropping it kills the process.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the server in a folder, with its `list.txt`. If `published` is true, also gives it the folder `published`
    /// in there.
    ///
    /// # Errors
    /// The server doesn't start.
    pub fn start(folder: &Path, published: bool) -> Result<Self> {
        let mut command = hashgate(folder)?;
        command.args(["serve", "--list", "list.txt", "--type", "pdq", "--listen", "127.0.0.1:0", "--rate", "0"]);
        if published {
            command.args(["--dir", "published"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().context("the server's output")?;
        BufReader::new(said).read_line(&mut line)?;
        let address = line.trim().strip_prefix(LISTENING).and_then(|address| address.parse().ok());
        Ok(Self {
            child,
            address: address.context("server: expected the address that it listens on, got another line")?,
        })
    }

    /// Returns the CPU seconds that the server has used, by its own metric.
    ///
    /// # Errors
    /// The server doesn't answer.
    pub async fn cpu(&self) -> Result<f64> {
        Wire::open(self.address).await?.metric("hashgate_process_cpu_seconds_total").await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
