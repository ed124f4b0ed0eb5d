//! A volume of CNCF distribution is adopted where it lies: its repositories get owners, and keep their content and names.

use bytes::Bytes;
use harness::api::Api;
use harness::peer::{Auth, DockerRegistry};
use harness::server::{Options, Server};
use harness::{Context as _, Journey, Need, Result, Suite, binaries, ensure};
use http::Method;
use serde_json::{Value, json};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "import_volume",
        "a_volume_is_adopted_in_place_with_owners_by_rules",
        &[Need::Portolan, Need::DockerRegistry],
        adoption,
    );
}

/// `(stored_as, name, result)` of each row.
fn rows(said: &str) -> Result<Value> {
    let rows: Vec<Value> = serde_json::from_str(said).context("read the rows")?;
    let short = |row: &Value| json!([row["stored_as"], row["name"], row["result"]]);
    Ok(rows.iter().map(short).collect())
}

fn adoption(journey: &Journey) -> Result<()> {
    let volume = journey.subfolder("volume")?;
    let old = DockerRegistry::start(&journey.subfolder("old")?, &volume, &Auth::None)?;
    journey.watch_foreign_log(old.log());
    let api = Api::new(&old.url(), None)?;
    let mut digests = Vec::new();
    for repository in ["alpine", "foo/app", "legacy-app"] {
        digests.push(api.push_small_image(repository, "v1", &format!("a layer of {repository}"))?);
    }
    drop(old.into_daemon());

    let server = Server::own(journey, Options::default())?;
    let ada = server.account(journey, "ada")?;
    let admin = server.admin()?;
    server.stop()?;
    std::fs::remove_dir_all(server.storage())?;
    std::os::unix::fs::symlink(&volume, server.storage())?;

    let program = binaries::path_of("portolan")?;
    let line = || {
        let line = journey.command(&program).args(["import", "volume"]).arg(&volume);
        line.arg("--data")
            .arg(server.data())
            .args(["--json", "--as", &ada.name])
    };
    line()
        .args(["--owner", "foo/*=same"])
        .fails()?
        .says("nobody is said to own alpine, legacy-app")?;
    let to_ada = format!("foo/*=user:{}", ada.name);
    let rules = [
        "--owner",
        "legacy-*=org:crew/*",
        "--owner",
        &to_ada,
        "--otherwise",
        "same",
    ];
    let ada_name = format!("{}/foo/app", ada.name);
    let told = rows(&line().args(rules).arg("--dry-run").succeeds()?.stdout)?;
    let expected = |each: &str, new: &str| {
        json!([
            ["alpine", "alpine", each],
            ["foo/app", ada_name, each],
            ["legacy-app", "crew/app", new]
        ])
    };
    ensure!(
        told == expected("would be adopted", "would be adopted, into a new organisation"),
        "{told}"
    );
    // The rehearsal made nothing, or these would be there.
    let done = rows(&line().args(rules).succeeds()?.stdout)?;
    ensure!(done == expected("adopted", "adopted"), "{done}");
    let again = rows(&line().args(rules).succeeds()?.stdout)?;
    ensure!(again == expected("there", "there"), "{again}");

    server.start_again()?;
    let (hers, everybody) = (server.api(&ada)?, server.anonymous()?);
    let authorization = admin.basic();
    let headers = [("authorization", authorization.as_str())];
    let known = everybody.send(Method::GET, "/api/v1/work", &headers, Bytes::new())?;
    let known = known.expect(200)?.json()?;
    let imports: Vec<&Value> = known["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|work| work["kind"] == "import")
        .collect();
    let rehearsals: Vec<&Value> = imports.iter().map(|work| &work["is_dry_run"]).collect();
    ensure!(
        rehearsals == [&json!(false), &json!(false), &json!(true)],
        "{known:#}"
    );
    for import in imports {
        ensure!(
            import["state"] == "done" && import["done"] == 3 && import["total"] == 3,
            "{known:#}"
        );
        ensure!(import["subject"] == volume.display().to_string(), "{known:#}");
    }
    for (name, digest) in [
        (ada_name.as_str(), &digests[1]),
        ("foo/app", &digests[1]),
        ("crew/app", &digests[2]),
        ("legacy-app", &digests[2]),
    ] {
        let found = hers.manifest(name, "v1")?.expect(200)?;
        ensure!(found.header("docker-content-digest")? == digest, "{name}");
        everybody.manifest(name, "v1")?.expect(401)?;
    }
    let site = server.api(&admin)?;
    ensure!(
        site.manifest("alpine", "v1")?
            .expect(200)?
            .header("docker-content-digest")?
            == digests[0]
    );
    // What comes now lies where the rest lies: the volume can go back.
    hers.push_small_image("crew/app", "v2", "pushed afterwards")?;
    let tag = volume.join("docker/registry/v2/repositories/legacy-app/_manifests/tags/v2");
    ensure!(tag.is_dir(), "a push went elsewhere");
    Ok(())
}
