//! Moving in from another registry: CNCF distribution 2.8 with accounts, killed on the way, gone on with, compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::api::Api;
use harness::archive::digest;
use harness::layout::{IMAGE_INDEX, IMAGE_MANIFEST};
use harness::peer::{Auth, DockerRegistry, htpasswd};
use harness::process::{Daemon, wait_for};
use harness::server::{Options, Server};
use harness::{Account, Context as _, Journey, Need, Result, Suite, binaries, ensure};
use serde_json::{Value, json};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "import_registry",
        "a_registry_moves_in_though_the_command_is_killed_on_the_way",
        &[Need::Portolan, Need::DockerRegistry, Need::Htpasswd],
        moving_in,
    );
}

/// Repositories of small images, enough to be interrupted among.
const MANY: u32 = 12;

/// What the old registry holds: the digest of each tag, and what refers to what.
#[derive(Default)]
struct Ledger {
    tags: BTreeMap<(String, String), String>,
    referrers: Vec<(String, String, String)>,
}

fn moving_in(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("old")?;
    let users = folder.join("users");
    let old_account = Account {
        name: "mover".to_owned(),
        password: "a password of the old one".to_owned(),
    };
    htpasswd(&users, &old_account.name, &old_account.password)?;
    let password_file = journey.folder().join("old-password");
    std::fs::write(&password_file, format!("{}\n", old_account.password))?;
    let old = DockerRegistry::start(&folder, &journey.subfolder("volume")?, &Auth::Htpasswd(users))?;
    journey.watch_foreign_log(old.log());
    let ledger = fill(&Api::new(&old.url(), Some(old_account.clone()))?)?;

    let server = Server::own(journey, Options::default())?;
    let ada = server.account(journey, "ada")?;
    let mover = Mover {
        journey,
        server: &server,
        source: old.url(),
        password_file,
        result: journey.folder().join("result.json"),
    };
    mover.refusals(&ada)?;
    mover.rehearsal(&ada)?;

    let secret = server.administer(
        journey,
        &[
            "token",
            "create",
            &ada.name,
            "--name",
            "moving",
            "--actions",
            "pull,push",
        ],
        "",
    )?;
    mover.kill_on_the_way(&ada, secret.trim())?;
    let resumed = mover.run(&ada, &[])?;
    let total = &resumed["total"];
    ensure!(
        total["manifests_there"] != 0,
        "what was there is skipped: {total}"
    );
    ensure!(total["blobs_mounted"] != 0, "shared blobs are mounted: {total}");
    ensure!(total["verified"].as_u64() > Some(2 * u64::from(MANY)), "{total}");
    compare(
        &ledger,
        &Api::new(&old.url(), Some(old_account))?,
        &server.api(&ada)?,
    )?;

    let again = mover.run(&ada, &[])?;
    let total = &again["total"];
    for nothing in ["blobs", "manifests", "tags_written", "bytes"] {
        ensure!(total[nothing] == 0, "{nothing} a third time: {total}");
    }
    Ok(())
}

/// Images, an index, and signatures as clients leave them at a registry without a list of referrers.
fn fill(old: &Api) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut tag = |repository: &str, tag: &str, digest: &str| {
        ledger
            .tags
            .insert((repository.to_owned(), tag.to_owned()), digest.to_owned());
    };
    for number in 0..MANY {
        let repository = format!("old/app-{number:02}");
        for name in ["v1", "v2"] {
            let text = format!("{name} of {repository}");
            tag(
                &repository,
                name,
                &old.push_small_image(&repository, name, &text)?,
            );
        }
    }
    let parts = ["amd64", "arm64"].map(|architecture| -> Result<Value> {
        let digest = old.push_small_image("old/multi", &format!("for-{architecture}"), architecture)?;
        tag("old/multi", &format!("for-{architecture}"), &digest);
        let size = old.manifest("old/multi", &digest)?.expect(200)?.body.len();
        Ok(json!({
            "mediaType": IMAGE_MANIFEST, "digest": digest, "size": size,
            "platform": {"os": "linux", "architecture": architecture},
        }))
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
    let index = json!({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": parts});
    let index = old.push_manifest("old/multi", "latest", IMAGE_INDEX, serde_json::to_vec(&index)?)?;
    tag("old/multi", "latest", &index);
    let part = parts[0]["digest"].as_str().context("a digest")?;
    for subject in [index.as_str(), part] {
        let signature = sign(old, "old/multi", subject)?;
        ledger
            .referrers
            .push(("old/multi".to_owned(), subject.to_owned(), signature));
    }
    Ok(ledger)
}

/// A signature, listed under the tag of the referrers tag schema.
fn sign(old: &Api, repository: &str, subject: &str) -> Result<String> {
    let config = old.push_blob(repository, "{}")?;
    let size = old.manifest(repository, subject)?.expect(200)?.body.len();
    let signature = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": "application/vnd.example.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
        "layers": [], "subject": {"mediaType": IMAGE_MANIFEST, "digest": subject, "size": size},
    });
    let bytes = serde_json::to_vec(&signature)?;
    let (size, name) = (bytes.len(), digest(&bytes));
    old.push_manifest(repository, &name, IMAGE_MANIFEST, bytes)?;
    let list = json!({
        "schemaVersion": 2, "mediaType": IMAGE_INDEX,
        "manifests": [{
            "mediaType": IMAGE_MANIFEST, "digest": name, "size": size,
            "artifactType": "application/vnd.example.signature",
        }],
    });
    old.push_manifest(
        repository,
        &subject.replace(':', "-"),
        IMAGE_INDEX,
        serde_json::to_vec(&list)?,
    )?;
    Ok(name)
}

struct Mover<'a> {
    journey: &'a Journey,
    server: &'a Server,
    source: String,
    password_file: PathBuf,
    result: PathBuf,
}

