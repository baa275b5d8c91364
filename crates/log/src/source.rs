//! Reads logs, lists and statuses, from the web or from a folder.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::durable;

/// Longest file in bytes. A full bundle of the longest entries fits: 256 entries of 64 KiB are 16 MiB.
const MAX_BYTES: usize = 17 << 20;
/// Time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where files are read from.
#[derive(Debug)]
pub enum Source {
    /// A folder.
    Folder(PathBuf),
    /// The address of a folder on the web, without a slash at its end.
    Web(String, reqwest::Client, tokio::runtime::Runtime),
}

/// Makes an HTTP client.
///
/// # Errors
/// The client can't be made.
pub fn client(timeout: Duration) -> Result<reqwest::Client> {
    // Ignores the error: it means that a provider is already installed, and that one works, too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::limited(3))
        .user_agent(concat!("hashgate/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

impl Source {
    /// Opens an address (`http:`, `https:`) or a folder (a path, or `file:`).
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn open(address: &str) -> Result<Self> {
        if address.starts_with("http://") || address.starts_with("https://") {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            return Ok(Self::Web(address.trim_end_matches('/').into(), client(TIMEOUT)?, runtime));
        }
        Ok(Self::Folder(address.strip_prefix("file://").unwrap_or(address).into()))
    }

    /// Returns the address or the path of a file, for messages.
    #[must_use]
    pub fn name(&self, path: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(path).display().to_string(),
            Self::Web(address, ..) => format!("{address}/{path}"),
        }
    }

    /// Reads a file. An empty path stands for the source itself. Returns `None` if the file doesn't exist.
    ///
    /// # Errors
    /// The file can't be read, or is too long.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let (address, client, runtime) = match self {
            Self::Folder(folder) if path.is_empty() => return durable::read(folder),
            Self::Folder(folder) => return durable::read(&folder.join(path)),
            Self::Web(address, client, runtime) => (address, client, runtime),
        };
        let url = if path.is_empty() { address.clone() } else { format!("{address}/{path}") };
        let read = async {
            let mut answer = client.get(&url).send().await?;
            match answer.status().as_u16() {
                404 | 410 => return Ok(None),
                200 => {}
                other => bail!("expected status 200, got {other}"),
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                bytes.extend_from_slice(&chunk);
                ensure!(bytes.len() <= MAX_BYTES, "expected at most {MAX_BYTES} bytes, got more");
            }
            Ok(Some(bytes))
        };
        runtime.block_on(read).with_context(|| url.clone())
    }

    /// Reads a file that must be there.
    ///
    /// # Errors
    /// The file can't be read, or doesn't exist.
    pub fn need(&self, path: &str) -> Result<Vec<u8>> {
        self.read(path)?.with_context(|| format!("{}: expected a file, got none", self.name(path)))
    }
}
