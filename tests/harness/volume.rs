//! A small file system of the test's own: it can be filled to the last byte and mounted read-only.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::disk::{Disk, run};

/// What takes the space lies in this file, beside the test's own.
const FILLER: &str = "filler";
/// The filler grows by at most so much at once.
const PIECE: usize = 1 << 20;

/// A mounted file system, unmounted when dropped.
#[derive(Debug)]
pub enum Volume {
    /// tmpfs, mounted here.
    Memory(PathBuf),
    /// ext4 on a loop device.
    Disk(Disk),
}

impl Volume {
    /// One in memory.
    pub fn in_memory(folder: &Path, mebibytes: u64) -> Result<Self> {
        let point = folder.join("volume");
        fs::create_dir_all(&point).context("make a mount point")?;
        let options = format!("size={mebibytes}m,mode=700");
        run("mount", &["-t", "tmpfs", "-o", &options, "tmpfs"], &point)?;
        Ok(Self::Memory(point))
    }

    /// One with ext4.
    pub fn on_disk(folder: &Path, mebibytes: u64) -> Result<Self> {
        Disk::make(folder, mebibytes).map(Self::Disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        match self {
            Self::Memory(point) => point,
            Self::Disk(disk) => disk.path(),
        }
    }

    /// Bytes that may still be written.
    pub fn available(&self) -> Result<u64> {
        let system = rustix::fs::statvfs(self.path()).context("statvfs")?;
        Ok(system.f_bavail * system.f_frsize)
    }

    /// Leaves about so many bytes.
    pub fn leave(&self, bytes: u64) -> Result<()> {
        let mut filler = self.filler()?;
        let mut more = self.available()?.saturating_sub(bytes);
        let zeros = vec![0; PIECE];
        while more > 0 {
            let piece = PIECE.min(usize::try_from(more)?);
            match filler.write(&zeros[..piece]) {
                Ok(written) => more -= written as u64,
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error).context("fill the volume"),
            }
        }
        // The file system may have reserved more than it takes in the end.
        filler.sync_all().context("sync the filler")
    }

    /// Takes all that is left.
    pub fn fill(&self) -> Result<()> {
        let mut filler = self.filler()?;
        let zeros = vec![0; PIECE];
        loop {
            let (mut piece, mut written) = (PIECE, 0);
            while piece > 0 {
                match filler.write(&zeros[..piece]) {
                    Ok(more) => written += more,
                    Err(error) if error.kind() == ErrorKind::StorageFull => piece /= 2,
                    Err(error) => return Err(error).context("fill the volume"),
                }
            }
            filler.sync_all().context("sync the filler")?;
            if written == 0 {
                return Ok(());
            }
        }
    }

    /// Gives back what [`Self::leave`] and [`Self::fill`] took.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.path().join(FILLER)).context("remove the filler")
    }

    /// Mounts it anew, read-only or not; fails while somebody holds a file open for writing.
    pub fn set_read_only(&self, read_only: bool) -> Result<()> {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        run("mount", &["-o", options], self.path())
    }

    fn filler(&self) -> Result<File> {
        let options = File::options().append(true).create(true).clone();
        options.open(self.path().join(FILLER)).context("open the filler")
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if let Self::Memory(point) = self
            && let Err(error) = run("umount", &["-l"], point)
        {
            eprintln!("{error:#}");
        }
    }
}
