//! What is left of a repository when its content is removed for good, where index and registry run apart.

use std::path::Path;
use std::time::Duration;

use harness::api::Api;
use harness::command::Line;
use harness::process::wait_for;
use harness::receiver::Receiver;
use harness::{Account, Context as _, Journey, Need, Result, Suite, binaries, ensure};
use serde_json::Value;

use crate::apart::Apart;
use crate::repository_life::push_untagged;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "purge",
        "receivers_are_told_of_all_that_goes_and_nothing_stays_behind",
        &[Need::Portolan, Need::Nginx],
        nothing_stays,
    );
}

/// `portolan` at the front door.
fn command<'a>(journey: &'a Journey, host: &str, who: &Account, words: &[&str]) -> Result<Line<'a>> {
    let line = journey.command(binaries::path_of("portolan")?).args(words);
    let line = line.args(["--server", &format!("http://{host}"), "--user", &who.name]);
    Ok(line.stdin(who.password.as_str()))
}

/// Repository, tag and digest of what was deleted.
fn deletions(receiver: &Receiver) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events = receiver.events();
    let deleted = events.iter().filter(|event| event["action"] == "delete");
    deleted
        .map(|event| ["repository", "tag", "digest"].map(|field| text(&event["target"][field])))
        .collect()
}

/// How many contents are stored.
fn contents(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            count += contents(&path)?;
        } else {
            count += usize::from(path.file_name().is_some_and(|name| name == "data"));
        }
    }
    Ok(count)
}

fn nothing_stays(journey: &Journey) -> Result<()> {
    let receiver = Receiver::start()?;
    let mut apart = Apart::prepare(journey)?;
    apart.start_index()?;
    let endpoint = format!(
        "notifications:\n  endpoints:\n    - name: mirror\n      url: {}\n      backoff: 20ms\n      timeout: 30s\n",
        receiver.url()
    );
    apart.start_registry_with(&endpoint)?;
    apart.start_nginx()?;
    let (host, ada) = (apart.host(), apart.account("ada")?);
    let as_ada = |words: &[&str]| command(journey, &host, &ada, words)?.succeeds();
    as_ada(&["repo", "create", "ada/app"])?;
    let api = Api::new(&format!("http://{host}"), Some(ada.clone()))?;
    let mut expected: Vec<String> = Vec::new();
    for tag in ["1", "2"] {
        expected.push(api.push_small_image("ada/app", tag, &format!("image {tag}"))?);
    }
    expected.push(push_untagged(&api, "ada/app")?);
    api.push_small_image("ada/kept", "1", "image 1")?;
    let upload = api.begin_upload("ada/app")?;
    api.get(&upload)?.expect(204)?;

    as_ada(&["repo", "rename", "ada/app", "ada/web"])?;
    as_ada(&["repo", "delete", "ada/web"])?;
    let deleted = as_ada(&["repo", "deleted", "ada", "--json"])?.stdout;
    let deleted: Value = serde_json::from_str(&deleted)?;
    let id = deleted[0]["id"].as_str().unwrap_or_default();
    as_ada(&["repo", "purge", id, "--yes"])?;
    api.get(&upload)?.expect(404)?;
    wait_for("every deletion to be told", Duration::from_mins(2), || {
        Ok((deletions(&receiver).len() >= 5).then_some(()))
    })?;
    let mut told = deletions(&receiver);
    ensure!(
        told.iter().all(|[repository, ..]| repository == "ada/web"),
        "under another name than its last: {told:?}"
    );
    let mut manifests: Vec<String> = told
        .split_off(2)
        .into_iter()
        .map(|[_, _, digest]| digest)
        .collect();
    let mut tags: Vec<String> = told.into_iter().map(|[_, tag, _]| tag).collect();
    tags.sort();
    manifests.sort();
    expected.sort();
    ensure!(tags == ["1", "2"], "first the tags: {tags:?}");
    ensure!(
        manifests == expected,
        "then the manifests: {manifests:?} instead of {expected:?}"
    );

    // What another repository holds stays when the rest is collected.
    let stored = apart.data.join("registry/docker/registry/v2");
    ensure!(
        !stored.join("repositories/ada/app/_layers").exists(),
        "blobs are held still"
    );
    for mut daemon in apart.running {
        daemon.stop(Duration::from_mins(1))?;
    }
    journey
        .command(binaries::path_of("registry-service")?)
        .arg("garbage-collect")
        .arg(journey.folder().join("registry-service.yml"))
        .succeeds()?;
    let left = contents(&stored.join("blobs"))?;
    ensure!(
        left == 3,
        "{left} contents instead of a manifest and its two blobs"
    );
    Ok(())
}
