//! Other ways to be reached than a port: a socket of the machine, and one that systemd has bound.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::binaries;
use harness::certificate::Certificate;
use harness::environment::find_program;
use harness::layout::Layout;
use harness::process::{Daemon, free_port};
use harness::{Context, Journey, Need, Result, Suite, ensure};

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan, Need::Curl];
    suite.add(
        "socket",
        "a_socket_of_the_machine_is_served_as_a_port_is_and_one_that_was_left_over_is_replaced",
        needs,
        local,
    );
    suite.add(
        "socket",
        "tls_and_http2_work_over_a_socket_of_the_machine",
        &[Need::Portolan, Need::Curl, Need::Openssl],
        secured,
    );
    suite.add(
        "socket",
        "skopeo_pushes_and_pulls_through_an_nginx_before_the_socket",
        &[Need::Portolan, Need::Nginx, Need::Skopeo],
        behind_nginx,
    );
    suite.add(
        "socket",
        "a_socket_that_systemd_has_bound_counts_and_two_are_refused",
        &[Need::Portolan, Need::Curl, Need::SocketActivation],
        activated,
    );
}

/// A registry with these lines below `http`.
fn registry(journey: &Journey, name: &str, http: &str, launcher: &[String]) -> Result<(Command, PathBuf)> {
    let config = journey.folder().join(format!("{name}.yml"));
    let store = journey.subfolder(&format!("{name}-store"))?;
    let text = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  secret: one secret for all\n{http}",
        store.display()
    );
    std::fs::write(&config, text)?;
    let mut words = launcher.to_vec();
    words.push(binaries::path_of("registry-service")?.display().to_string());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg("serve").arg(&config);
    let log = journey.folder().join(format!("{name}.log"));
    journey.watch_log(&log);
    Ok((command, log))
}

fn start(journey: &Journey, name: &str, http: &str, socket: &Path) -> Result<Daemon> {
    let (command, log) = registry(journey, name, http, &[])?;
    let mut daemon = Daemon::start("registry-service", command, &log)?;
    daemon.wait_until_ready(PATIENCE, || UnixStream::connect(socket).is_ok())?;
    Ok(daemon)
}

/// What curl says of `/v2/` through a socket: status and version.
fn ask(journey: &Journey, socket: &Path, more: &[&str], url: &str) -> Result<String> {
    let line = journey
        .command("curl")
        .args(["-sS", "--max-time", "20", "-o", "/dev/null"]);
    let line = line.args(["-w", "%{http_code} %{http_version}", "--unix-socket"]);
    Ok(line.arg(socket).args(more).arg(url).succeeds()?.stdout)
}

fn local(journey: &Journey) -> Result<()> {
    let socket = journey.folder().join("registry.sock");
    // As a process leaves it that was killed.
    drop(UnixListener::bind(&socket)?);
    let http = format!(
        "  net: unix\n  addr: {}\n  socketmode: 0600\n  h2c:\n    enabled: true\n",
        socket.display()
    );
    let mut first = start(journey, "local", &http, &socket)?;
    let metadata = std::fs::metadata(&socket)?;
    ensure!(metadata.file_type().is_socket(), "no socket");
    ensure!(metadata.permissions().mode() & 0o777 == 0o600, "another mode");
    let url = "http://localhost/v2/";
    for (more, expected) in [
        (&["--http1.1"][..], "200 1.1"),
        (&["--http2-prior-knowledge"], "200 2"),
    ] {
        let said = ask(journey, &socket, more, url)?;
        ensure!(said == expected, "{more:?}: {said}");
    }
    let upload = "http://localhost/v2/team/app/blobs/uploads/?digest=sha256:\
                  e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let said = ask(journey, &socket, &["--http1.1", "-X", "POST"], upload)?;
    ensure!(said == "201 1.1", "a push: {said}");
    // Killed, it leaves its socket, and the next start replaces it.
    first.kill();
    ensure!(socket.exists(), "nothing was left over");
    let mut second = start(journey, "local", &http, &socket)?;
    let said = ask(journey, &socket, &["--http1.1"], url)?;
    ensure!(said == "200 1.1", "after a restart: {said}");
    ensure!(second.stop(PATIENCE)?.success(), "it ended with a failure");
    ensure!(!socket.exists(), "the socket stays behind");
    let log = std::fs::read_to_string(second.log())?;
    let listening = format!("{}", socket.display());
    ensure!(
        log.lines()
            .any(|line| line.contains("listening") && line.contains(&listening)),
        "the log does not say where it listens:\n{log}"
    );
    ensure!(
        log.lines()
            .any(|line| line.starts_with("@ - - [") && line.contains("\"GET /v2/ HTTP/1.1\" 200 ")),
        "no line of the access log:\n{log}"
    );
    // What is no socket is somebody's file.
    std::fs::write(&socket, "precious")?;
    let (command, log) = registry(journey, "refused", &http, &[])?;
    let ended = Daemon::start("registry-service", command, &log)?.wait(PATIENCE)?;
    ensure!(!ended.success(), "it started in the place of a file");
    let log = std::fs::read_to_string(&log)?;
    ensure!(log.contains("exists and is not a socket"), "{log}");
    ensure!(std::fs::read(&socket)? == b"precious", "the file is gone");
    Ok(())
}

