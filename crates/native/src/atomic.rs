//! Files that are written whole or not at all.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes to a new file beside the named one, then renames it, so that an interruption leaves the old content or the
/// new content, never half of it.
///
/// # Errors
/// Writing failed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        // Gives the file the permissions of any new file. A temporary file would be readable by its owner alone.
        let mut file = tempfile::Builder::new().prefix(".hashgate-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| path.display().to_string())
}
