//! `docker push`, `docker pull`, `docker run`: by tag, by digest, under other names, deep names, large layers.

use std::time::Duration;

use harness::archive::Noise;
use harness::engine::Docker;
use harness::layout::Layout;
use harness::meter::Meter;
use harness::process::free_port;
use harness::server::{Kind, Options};
use harness::{Context, Journey, Need, Result, Server, Suite, ensure};

pub(crate) fn add(suite: &mut Suite) {
    let docker = &[Need::Docker];
    suite.add(
        "push",
        "docker_pushes_and_a_clean_engine_pulls_by_tag_and_runs_it",
        docker,
        by_tag,
    );
    suite.add("push", "docker_pulls_by_digest_what_it_pushed", docker, by_digest);
    suite.add(
        "push",
        "a_second_push_of_the_same_layers_under_another_name_uploads_nothing",
        docker,
        mount,
    );
    suite.add(
        "push",
        "docker_pushes_all_tags_and_pulls_all_tags",
        docker,
        all_tags,
    );
    suite.add(
        "push",
        "repository_names_may_have_any_depth_below_their_namespace",
        docker,
        deep_name,
    );
    let admin = &[Need::Docker, Need::Portolan];
    suite.add(
        "push",
        "a_one_segment_name_is_pushed_by_admin_and_refused_to_others",
        admin,
        one_segment,
    );
    let large = &[Need::Docker, Need::Skopeo];
    suite.add(
        "push",
        "a_layer_of_one_gibibyte_goes_up_and_down_unchanged",
        large,
        large_layer,
    );
}

/// The digest that `docker push` prints for what it pushed.
pub(crate) fn pushed_digest(output: &str) -> Result<String> {
    let line = output
        .lines()
        .find_map(|line| line.split("digest: ").nth(1))
        .context("no digest was printed")?;
    Ok(line.split(' ').next().unwrap_or_default().to_owned())
}

fn by_tag(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "push")?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let image = format!("{}/{}/hello:1", server.host(), account.name);
    docker.import(&image, "hello from a pulled image")?;
    docker
        .line(["push", &image])
        .succeeds()?
        .says("1: digest: sha256:")?;
    docker.forget(&[&image])?;
    docker
        .line(["pull", &image])
        .succeeds()?
        .says("Downloaded newer image")?;
    ensure!(
        docker.run(&image)? == "hello from a pulled image\n",
        "the pulled image runs otherwise"
    );
    docker
        .line(["pull", &image])
        .succeeds()?
        .says("Image is up to date")?;
    docker.forget(&[&image])
}

fn by_digest(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "digest")?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let repository = format!("{}/{}/hello", server.host(), account.name);
    let tagged = format!("{repository}:2");
    docker.import(&tagged, "by digest")?;
    let digest = pushed_digest(&docker.line(["push", &tagged]).succeeds()?.stdout)?;
    docker.forget(&[&tagged])?;
    let named = format!("{repository}@{digest}");
    docker.line(["pull", &named]).succeeds()?.says(&digest)?;
    ensure!(
        docker.run(&named)? == "by digest\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&named])
}

fn mount(journey: &Journey) -> Result<()> {
    // The public URL is a relay's, so that every byte of every request passes it.
    let public_port = free_port()?;
    let server = Server::own(
        journey,
        Options {
            public_port: Some(public_port),
            ..Options::default()
        },
    )?;
    let meter = Meter::between(public_port, server.port())?;
    let account = server.account(journey, "mount")?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let first = format!("{}/{}/first:1", server.host(), account.name);
    let second = format!("{}/{}/second:1", server.host(), account.name);
    let base = format!("{}/{}/base:1", server.host(), account.name);
    docker.import(&base, "two layers")?;
    let content = journey.folder().join("content");
    let mut noise = Noise::new(7);
    std::fs::write(
        &content,
        [noise.next_block().to_vec(), noise.next_block().to_vec()].concat(),
    )?;
    docker.extend(&first, &base, &content)?;
    docker.line(["push", &first]).succeeds()?;
    let before = meter.sent();
    ensure!(
        before > 2 << 20,
        "the first push sent only {before} bytes: the relay was passed by"
    );
    docker.line(["tag", &first, &second]).succeeds()?;
    let pushed = docker.line(["push", &second]).succeeds()?;
    let sent = meter.sent() - before;
    let mounted = pushed
        .text()
        .matches(&format!("Mounted from {}/first", account.name))
        .count();
    ensure!(mounted == 2, "{mounted} of 2 layers were mounted: {pushed}");
    ensure!(sent < 64 * 1024, "the second push sent {sent} bytes");
    journey.note(&format!("first push {before} bytes, second {sent} bytes"));
    docker.forget(&[&first, &second, &base])?;
    docker.line(["pull", &second]).succeeds()?;
    ensure!(
        docker.run(&second)? == "two layers\n",
        "the mounted image runs otherwise"
    );
    docker.forget(&[&second])
}

