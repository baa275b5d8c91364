//! Checks who may read a file that holds a secret.

use std::fs::File;

/// Returns the permissions of an open file, such as `"644"`, if others than its owner may read or write it.
///
/// Returns `None` if only the owner may, or if the system has no such permissions.
///
/// # Errors
/// The system doesn't tell.
pub fn open_to_others(file: &File) -> std::io::Result<Option<String>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        Ok((mode & 0o077 != 0).then(|| format!("{mode:03o}")))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(None)
    }
}
