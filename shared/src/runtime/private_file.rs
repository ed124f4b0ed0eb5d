//! Files that only their owner may read: keys and first passwords.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A private file could not be made, or is not private.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// There is a file of that name already; it was left as it is.
    #[error("{} exists already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// Others than the owner may read or write the file; `mode` is its permission bits.
    #[error("{} can be read by others (mode {mode:04o}); type: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system refused.
    #[error("while {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Creates `path` with mode 0600 and these bytes, durably: the file and its folder are synced.
///
/// The name appears only with the whole content: the bytes are written beside it and then linked, so that a
/// crash cannot leave half a key under its final name. An existing file is never overwritten.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    let linked = publish(path, bytes, |draft| fs::hard_link(draft, path));
    match linked {
        Err(PrivateFileError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            Err(PrivateFileError::Exists(path.to_owned()))
        }
        other => other,
    }
}

/// The same for a file that may be there already: readers find the old content or the new one, never a part.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    publish(path, bytes, |draft| fs::rename(draft, path))
}

/// Writes a draft beside `path`, durably, and has it take its name.
fn publish(
    path: &Path,
    bytes: &[u8],
    take_name: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), PrivateFileError> {
    let fail = |doing| {
        move |source| PrivateFileError::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .ok_or_else(|| fail("naming")(io::Error::new(io::ErrorKind::InvalidInput, "no file name")))?;
    let draft = folder.join(format!(
        ".{}.{}.draft",
        name.to_string_lossy(),
        std::process::id()
    ));
    // A draft of our own process id can only be left over from a crash of an earlier process.
    let _ = fs::remove_file(&draft);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        take_name(&draft)
    })();
    let _ = fs::remove_file(&draft);
    written.map_err(fail("writing"))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(fail("syncing the folder of"))
}

/// Refuses a file that its group or others may read or write. Root's own may be read by its group: so service managers and
/// orchestrators hand secrets to a process that is not root.
pub fn check_private(path: &Path) -> Result<(), PrivateFileError> {
    let metadata = fs::metadata(path).map_err(|source| PrivateFileError::Io {
        doing: "reading the permissions of",
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    let harmless = if metadata.uid() == 0 { 0o040 } else { 0 };
    if mode & 0o077 & !harmless == 0 {
        Ok(())
    } else {
        Err(PrivateFileError::Exposed {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_has_mode_0600_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write_private(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        check_private(&path).unwrap();
        assert!(matches!(
            write_private(&path, b"two"),
            Err(PrivateFileError::Exists(_))
        ));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft stays behind"
        );
    }

    #[test]
    fn a_replaced_file_is_the_new_one_as_private_as_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certificate");
        for content in [b"one", b"two"] {
            replace_private(&path, content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
            check_private(&path).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_others_may_read_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write_private(&path, b"one").unwrap();
        // The group's leave to read is harmless where root gave it, and tests may run as root.
        for mode in [0o644, 0o660, 0o602, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let text = check_private(&path).unwrap_err().to_string();
            assert!(text.contains(&format!("chmod 600 {}", path.display())), "{text}");
        }
    }

    #[test]
    fn writing_into_a_missing_folder_says_what_was_being_done() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_private(&folder.path().join("none/key.pem"), b"x").unwrap_err();
        assert!(error.to_string().starts_with("while writing "), "{error}");
    }
}
