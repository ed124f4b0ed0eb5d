//! Clients fetch blobs from somewhere else: nginx serves the registry's folder.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::api::Api;
use harness::command::RUNTIME;
use harness::engine::Docker;
use harness::layout::Layout;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::DockerRegistry;
use harness::process::{Daemon, free_port, wait_for};
use harness::{Context as _, Journey, Need, Result, Suite, binaries, ensure};
use http::Method;

use crate::skopeo::two_architectures;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "redirect",
        "docker_and_skopeo_pull_blobs_from_nginx_which_serves_the_folder",
        &[Need::Portolan, Need::Nginx, Need::Docker, Need::Skopeo],
        pull,
    );
    suite.add(
        "redirect",
        "clients_are_sent_where_distribution_sends_them_and_not_before_they_may_pull",
        &[Need::Portolan, Need::DockerRegistry],
        beside_distribution,
    );
}

/// nginx with a folder under `/files/`.
struct Files {
    port: u16,
    log: PathBuf,
    _daemon: Daemon,
}

impl Files {
    fn start(journey: &Journey, root: &Path) -> Result<Self> {
        let folder = journey.subfolder("nginx")?;
        let (at, port) = (folder.display(), free_port()?);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        let user = if rustix::process::getuid().is_root() {
            "user root;\n"
        } else {
            ""
        };
        let text = format!(
            "{user}daemon off;\nworker_processes 1;\npid {at}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}\
             access_log {at}/access;\nserver {{ listen 127.0.0.1:{port}; location /files/ {{ alias {}/; }} }}\n}}\n",
            root.display()
        );
        let config = folder.join("nginx.conf");
        std::fs::write(&config, text)?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&config);
        let mut daemon = Daemon::start("nginx", command, &folder.join("log"))?;
        daemon.wait_until_ready(Duration::from_mins(1), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            port,
            log: folder.join("access"),
            _daemon: daemon,
        })
    }

    /// Lines of its log with this in them.
    fn asked(&self, what: &str) -> Result<usize> {
        let log = std::fs::read_to_string(&self.log).context("read nginx's log")?;
        Ok(log.lines().filter(|line| line.contains(what)).count())
    }
}

fn start(journey: &Journey, folder: &Path, config: String, storage: &str) -> Result<OpenRegistry> {
    let choices = Choices {
        config,
        storage: storage.to_owned(),
        ..Choices::default()
    };
    OpenRegistry::start(journey, folder, &choices)
}

fn redirect_to(url: &str) -> String {
    format!("middleware:\n  storage:\n    - name: redirect\n      options:\n        baseurl: {url}\n")
}

fn pull(journey: &Journey) -> Result<()> {
    let store = journey.subfolder("store")?;
    let files = Files::start(journey, &store)?;
    let operator = free_port()?;
    let debug = format!("  debug:\n    addr: 127.0.0.1:{operator}\n    prometheus:\n      enabled: true\n");
    let config = debug + &redirect_to(&format!("http://127.0.0.1:{}/files", files.port));
    let mut registry = start(journey, &store, config, "")?;
    let host = format!("localhost:{}", registry.port());

    let docker = Docker::new(journey)?;
    let image = format!("{host}/team/app:1");
    docker.import(&image, "fetched from nginx")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    let said = docker.run(&image)?;
    ensure!(said == "fetched from nginx\n", "{said}");
    docker.forget(&[&image])?;
    let fetched = files.asked("\"GET /files/docker/registry/v2/blobs/sha256/")?;
    ensure!(fetched >= 2, "the engine fetched {fetched} blobs from nginx");

    let (layout, _) = two_architectures(journey, "layout")?;
    let source = format!("oci:{}:multi", layout.folder().display());
    let remote = format!("docker://{host}/team/multi:1");
    let push = ["copy", "--all", "--dest-tls-verify=false", &source, &remote];
    journey.command("skopeo").args(push).succeeds()?;
    let back = Layout::create(&journey.folder().join("back"))?;
    let target = format!("oci:{}:multi", back.folder().display());
    let pull = ["copy", "--all", "--src-tls-verify=false", &remote, &target];
    journey.command("skopeo").args(pull).succeeds()?;
    ensure!(
        files.asked("\" 200 ")? > fetched,
        "skopeo fetched nothing from nginx"
    );

    // A part of a blob, through the redirect.
    let api = registry.api()?;
    let content = "0123456789".repeat(1_000);
    let digest = api.push_blob("team/part", content.clone())?;
    let path = format!("/v2/team/part/blobs/{digest}");
    let range = [("range", "bytes=10-19")];
    let sent = api
        .send(Method::GET, &path, &range, bytes::Bytes::new())?
        .expect(307)?;
    let elsewhere = Api::new(&format!("http://127.0.0.1:{}", files.port), None)?;
    let part = elsewhere
        .send(Method::GET, sent.header("location")?, &range, bytes::Bytes::new())?
        .expect(206)?;
    ensure!(part.body == content.as_bytes()[10..20], "{part}");
    let counted = Api::new(&format!("http://127.0.0.1:{operator}"), None)?;
    wait_for("the redirects to be counted", Duration::from_mins(1), || {
        let text = String::from_utf8_lossy(&counted.get("/metrics")?.expect(200)?.body).into_owned();
        let lines = [
            "registry_http_requests_total{code=\"307\",handler=\"blob\",method=\"get\"} ",
            "registry_storage_action_seconds_count{action=\"RedirectURL\",driver=\"filesystem\"} ",
        ];
        Ok(lines.iter().all(|line| text.contains(line)).then_some(()))
    })?;
    registry.stop()?;
    let log = std::fs::read_to_string(registry.log())?;
    let line = format!("\"GET {path} HTTP/1.1\" 307 ");
    ensure!(
        log.contains(&line),
        "no line of the access log about the redirect:\n{log}"
    );
    Ok(())
}

