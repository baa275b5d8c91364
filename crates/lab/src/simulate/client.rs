//! A simulated client that follows the list.

use std::net::SocketAddr;

use anyhow::Result;
use hashgate::release::Manifest;
use hyper::StatusCode;

use super::figures::With;
use super::wire::Wire;

/// A client: its filter, and the manifest that it saw last.
#[derive(Default)]
pub struct Client {
    tag: Option<String>,
    /// The release of the filter; 0 while there is none.
    pub release: u64,
    /// The filter file.
    pub file: Option<Vec<u8>>,
}

impl Client {
    /// Makes a client that still has an earlier release.
    pub fn at(release: u64, old: &[Vec<u8>], tag: Option<String>) -> Self {
        Self { tag, release, file: Some(old[release as usize - 1].clone()) }
    }

    /// Asks for the manifest, and fetches the new release if there is one. Returns the number of bytes received.
    ///
    /// # Errors
    /// The server answers otherwise than it should.
    pub async fn poll(&mut self, server: SocketAddr, with: &mut With) -> Result<u64> {
        let mut wire = Wire::open(server).await?;
        let answer = wire.get("/list/manifest.txt", self.tag.as_deref()).await?;
        with.manifest_requests += 1;
        with.manifest_bytes += wire.bytes();
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(wire.received());
        }
        let manifest = Manifest::read_unverified(&answer.body)?;
        self.tag = answer.etag;
        let before = wire.bytes();
        let delta = manifest.deltas.iter().find(|delta| delta.from == self.release);
        self.file = Some(match (self.file.take(), delta) {
            (Some(base), _) if self.release == manifest.release => base,
            (Some(base), Some(delta)) => {
                let file = wire.get(&format!("/list/{}", delta.path), None).await?;
                with.delta_requests += 1;
                with.delta_bytes += wire.bytes() - before;
                manifest.apply_delta(&base, &file.body)?
            }
            _ => {
                let file = wire.get(&format!("/list/{}", manifest.full.path), None).await?;
                with.first_download_bytes += wire.bytes() - before;
                manifest.verify_full(&file.body)?;
                file.body
            }
        });
        self.release = manifest.release;
        Ok(wire.received())
    }
}
