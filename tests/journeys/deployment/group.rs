//! What the kernel says of a container: memory and descriptors of all its processes.

use std::path::PathBuf;

use harness::{Context as _, Result};

/// The control group of a container, in which all its processes are.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
}

impl Group {
    /// That of the container with this main process.
    pub(crate) fn of(process: &str) -> Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{process}/cgroup")).context("it has ended")?;
        let own = |controller: &str| {
            text.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':').skip(1);
                (parts.next()? == controller).then(|| parts.next().unwrap_or_default().to_owned())
            })
        };
        let folder = match own("memory") {
            Some(path) => format!("/sys/fs/cgroup/memory{path}"),
            None => format!("/sys/fs/cgroup{}", own("").context("no cgroup")?),
        };
        Ok(Self {
            folder: folder.into(),
        })
    }

    /// What the kernel cannot take back, in MiB; pages that processes share (PostgreSQL's buffers, files in memory) if wanted.
    pub(crate) fn memory(&self, with_shared: bool) -> Result<f64> {
        let path = self.folder.join("memory.stat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let value = |name: &str| {
            let found = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            found
                .and_then(|number| number.parse::<f64>().ok())
                .unwrap_or_default()
        };
        let shared = if with_shared { value("shmem") } else { 0.0 };
        let own = value("anon") + value("rss") + value("kernel_stack") + value("slab_unreclaimable");
        Ok((own + shared) / f64::from(1 << 20))
    }

    /// Its processes, by their numbers on the host.
    pub(crate) fn processes(&self) -> Result<Vec<u32>> {
        let path = self.folder.join("cgroup.procs");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        text.lines().map(|line| Ok(line.parse()?)).collect()
    }

    /// Descriptors that its processes have open.
    pub(crate) fn descriptors(&self) -> Result<u64> {
        let open = |process: u32| harness::process::open_files(process).ok();
        // One that ends meanwhile has none.
        Ok(self.processes()?.into_iter().filter_map(open).sum())
    }
}
