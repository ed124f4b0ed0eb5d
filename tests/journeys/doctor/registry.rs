//! What is wrong behind the front door: where blobs are said to be, what may be written, and whom nobody has to trust.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use harness::process::free_port;
use harness::{Context as _, Journey, Need, Result, Suite, ensure};

use super::{Lines, Ward};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "doctor",
        "a_redirect_that_clients_cannot_follow_is_named",
        &[Need::Portolan],
        redirect,
    );
    suite.add(
        "doctor",
        "storage_that_may_not_be_written_is_named",
        &[Need::Portolan, Need::Mount],
        rights,
    );
    suite.add(
        "doctor",
        "a_registry_whose_keys_come_in_the_clear_needs_no_certificate_authority",
        &[Need::Portolan],
        without_authorities,
    );
}

fn redirect(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let token = ward.right();
    let token = token.each_ref().map(String::as_str);
    let nobody = format!("http://127.0.0.1:{}/files", free_port()?);
    let something_else = format!("{}/files", ward.index.url());
    for (name, base, says) in [
        ("away", &nobody, "cannot be reached"),
        ("else", &something_else, "answers 404"),
    ] {
        let config = format!(
            "middleware:\n  storage:\n    - name: redirect\n      options:\n        baseurl: {base}\n"
        );
        let lines = Lines {
            config: &config,
            ..Lines::default()
        };
        let (mut registry, port) = ward.registry_of(name, token, &lines)?;
        let found = ward.examine(port)?;
        ensure!(found.code != Some(0), "{}", found.text());
        let found = found
            .says("FAIL  redirect")?
            .says(says)?
            .says("middleware.storage redirect (baseurl)")?;
        ensure!(found.text().matches("FAIL").count() == 1, "{}", found.text());
        registry.stop(Duration::from_mins(1))?;
    }
    Ok(())
}

fn rights(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let token = ward.right();
    let token = token.each_ref().map(String::as_str);
    // Root without the right to pass over what files say; else the machine's own root could write everywhere.
    let launcher = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let lines = Lines {
        launcher: &launcher,
        ..Lines::default()
    };
    let store = journey.subfolder("shut")?.join("registry");
    std::fs::create_dir(&store)?;
    let shut = |mode| std::fs::set_permissions(&store, std::fs::Permissions::from_mode(mode));
    // Who may not write at the start does not start, and says which folder it is.
    shut(0o555)?;
    let refused = ward.registry_of("shut", token, &lines).err();
    let refused = format!("{:#}", refused.context("it started")?);
    let folder = store.display().to_string();
    ensure!(
        refused.contains(&folder) && refused.contains("Permission denied"),
        "{refused}"
    );
    // Who may not any more says it to who pushes.
    shut(0o755)?;
    let (mut registry, port) = ward.registry_of("shut", token, &lines)?;
    shut(0o555)?;
    let found = ward.examine(port)?;
    ensure!(found.code != Some(0), "{}", found.text());
    let found = found
        .says("FAIL  storage")?
        .says("must be allowed to write below storage.filesystem.rootdirectory")?;
    ensure!(found.text().matches("FAIL").count() == 1, "{}", found.text());
    registry.stop(Duration::from_mins(1)).map(drop)
}

fn without_authorities(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let token = ward.right();
    let token = token.each_ref().map(String::as_str);
    let none = journey.subfolder("none")?.display().to_string();
    let variables = [
        ("SSL_CERT_FILE", "/nonexistent/authorities.pem"),
        ("SSL_CERT_DIR", none.as_str()),
    ];
    let lines = Lines {
        variables: &variables,
        ..Lines::default()
    };
    let (mut registry, port) = ward.registry_of("plain", token, &lines)?;
    let found = ward.examine(port)?;
    ensure!(found.code == Some(0), "{}", found.text());
    registry.stop(Duration::from_mins(1)).map(drop)
}
