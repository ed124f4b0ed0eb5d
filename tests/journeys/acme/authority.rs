//! Pebble, with a name server for which every name leads to one address.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::certificate::Certificate;
use harness::environment::find_program;
use harness::process::{Daemon, free_port};
use harness::{Context, Journey, Result};

/// A running authority.
pub(crate) struct Authority {
    port: u16,
    management: u16,
    trusted: PathBuf,
    log: PathBuf,
    daemon: Daemon,
    _names: Names,
}

/// Where proofs are looked for, and how easily.
#[derive(Debug)]
pub(crate) struct Proofs {
    /// To which every name leads.
    pub(crate) address: Ipv4Addr,
    /// The port of those over HTTP.
    pub(crate) http: u16,
    /// The port of those over TLS.
    pub(crate) tls: u16,
    /// How many of a hundred good nonces are refused.
    pub(crate) refused_nonces: u8,
}

impl Authority {
    /// Starts one that validates on `port`, and whose certificates live so long.
    pub(crate) fn start(journey: &Journey, validation: u16, life: Duration) -> Result<Self> {
        let proofs = Proofs {
            address: Ipv4Addr::LOCALHOST,
            http: free_port()?,
            tls: validation,
            // What every client must bear.
            refused_nonces: 20,
        };
        Self::start_for(journey, &proofs, life)
    }

    /// The same for names that lead elsewhere.
    pub(crate) fn start_for(journey: &Journey, proofs: &Proofs, life: Duration) -> Result<Self> {
        let folder = journey.subfolder("authority")?;
        let (port, management) = (free_port()?, free_port()?);
        let issuer = Certificate::authority(journey, &folder, "directory-authority")?;
        let extensions = "basicConstraints=CA:false\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n";
        let own = issuer.issue(journey, &folder, "directory", extensions)?;
        let config = folder.join("pebble.json");
        let text = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": own.certificate,
            "privateKey": own.key,
            "httpPort": proofs.http,
            "tlsPort": proofs.tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": life.as_secs(),
        }});
        std::fs::write(&config, text.to_string())?;
        let names = Names::start(proofs.address)?;
        let mut command = Command::new(find_program("pebble").context("pebble is missing")?);
        command.arg("-config").arg(&config);
        command.args(["-dnsserver", &format!("127.0.0.1:{}", names.port)]);
        command.env("PEBBLE_VA_NOSLEEP", "1");
        command.env("PEBBLE_WFE_NONCEREJECT", proofs.refused_nonces.to_string());
        command.env("PEBBLE_AUTHZREUSE", "0");
        let log = folder.join("pebble.log");
        journey.watch_foreign_log(&log);
        let mut daemon = Daemon::start("pebble", command, &log)?;
        daemon.wait_until_ready(Duration::from_mins(1), || {
            let ports = [port, management];
            ports
                .iter()
                .all(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok())
        })?;
        Ok(Self {
            port,
            management,
            trusted: issuer.certificate,
            log,
            daemon,
            _names: names,
        })
    }

    /// The URL of its directory.
    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// Whom to trust for speaking with it.
    pub(crate) fn trusted(&self) -> &Path {
        &self.trusted
    }

    /// Whom to trust for what it issues.
    pub(crate) fn root(&self, journey: &Journey) -> Result<PathBuf> {
        let path = journey.folder().join("root.pem");
        let line = journey
            .command("curl")
            .args(["-sSf", "--cacert"])
            .arg(&self.trusted);
        let line = line.arg("-o").arg(&path);
        line.arg(format!("https://localhost:{}/roots/0", self.management))
            .succeeds()?;
        Ok(path)
    }

    /// How many certificates were ordered so far.
    pub(crate) fn orders(&self) -> Result<usize> {
        let log = std::fs::read_to_string(&self.log)?;
        Ok(log.lines().filter(|line| line.contains("Added order ")).count())
    }

    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }
}

/// A name server in a thread.
struct Names {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl Names {
    fn start(address: Ipv4Addr) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let names = Self {
            port: socket.local_addr()?.port(),
            stopped: Arc::default(),
        };
        let stopped = Arc::clone(&names.stopped);
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while !stopped.load(Ordering::SeqCst) {
                if let Ok((length, asker)) = socket.recv_from(&mut question)
                    && let Some(answer) = answer(&question[..length], address)
                {
                    drop(socket.send_to(&answer, asker));
                }
            }
        });
        Ok(names)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

/// The address for who asks for an address of IPv4, nothing for others (RFC 1035, section 4).
fn answer(question: &[u8], address: Ipv4Addr) -> Option<Vec<u8>> {
    let id = question.get(..2)?;
    let name = question[12..].iter().position(|&byte| byte == 0)?;
    let asked = question.get(12..12 + name + 5)?;
    let is_address = asked.ends_with(&[0, 1, 0, 1]);
    let mut answer = id.to_vec();
    // An answer, recursion available; one question, perhaps one answer.
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
    answer.extend(asked);
    if is_address {
        // The name of the question; an address, for a minute.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