fn beside_distribution(journey: &Journey) -> Result<()> {
    let config = redirect_to("https://cdn.example:8443");
    let store = journey.subfolder("store")?;
    let ours = start(journey, &store, config.clone(), "")?;
    let folder = journey.subfolder("theirs")?;
    let theirs = DockerRegistry::configured(&folder, &folder.join("store"), &config)?;
    let answers = |api: &Api| -> Result<Vec<String>> {
        api.push_small_image("a/b", "1", "a layer")?;
        let digest = harness::archive::digest(b"a layer");
        let mut said = Vec::new();
        for (method, path) in [
            (Method::GET, format!("/v2/a/b/blobs/{digest}")),
            (Method::GET, format!("/v2/a/c/blobs/{digest}")),
            (Method::GET, "/v2/a/b/manifests/1".to_owned()),
        ] {
            let accept = [("accept", harness::layout::IMAGE_MANIFEST)];
            let answer = api.send(method, &path, &accept, bytes::Bytes::new())?;
            let location = answer.header("location").unwrap_or_default().to_owned();
            said.push(format!("{path}: {} {location}", answer.status));
        }
        Ok(said)
    };
    let their_api = Api::new(&theirs.url(), None)?;
    let (mine, other) = (answers(&ours.api()?)?, answers(&their_api)?);
    ensure!(mine == other, "ours {mine:#?}\ntheirs {other:#?}");
    ensure!(
        mine[0].contains("307 https://cdn.example:8443/docker/registry/v2/blobs/"),
        "{mine:#?}"
    );
    // Who asks whether a blob is there is told here: that takes nobody's time, and a signed URL is good for GET alone.
    let path = format!("/v2/a/b/blobs/{}", harness::archive::digest(b"a layer"));
    ours.api()?.head(&path)?.expect(200)?;
    journey.note(&format!(
        "HEAD of a blob: distribution {}, ours 200",
        their_api.head(&path)?.status
    ));

    let silent = start(
        journey,
        &store,
        config.clone(),
        "  redirect:\n    disable: true\n",
    )?;
    silent.api()?.get(&path)?.expect(200)?;
    let asking = format!("auth:\n  silly:\n    realm: r\n    service: s\n{config}");
    let asking = start(journey, &store, asking, "")?;
    let asked = asking.api()?;
    let refused = RUNTIME
        .block_on(asked.once(Method::GET, &path, &[], bytes::Bytes::new()))?
        .expect(401)?;
    ensure!(refused.header("location").is_err(), "{refused}");

    // A middleware that cannot work is named.
    let wrong = journey.folder().join("wrong.yml");
    std::fs::write(
        &wrong,
        "version: 0.1\nstorage: inmemory\nmiddleware: {storage: [{name: tape}, {name: redirect}]}\n",
    )?;
    journey
        .command(binaries::path_of("registry-service")?)
        .arg("serve")
        .arg(&wrong)
        .fails()?
        .says("middleware.storage[0].name")?
        .says("middleware.storage[1].options.baseurl")?;
    Ok(())
}