fn all_tags(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "tags")?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let repository = format!("{}/{}/many", server.host(), account.name);
    let tags = ["a", "b", "c"].map(|tag| format!("{repository}:{tag}"));
    for tag in &tags {
        docker.import(tag, tag)?;
    }
    docker.line(["push", "--all-tags", &repository]).succeeds()?;
    let names: Vec<&str> = tags.iter().map(String::as_str).collect();
    docker.forget(&names)?;
    docker.line(["pull", "--all-tags", &repository]).succeeds()?;
    for tag in &tags {
        ensure!(docker.run(tag)? == format!("{tag}\n"), "{tag} runs otherwise");
    }
    docker.forget(&names)
}

fn deep_name(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "deep")?;
    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    let image = format!("{}/{}/a/b-c/d_e/f.g/h:deep", server.host(), account.name);
    docker.import(&image, "deep down")?;
    docker.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    docker.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "deep down\n",
        "the pulled image runs otherwise"
    );
    docker.forget(&[&image])
}

fn one_segment(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let image = format!("{}/hello:1", server.host());
    let docker = Docker::new(journey)?;
    docker.import(&image, "as tutorials push")?;
    let account = server.account(journey, "segment")?;
    docker.login(&server.host(), &account).succeeds()?;
    docker.line(["push", &image]).fails()?.says("denied")?;
    let admin = Docker::new(journey)?;
    admin.login(&server.host(), &server.admin()?).succeeds()?;
    admin.line(["push", &image]).succeeds()?;
    docker.forget(&[&image])?;
    admin.line(["pull", &image]).succeeds()?;
    ensure!(
        docker.run(&image)? == "as tutorials push\n",
        "the pulled image runs otherwise"
    );
    let stored = server
        .storage()
        .join("docker/registry/v2/repositories/hello/_manifests/tags/1");
    ensure!(
        stored.is_dir(),
        "a one-segment name does not keep its storage name"
    );
    docker.forget(&[&image])
}

fn large_layer(journey: &Journey) -> Result<()> {
    const GIB: u64 = 1 << 30;
    let server = Server::shared(journey)?;
    let account = server.account(journey, "large")?;
    let mut layout = Layout::create(&journey.folder().join("layout"))?;
    let layers = [layout.busybox_layer()?, layout.noise_layer(1, GIB)?];
    ensure!(layers[1].descriptor.size > GIB, "the layer is too small");
    let image = layout.image("amd64", &layers, &["/bin/wc", "-c", "/noise-1"])?;
    layout.tag("large", &image)?;
    let credentials = format!("{}:{}", account.name, account.password);
    let name = format!("{}/{}/large:1", server.host(), account.name);
    let limit = Duration::from_mins(10);
    let source = format!("oci:{}:large", layout.folder().display());
    let copy = [
        "copy",
        "--dest-tls-verify=false",
        "--dest-creds",
        &credentials,
        &source,
    ];
    journey
        .command("skopeo")
        .args(copy)
        .arg(format!("docker://{name}"))
        .limit(limit)
        .succeeds()?;

    let docker = Docker::new(journey)?;
    docker.login(&server.host(), &account).succeeds()?;
    docker
        .line(["pull", &name])
        .limit(limit)
        .succeeds()?
        .says(&image.digest)?;
    ensure!(
        docker.run(&name)?.starts_with(&GIB.to_string()),
        "the container counts otherwise"
    );
    // The engine packs the layer anew under another name: a push of 1 GiB by Docker itself.
    let other = server.account(journey, "large")?;
    let foreign = format!("{}/{}/again:1", server.host(), other.name);
    docker.line(["tag", &name, &foreign]).succeeds()?;
    docker.login(&server.host(), &other).succeeds()?;
    let pushed = docker.line(["push", &foreign]).limit(limit).succeeds()?;
    if Kind::under_test() == Kind::Portolan {
        // The second account may not read the first one's layers, so there is nothing to mount them from.
        pushed.does_not_say("Mounted from")?;
    }
    docker.forget(&[&name, &foreign])?;
    docker.line(["pull", &foreign]).limit(limit).succeeds()?;
    ensure!(
        docker.run(&foreign)?.starts_with(&GIB.to_string()),
        "the container counts otherwise"
    );
    docker.forget(&[&foreign])
}
