//! nginx with its files in a folder of the test's own, laid out as `/etc/nginx` is.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::Journey;
use crate::binaries;
use crate::process::Daemon;
use crate::server::answers;

/// Puts a server's configuration into `conf.d`.
pub fn place(folder: &Path, name: &str, text: &str) -> Result<()> {
    let folder = folder.join("conf.d");
    std::fs::create_dir_all(&folder).context("make conf.d")?;
    std::fs::write(folder.join(name), text).with_context(|| format!("write {name}"))
}

/// Starts nginx as the front door on this port, by what `portolan nginx-config` prints for these indexes and this registry.
pub fn front_door(journey: &Journey, front: u16, indexes: &[u16], registry: u16) -> Result<Daemon> {
    let at = |port: &u16| format!("127.0.0.1:{port}");
    let indexes: Vec<_> = indexes.iter().map(at).collect();
    let printed = journey
        .command(binaries::path_of("portolan")?)
        .args(["nginx-config", "--listen", &at(&front)])
        .args(["--index", &indexes.join(",")])
        .args(["--registry", &at(&registry)])
        .succeeds()?
        .stdout;
    let folder = journey.subfolder("nginx")?;
    place(&folder, "front.conf", &printed)?;
    start(journey, &folder, &[], || answers(front))
}

/// Starts nginx on what lies in the folder, `launcher` before its own command line.
pub fn start(
    journey: &Journey,
    folder: &Path,
    launcher: &[String],
    ready: impl FnMut() -> bool,
) -> Result<Daemon> {
    let at = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
        .concat();
    let user = if rustix::process::getuid().is_root() {
        "user root;\n"
    } else {
        ""
    };
    let text = format!(
        "{user}daemon off;\nworker_processes 1;\npid {at}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log \
         {at}/access.log;\n{temporary}include conf.d/*.conf;\n}}\n"
    );
    let config = folder.join("nginx.conf");
    std::fs::write(&config, text).context("write nginx.conf")?;
    let mut words = launcher.to_vec();
    words.push("nginx".to_owned());
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&config);
    let log = folder.join("error.log");
    journey.watch_log(&log);
    journey.watch_log(&folder.join("access.log"));
    let mut daemon = Daemon::start("nginx", command, &log)?;
    daemon.wait_until_ready(Duration::from_mins(1), ready)?;
    Ok(daemon)
}
