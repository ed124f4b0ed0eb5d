//! `registry-service serve` without authentication, one for the whole run; a peer in its place on request.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use harness::peer::{Auth, DockerRegistry};
use harness::process::{Daemon, free_port};
use harness::server::{Kind, answers};
use harness::{Context as _, Journey, Result, binaries, scratch};

/// The running registry. The run's last sweep ends it.
#[derive(Debug)]
pub(super) struct OpenRegistry {
    port: u16,
    daemon: Daemon,
}

static SHARED: Mutex<Option<Arc<OpenRegistry>>> = Mutex::new(None);

impl OpenRegistry {
    /// The run's one open registry, started at the first call.
    pub(super) fn shared(journey: &Journey) -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = match &*shared {
            Some(registry) => Arc::clone(registry),
            None => Arc::clone(shared.insert(Arc::new(Self::start()?))),
        };
        journey.watch_log(registry.daemon.log());
        Ok(registry)
    }

    fn start() -> Result<Self> {
        let folder = scratch::folder("open-registry")?;
        let (port, root) = (free_port()?, folder.join("root"));
        if Kind::under_test() == Kind::DockerRegistry {
            let daemon = DockerRegistry::start_on(port, &folder, &root, &Auth::None, &[])?.into_daemon();
            return Ok(Self { port, daemon });
        }
        let config = folder.join("config.yml");
        let text = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    \
             enabled: true\nhttp:\n  addr: 127.0.0.1:{port}\n  secret: one-secret-for-every-start\n\
             validation:\n  manifests:\n    urls:\n      allow: ['^https?://']\n",
            root.display()
        );
        std::fs::write(&config, text).context("write the registry's configuration")?;
        let mut command = Command::new(binaries::path_of("registry-service")?);
        command.arg("serve").arg(&config);
        let mut daemon = Daemon::start("registry-service", command, &folder.join("registry.log"))?;
        daemon.wait_until_ready(Duration::from_mins(1), || answers(port))?;
        Ok(Self { port, daemon })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