fn secured(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("certificates")?;
    let authority = Certificate::authority(journey, &folder, "authority")?;
    let extensions = "basicConstraints=CA:false\nsubjectAltName=DNS:registry.test\n";
    let own = authority.issue(journey, &folder, "server", extensions)?;
    let socket = journey.folder().join("secured.sock");
    let http = format!(
        "  net: unix\n  addr: {}\n  tls:\n    certificate: {}\n    key: {}\n",
        socket.display(),
        own.certificate.display(),
        own.key.display()
    );
    let mut daemon = start(journey, "secured", &http, &socket)?;
    let root = authority.certificate.display().to_string();
    for (more, expected) in [(&["--http1.1"][..], "200 1.1"), (&["--http2"], "200 2")] {
        let more = [&["--cacert", &root], more].concat();
        let said = ask(journey, &socket, &more, "https://registry.test/v2/")?;
        ensure!(said == expected, "{more:?}: {said}");
    }
    ensure!(daemon.stop(PATIENCE)?.success(), "it ended with a failure");
    Ok(())
}

fn behind_nginx(journey: &Journey) -> Result<()> {
    let socket = journey.folder().join("upstream.sock");
    let http = format!("  net: unix\n  addr: {}\n  socketmode: 0666\n", socket.display());
    let mut daemon = start(journey, "upstream", &http, &socket)?;
    let (port, folder) = (free_port()?, journey.subfolder("nginx")?);
    let place = folder.display();
    let text = format!(
        "daemon off;\nuser root;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{}}\nhttp {{\n  access_log off;\n  \
         client_body_temp_path {place}/body;\n  proxy_temp_path {place}/proxy;\n  fastcgi_temp_path {place}/f;\n  \
         uwsgi_temp_path {place}/u;\n  scgi_temp_path {place}/s;\n  client_max_body_size 0;\n  \
         server {{\n    listen 127.0.0.1:{port};\n    location / {{\n      proxy_pass http://unix:{}:;\n      \
         proxy_http_version 1.1;\n      proxy_set_header Host $http_host;\n      proxy_request_buffering off;\n    }}\n  }}\n}}\n",
        socket.display()
    );
    let config = folder.join("nginx.conf");
    std::fs::write(&config, text)?;
    let mut command = Command::new(find_program("nginx").context("nginx is missing")?);
    command.arg("-p").arg(&folder).arg("-c").arg(&config);
    let log = folder.join("out.log");
    journey.watch_foreign_log(&log);
    let mut nginx = Daemon::start("nginx", command, &log)?;
    nginx.wait_until_ready(PATIENCE, || harness::server::answers(port))?;

    let mut layout = Layout::create(&journey.folder().join("image"))?;
    let layers = [layout.noise_layer(21, 300_000)?];
    let image = layout.image("amd64", &layers, &["/nothing"])?;
    layout.tag("1", &image)?;
    let source = format!("oci:{}:1", layout.folder().display());
    let remote = format!("docker://localhost:{port}/team/app:1");
    let copy = |from: &str, to: &str, flag: &str| {
        let line = journey.command("skopeo").args(["copy", flag, from, to]);
        line.succeeds()
    };
    copy(&source, &remote, "--dest-tls-verify=false")?;
    let back = format!("oci:{}:1", journey.folder().join("pulled").display());
    copy(&remote, &back, "--src-tls-verify=false")?;
    nginx.stop(PATIENCE)?;
    ensure!(daemon.stop(PATIENCE)?.success(), "it ended with a failure");
    Ok(())
}

/// `systemd-socket-activate` with these sockets: it becomes the registry when somebody connects.
fn activation(sockets: &[&str]) -> Result<Vec<String>> {
    let program = find_program("systemd-socket-activate").context("systemd-socket-activate is missing")?;
    let mut words = vec![program.display().to_string()];
    for socket in sockets {
        words.extend(["-l".to_owned(), (*socket).to_owned()]);
    }
    Ok(words)
}

fn activated(journey: &Journey) -> Result<()> {
    let (port, configured) = (free_port()?, free_port()?);
    let http = format!("  addr: 127.0.0.1:{configured}\n");
    let (command, log) = registry(
        journey,
        "tcp",
        &http,
        &activation(&[&format!("127.0.0.1:{port}")])?,
    )?;
    let mut daemon = Daemon::start("systemd-socket-activate", command, &log)?;
    daemon.wait_until_ready(PATIENCE, || harness::server::answers(port))?;
    ensure!(
        std::net::TcpStream::connect(("127.0.0.1", configured)).is_err(),
        "http.addr is listened on too"
    );
    ensure!(daemon.stop(PATIENCE)?.success(), "it ended with a failure");

    let socket = journey.folder().join("activated.sock");
    let (command, log) = registry(
        journey,
        "unix",
        &http,
        &activation(&[&socket.display().to_string()])?,
    )?;
    let mut daemon = Daemon::start("systemd-socket-activate", command, &log)?;
    daemon.wait_until_ready(PATIENCE, || {
        ask(journey, &socket, &[], "http://localhost/v2/").is_ok_and(|said| said == "200 1.1")
    })?;
    ensure!(daemon.stop(PATIENCE)?.success(), "it ended with a failure");
    ensure!(socket.exists(), "the socket is systemd's, and is gone");

    let (one, two) = (free_port()?, free_port()?);
    let sockets = [format!("127.0.0.1:{one}"), format!("127.0.0.1:{two}")];
    let launcher = activation(&[&sockets[0], &sockets[1]])?;
    let (command, log) = registry(journey, "two", &http, &launcher)?;
    let mut daemon = Daemon::start("systemd-socket-activate", command, &log)?;
    daemon.wait_until_ready(PATIENCE, || {
        std::net::TcpStream::connect(("127.0.0.1", one)).is_ok()
    })?;
    ensure!(!daemon.wait(PATIENCE)?.success(), "two sockets were taken");
    let log = std::fs::read_to_string(&log)?;
    ensure!(log.contains("hands over 2 sockets"), "{log}");
    Ok(())
}
