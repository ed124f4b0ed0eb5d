//! What takes long, seen in a browser as it happens: the registry tells the index, the index tells the page.

use harness::{Journey, Need, Result, Suite, binaries};
use serde_json::json;

use super::{BROWSER, tell};
use crate::apart::Apart;

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "web",
        "work_is_shown_as_it_goes_on_and_after_a_reload",
        &[&BROWSER[..], &[Need::Nginx]].concat(),
        shown,
    );
}

fn shown(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    let events = apart.events();
    apart.start_registry_with(&events)?;
    apart.start_index()?;
    apart.start_nginx()?;
    let password = std::fs::read_to_string(apart.data.join("initial-admin-password"))?;
    let (reports, secret) = apart.reports();
    let stage = json!({
        "url": format!("http://{}", apart.host()),
        "folder": journey.subfolder("story")?,
        "admin": { "name": "admin", "password": password.trim_end() },
        "reports": reports,
        "secret": secret,
        "collector": binaries::path_of("registry-service")?,
        "configuration": journey.folder().join("registry-service.yml"),
    });
    tell(journey, "work", &stage)
}