impl Mover<'_> {
    fn words(&self) -> Vec<String> {
        let file = self.password_file.display().to_string();
        [
            "import",
            "registry",
            &self.source,
            "--source-user",
            "mover",
            "--source-password-file",
            &file,
        ]
        .into_iter()
        .chain(["--strip", "old", "--into", "crew", "--server", &self.server.url()])
        .map(str::to_owned)
        .collect()
    }

    /// To its end, by password; what it says for programs.
    fn run(&self, who: &Account, words: &[&str]) -> Result<Value> {
        let line = self
            .journey
            .command(binaries::path_of("portolan")?)
            .args(self.words());
        let line = line.args(["--user", &who.name, "--json"]).args(words);
        let said = line.stdin(who.password.as_str()).succeeds()?.stdout;
        std::fs::write(&self.result, &said)?;
        serde_json::from_str(&said).context("read the result")
    }

    /// Who may not is told so, in a table, with an exit code.
    fn refusals(&self, ada: &Account) -> Result<()> {
        let program = binaries::path_of("portolan")?;
        let line = self
            .journey
            .command(&program)
            .args(self.words())
            .args(["--user", &ada.name]);
        let refused = line.stdin(ada.password.as_str()).fails()?;
        let refused = refused.says("13 of 13 repositories are not whole")?;
        ensure!(
            refused.stdout.contains("denied"),
            "the reason is in the table: {}",
            refused.stdout
        );

        let wrong = self.journey.folder().join("wrong-password");
        std::fs::write(&wrong, "not the password")?;
        let wrong = wrong.display().to_string();
        let words = self.words().into_iter().map(|word| {
            if Path::new(&word) == self.password_file {
                wrong.clone()
            } else {
                word
            }
        });
        let line = self
            .journey
            .command(&program)
            .args(words)
            .args(["--user", &ada.name]);
        line.stdin(ada.password.as_str())
            .fails()?
            .says("the catalog of")?;
        Ok(())
    }

    /// A dry run counts, and makes nothing.
    fn rehearsal(&self, ada: &Account) -> Result<()> {
        let said = self.run(ada, &["--dry-run"])?;
        let total = &said["total"];
        // Twelve times two, two parts, and the index; the signatures' tags are no tags here.
        ensure!(total["tags_written"] == 2 * MANY + 3, "{total}");
        ensure!(
            total["manifests"] == 2 * MANY + 5 && total["referrers"] == 2,
            "{total}"
        );
        ensure!(
            !has(&self.server.api(ada)?, "app-00", "v1")?,
            "a dry run made something"
        );
        Ok(())
    }

    /// Kills the command when it has done something and not all.
    fn kill_on_the_way(&self, ada: &Account, token: &str) -> Result<()> {
        let at = ["--server", &self.server.url(), "--user", &ada.name];
        let line = self
            .journey
            .command(binaries::path_of("portolan")?)
            .args(["org", "create", "crew"])
            .args(at);
        line.stdin(ada.password.as_str()).succeeds()?;
        let mut command = Command::new(binaries::path_of("portolan")?);
        command
            .args(self.words())
            .args(["--parallel", "1"])
            .env("PORTOLAN_TOKEN", token);
        let mut running = Daemon::start(
            "portolan import",
            command,
            &self.journey.folder().join("killed.log"),
        )?;
        let api = self.server.api(ada)?;
        // One after the other, in the order of their names.
        let limit = Duration::from_mins(2);
        wait_for("the third repository", limit, || {
            Ok(has(&api, "app-02", "v1")?.then_some(()))
        })?;
        running.kill();
        ensure!(!has(&api, "multi", "latest")?, "it was too late to kill it");
        Ok(())
    }
}

/// Whether a tag has arrived.
fn has(api: &Api, repository: &str, tag: &str) -> Result<bool> {
    Ok(api.manifest(&format!("crew/{repository}"), tag)?.status == 200)
}

fn compare(ledger: &Ledger, old: &Api, new: &Api) -> Result<()> {
    for ((repository, tag), digest) in &ledger.tags {
        let name = repository.replacen("old", "crew", 1);
        let (there, here) = (
            old.manifest(repository, tag)?.expect(200)?,
            new.manifest(&name, tag)?.expect(200)?,
        );
        ensure!(
            here.header("docker-content-digest")? == digest,
            "{name}:{tag} has another digest"
        );
        ensure!(here.body == there.body, "{name}:{tag} has other bytes");
    }
    for (repository, subject, signature) in &ledger.referrers {
        let name = repository.replacen("old", "crew", 1);
        let list = new
            .get(&format!("/v2/{name}/referrers/{subject}"))?
            .expect(200)?
            .json()?;
        ensure!(
            list["manifests"][0]["digest"] == signature.as_str(),
            "{name}@{subject}: {list}"
        );
        new.manifest(&name, signature)?.expect(200)?;
    }
    let tags = new.get("/v2/crew/multi/tags/list")?.expect(200)?.json()?;
    ensure!(
        tags["tags"] == json!(["for-amd64", "for-arm64", "latest"]),
        "{tags}"
    );
    Ok(())
}
