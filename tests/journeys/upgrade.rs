//! What an earlier version wrote, opened by this one (`tests/earlier`).

use std::path::{Path, PathBuf};

use harness::api::Api;
use harness::server::{Options, Server};
use harness::{Account, Journey, Need, Result, Suite, binaries, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "upgrade",
        "a_data_folder_of_an_earlier_version_is_opened_with_its_accounts_rights_and_digests",
        &[Need::Portolan],
        folder,
    );
    suite.add(
        "upgrade",
        "a_data_folder_from_before_there_were_tenants_is_opened_and_its_keys_move_into_the_database",
        &[Need::Portolan],
        before_tenants,
    );
}

/// Where it lies: what the version with this last migration left.
pub(crate) fn earlier(migration: u8, name: &str) -> PathBuf {
    let folder = binaries::workspace_root().join("tests/earlier");
    folder.join(migration.to_string()).join(name)
}

/// Who has pushed there.
pub(crate) fn ada() -> Account {
    Account {
        name: "ada".to_owned(),
        password: "the password of ada".to_owned(),
    }
}

/// The digest of `ada/app:1`.
pub(crate) const APP: &str = "sha256:cf3887f2d5d2bc2bd59c8b3f5d6c5d820b877fe23a2192393f526da8db543cdc";
const NOTE: &str = "sha256:55c1e48abc0357ba9698c1891667875b71f6e17470a495d409d6f7a5945bf60c";
const OPEN: &str = "sha256:4f297741a070d99a1f06025773b0cf560c3acf2bc3ad4547b6858ba41dbaaeca";
/// That signed before.
const KEY: &str = "gr0BNC1Wd1wSQ3MDNbBvDxPK4h3wynwx7bblaCqP6dQ";
const TOOL: &str = "sha256:a6847b10886ce2af362698761fcbda8d251eea8582bf6dc23c8afb0164122784";

/// Unpacks the data folder.
pub(crate) fn unpack(journey: &Journey, migration: u8, folder: &Path) -> Result<()> {
    let line = journey.command("tar").arg("-C").arg(folder).arg("-xzf");
    line.arg(earlier(migration, "data.tar.gz")).succeeds().map(drop)
}

/// The server of this version on it.
fn open(journey: &Journey, migration: u8) -> Result<Server> {
    let data = journey.subfolder("data")?;
    unpack(journey, migration, &data)?;
    let options = Options {
        data: Some(data),
        ..Options::default()
    };
    Server::own(journey, options)
}

fn is(api: &Api, repository: &str, tag: &str, digest: &str) -> Result<()> {
    let answer = api.manifest(repository, tag)?.expect(200)?;
    ensure!(answer.header("docker-content-digest")? == digest, "{answer}");
    Ok(())
}

fn is_hidden(anonymous: &Api, repository: &str) -> Result<()> {
    let hidden = anonymous.manifest(repository, "1")?;
    ensure!(hidden.status == 401, "what is private is shown: {hidden}");
    Ok(())
}

fn refers(api: &Api, repository: &str, to: &str, digest: &str) -> Result<()> {
    let path = format!("/v2/{repository}/referrers/{to}");
    let referrers = api.get(&path)?.expect(200)?.json()?;
    ensure!(referrers["manifests"][0]["digest"] == digest, "{referrers}");
    Ok(())
}

/// Holds everything to being there, and to going on: `api` is ada's, `anonymous` nobody's.
pub(crate) fn is_all_there(api: &Api, anonymous: &Api) -> Result<()> {
    is(api, "ada/app", "1", APP)?;
    is(anonymous, "team/tool", "v1", TOOL)?;
    is_hidden(anonymous, "ada/app")?;
    refers(api, "ada/app", APP, NOTE)?;
    // By a rule for the team.
    let digest = api.push_small_image("team/tool", "v2", "after the upgrade")?;
    is(anonymous, "team/tool", "v2", &digest)?;
    api.push_small_image("ada/new", "1", "a new repository").map(drop)
}

fn folder(journey: &Journey) -> Result<()> {
    let server = open(journey, 14)?;
    let anonymous = Api::new(&server.url(), None)?;
    is_all_there(&server.api(&ada())?, &anonymous)?;
    // And once more, when there is nothing to change any more.
    server.stop()?;
    server.start_again()?;
    is_all_there(&server.api(&ada())?, &anonymous)
}

fn before_tenants(journey: &Journey) -> Result<()> {
    let server = open(journey, 4)?;
    let anonymous = Api::new(&server.url(), None)?;
    for tag in ["2", "3"] {
        let api = server.api(&ada())?;
        is(&api, "ada/app", "1", APP)?;
        is(&anonymous, "ada/open", "1", OPEN)?;
        is_hidden(&anonymous, "ada/app")?;
        refers(&api, "ada/app", APP, NOTE)?;
        api.push_small_image("ada/app", tag, "after the upgrade")?;
        server.stop()?;
        server.start_again()?;
    }
    // What came since is there for what was there before.
    let account = server.administer(journey, &["org", "create", "team"], "")?;
    ensure!(account.contains("team"), "{account}");
    let keys = server.administer(journey, &["keys", "list", "--json"], "")?;
    let keys: Vec<serde_json::Value> = serde_json::from_str(keys.trim())?;
    let former = keys.iter().any(|key| key["id"] == KEY);
    ensure!(former, "the signing key is another one: {keys:?}");
    Ok(())
}
