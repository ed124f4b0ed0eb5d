//! A disk of the test's own whose power can be cut: an image in memory, mounted through a loop device.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// The image is copied in pieces of this many bytes.
const PIECE: u64 = 64 << 10;
/// Most passes over an image until nothing changes any more.
const PASSES: usize = 10_000;

/// An ext4 file system on a loop device. Its journal is written when somebody syncs, and otherwise every five
/// minutes: nothing gets to the disk by luck. Unmounted and removed when dropped.
#[derive(Debug)]
pub struct Disk {
    /// A file system in memory that holds the images.
    memory: PathBuf,
    point: PathBuf,
    generation: u32,
    bytes: u64,
    mounted: bool,
}

impl Disk {
    /// Makes one in an empty folder and mounts it.
    pub fn make(folder: &Path, mebibytes: u64) -> Result<Self> {
        let mut disk = Self {
            memory: folder.join("memory"),
            point: folder.join("disk"),
            generation: 0,
            bytes: mebibytes << 20,
            mounted: false,
        };
        fs::create_dir_all(&disk.memory).context("make a folder")?;
        fs::create_dir_all(&disk.point).context("make a mount point")?;
        run("mount", &["-t", "tmpfs", "-o", "mode=700", "tmpfs"], &disk.memory)?;
        let image = disk.image();
        File::create(&image)
            .and_then(|file| file.set_len(disk.bytes))
            .context("make an image")?;
        // All tables now: nothing shall be written to them in the background.
        let options = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
        // Blocks as on a disk of any usual size; on so small a one they would be shorter than a page of memory.
        let words = ["-q", "-F", "-b", "4096", "-m", "0", "-E", options];
        run("mkfs.ext4", &words, &image)?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.point
    }

    /// Keeps what is on the disk at one moment of now, as a power cut would leave it: what is only in the kernel's
    /// memory is not in it. Whoever writes has to be stopped, and what it had asked of the kernel may still end.
    pub fn cut(&mut self) -> Result<()> {
        let from = File::open(self.image()).context("open the image")?;
        let to = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(self.image_of(self.generation + 1))
            .context("make a copy of the image")?;
        to.set_len(self.bytes)?;
        for _ in 0..PASSES {
            // A pass that finds nothing changed proves that the copy is the image of the moment before it.
            if copy_changes(&from, &to, self.bytes)? == 0 {
                return Ok(());
            }
        }
        bail!("the image does not come to rest")
    }

    /// Mounts what was kept by [`Self::cut`] in place of what is there. Nobody may have a file open.
    pub fn power_up(&mut self) -> Result<()> {
        self.unmount()?;
        fs::remove_file(self.image()).context("remove the old image")?;
        self.generation += 1;
        self.mount()
    }

    fn mount(&mut self) -> Result<()> {
        let image = self.image().display().to_string();
        let options = "loop,commit=300,noauto_da_alloc,nodiscard";
        run("mount", &["-t", "ext4", "-o", options, &image], &self.point)?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        if std::mem::take(&mut self.mounted) {
            run("umount", &[], &self.point)?;
        }
        Ok(())
    }

    fn image(&self) -> PathBuf {
        self.image_of(self.generation)
    }

    fn image_of(&self, generation: u32) -> PathBuf {
        self.memory.join(format!("image-{generation}"))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The loop device goes with its last user; whatever resists is told of and swept at the end of the run.
        for point in [&self.point, &self.memory] {
            if let Err(error) = run("umount", &["-l"], point) {
                eprintln!("{error:#}");
            }
        }
    }
}

/// Why this user can have none here, when that is so.
pub fn missing() -> Option<String> {
    let tried = tempfile::tempdir()
        .context("make a folder")
        .and_then(|folder| Disk::make(folder.path(), 16).map(drop));
    tried.err().map(|error| format!("no loop mounts: {error:#}"))
}

/// Copies every piece that differs; tells how many.
fn copy_changes(from: &File, to: &File, length: u64) -> Result<u64> {
    let (mut old, mut new) = (vec![0; usize::try_from(PIECE)?], vec![0; usize::try_from(PIECE)?]);
    let (mut at, mut changes) = (0, 0);
    // Where both have holes, both are zero.
    while let Some(data) = next_data(from, at)?.into_iter().chain(next_data(to, at)?).min() {
        at = data / PIECE * PIECE;
        if at >= length {
            break;
        }
        let size = usize::try_from(PIECE.min(length - at))?;
        from.read_exact_at(&mut new[..size], at)?;
        to.read_exact_at(&mut old[..size], at)?;
        if old[..size] != new[..size] {
            to.write_all_at(&new[..size], at)?;
            changes += 1;
        }
        at += PIECE;
    }
    Ok(changes)
}

fn next_data(file: &File, at: u64) -> Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(at)) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error).context("look for data in the image"),
    }
}

pub(crate) fn run(program: &str, arguments: &[&str], last: &Path) -> Result<()> {
    let path =
        crate::environment::find_program(program).with_context(|| format!("not installed: {program}"))?;
    let done = Command::new(path).args(arguments).arg(last).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{program} {}: {said}", last.display());
    Ok(())
}
