//! Files that are whole or aren't there.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes beside the file and renames, so that an interruption leaves the old file or the new one,
/// never half of one.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        // Made readable as any new file is: the temporary one would be the owner's alone.
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
