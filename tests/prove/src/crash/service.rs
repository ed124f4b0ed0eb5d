//! A server that is started again and again on the same data, and how clients reach it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::Bytes;
use harness::api::{Answer, Api};
use harness::binaries::path_of;
use harness::process::{Daemon, free_port};
use harness::{Account, Journey};
use http::Method;

/// Longest start.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a starting server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(2);

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Program and arguments.
    pub(crate) words: Vec<String>,
    /// Its environment, besides the run's.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) port: u16,
    pub(crate) log: PathBuf,
}

/// A server that was started.
#[derive(Debug)]
pub(crate) struct Running {
    daemon: Daemon,
    /// From the start of the process to its first answer.
    pub(crate) ready_after: Duration,
}

impl Service {
    /// `registry-service` on this folder, without authentication; `storage` are further lines of
    /// `storage.filesystem`, each indented by four spaces.
    pub(crate) fn open_registry(place: &Path, folder: &Path, storage: &str) -> Result<Self> {
        let port = free_port()?;
        let config = place.join(format!("registry-{port}.yml"));
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n{storage}  delete:\n    enabled: true\n\
             http:\n  addr: 127.0.0.1:{port}\n  secret: one secret for every start, and long\n",
            folder.display(),
        );
        std::fs::write(&config, text).context("write the configuration")?;
        let program = path_of("registry-service")?.display().to_string();
        Ok(Self {
            words: vec![program, "serve".to_owned(), config.display().to_string()],
            variables: Vec::new(),
            port,
            log: place.join(format!("registry-{port}.log")),
        })
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&self, journey: &Journey) -> Result<Running> {
        let begun = Instant::now();
        let mut running = self.begin(journey)?;
        while !answers(self.port) {
            ensure!(
                running.daemon.ended()?.is_none(),
                "the server ended before it was ready"
            );
            ensure!(
                begun.elapsed() < PATIENCE,
                "the server was not ready after {PATIENCE:?}"
            );
            std::thread::sleep(POLL);
        }
        running.ready_after = begun.elapsed();
        Ok(running)
    }

    /// Starts it and waits for nothing.
    pub(crate) fn begin(&self, journey: &Journey) -> Result<Running> {
        journey.watch_log(&self.log);
        let [program, arguments @ ..] = self.words.as_slice() else {
            return Err(anyhow!("no program"));
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(Running {
            daemon: Daemon::start(program, command, &self.log)?,
            ready_after: Duration::ZERO,
        })
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Running {
    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }

    /// SIGSTOP: no thread runs any further outside the kernel.
    pub(crate) fn pause(&self) {
        self.daemon.pause();
    }

    /// SIGTERM; whether it ended well.
    pub(crate) fn stop(&mut self) -> Result<bool> {
        Ok(self.daemon.stop(PATIENCE)?.success())
    }
}

/// Whether `/v2/` is answered on this port, whatever the answer.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start.starts_with(b"HTTP/1.1 200") || start.starts_with(b"HTTP/1.1 401"))
    };
    ask().unwrap_or(false)
}

/// How clients reach one server, or several that share a folder, until one is started anew.
#[derive(Debug)]
pub(crate) struct Access {
    servers: Vec<Api>,
    authorization: Option<String>,
}

impl Access {
    /// Open servers.
    pub(crate) fn open(urls: &[String]) -> Result<Self> {
        let servers = urls
            .iter()
            .map(|url| Api::new(url, None))
            .collect::<Result<_>>()?;
        Ok(Self {
            servers,
            authorization: None,
        })
    }

    /// A server with tokens: `account` gets one for these repositories.
    pub(crate) fn with_token(
        url: &str,
        service: &str,
        account: &Account,
        repositories: &[String],
    ) -> Result<Self> {
        let api = Api::new(url, Some(account.clone()))?;
        let scopes: Vec<String> = repositories
            .iter()
            .map(|repository| format!("repository:{repository}:pull,push,delete"))
            .collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let answer = api
            .token(&format!("{url}/token"), service, &scopes)?
            .expect(200)?;
        let token = answer.json()?["token"].as_str().context("no token")?.to_owned();
        Ok(Self {
            servers: vec![api],
            authorization: Some(format!("Bearer {token}")),
        })
    }

    /// How many servers there are.
    pub(crate) fn servers(&self) -> usize {
        self.servers.len()
    }

    /// One request, never repeated, to one of the servers.
    pub(crate) async fn send(
        &self,
        server: usize,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let mut headers = headers.to_vec();
        if let Some(authorization) = &self.authorization {
            headers.push(("authorization", authorization));
        }
        let api = &self.servers[server % self.servers.len()];
        api.once(method, path, &headers, body).await
    }
}
