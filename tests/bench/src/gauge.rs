//! What is measured beside the cases: starting, and memory when nobody asks for anything.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use harness::command::RUNTIME;
use harness::environment::find_program;
use harness::process::free_port;
use harness::{Journey, binaries};

use crate::client::{Body, Client, Endpoint};
use crate::report::Gauge;
use crate::server::{Certificate, Server, password};
use crate::statistics::{float, median};
use crate::usage;

/// Starts, of which the median counts. The very first makes keys and the database and is not one of them.
const STARTS: usize = 5;
/// Logins with a password before memory counts as that of an idle server.
const LOGINS: usize = 10;
/// What is set free shortly after the last request is not held.
pub(crate) const REST: Duration = Duration::from_secs(5);

/// From `exec` to the first answer.
pub(crate) fn start(journey: &Journey, with_peer: bool, once: bool) -> Result<Vec<Gauge>> {
    let starts = if once { 1 } else { STARTS };
    let data = journey.folder().join("start");
    let ours = |port: u16| {
        let mut command = Command::new(binaries::path_of("portolan")?);
        command
            .args(["up", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(&data);
        Ok(command)
    };
    first_answer(&ours, 1)?;
    let ours = first_answer(&ours, starts)?;
    let folder = journey.subfolder("start-peer")?;
    let peer = |port: u16| peer(&folder, port);
    Ok(vec![Gauge {
        id: "start to first answer, `portolan up`".to_owned(),
        unit: "ms".to_owned(),
        ours,
        peer: with_peer.then(|| first_answer(&peer, starts)).transpose()?,
        most: None,
    }])
}

fn peer(folder: &Path, port: u16) -> Result<Command> {
    let config = folder.join("config.yml");
    let text = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
        folder.display()
    );
    std::fs::write(&config, text)?;
    let mut command =
        Command::new(find_program("docker-registry").context("docker-registry is not installed")?);
    command.arg("serve").arg(config);
    Ok(command)
}

fn first_answer(make: &dyn Fn(u16) -> Result<Command>, starts: usize) -> Result<f64> {
    let mut took = Vec::new();
    for _ in 0..starts {
        let port = free_port()?;
        let mut command = make(port)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begin = Instant::now();
        let mut child = command.spawn().context("start a server")?;
        let answered = answer(port, begin);
        let ended = child.kill().and_then(|()| child.wait());
        took.push(answered?.as_secs_f64() * 1e3);
        ended.context("end a server")?;
    }
    Ok(median(&took))
}

fn answer(port: u16, begin: Instant) -> Result<Duration> {
    let mut byte = [0];
    while begin.elapsed() < Duration::from_mins(1) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            stream.read_exact(&mut byte)?;
            return Ok(begin.elapsed());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("a server did not answer")
}

/// What both services hold when nothing is asked, after some logins.
pub(crate) fn idle(journey: &Journey) -> Result<Vec<Gauge>> {
    let certificate = Certificate::make(&journey.subfolder("idle-tls")?)?;
    let apart = Server::ours(journey, &journey.subfolder("idle")?, &certificate)?;
    let (_, index) = apart.ports();
    let after_start = usage::resident(&apart.all_processes())?;
    log_in(index.context("no index")?)?;
    std::thread::sleep(REST);
    let after_logins = usage::resident(&apart.all_processes())?;
    let gauge = |id: &str, bytes: u64, most: Option<f64>| Gauge {
        id: id.to_owned(),
        unit: "MiB".to_owned(),
        ours: float(bytes) / f64::from(1 << 20),
        peer: None,
        most,
    };
    Ok(vec![
        gauge("memory after the start, both services apart", after_start, None),
        gauge(
            "memory idle after ten logins, both services apart",
            after_logins,
            Some(20.0),
        ),
        gauge(
            "memory idle after ten logins, `portolan up`",
            together(journey)?,
            Some(20.0),
        ),
    ])
}

fn together(journey: &Journey) -> Result<u64> {
    let server = harness::Server::own(journey, harness::server::Options::default())?;
    let account = server.account(journey, "idle")?;
    for _ in 0..LOGINS {
        let fresh = server.api(&account)?;
        fresh.push_small_image(&format!("{}/idle", account.name), "1", "idle")?;
    }
    std::thread::sleep(REST);
    let resident = usage::resident(&[server.pid()?])?;
    server.stop()?;
    Ok(resident)
}

fn log_in(port: u16) -> Result<()> {
    let endpoint = Arc::new(Endpoint {
        port,
        authorization: password(),
        tls: None,
        fresh: true,
    });
    let request = endpoint.prepare("GET", "/token?service=bench&offline_token=true", "");
    RUNTIME.block_on(async {
        for _ in 0..LOGINS {
            let answer = Client::new(Arc::clone(&endpoint))
                .send(&request, Body::None)
                .await?;
            ensure!(
                answer.status == 200,
                "a login was answered with {}",
                answer.status
            );
        }
        Ok(())
    })
}
