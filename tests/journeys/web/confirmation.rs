//! The password once more, in a browser that was left alone. The server's clock is put forward, so that nobody waits.

use harness::server::{Options, Server};
use harness::{Context as _, Journey, Need, Result, Suite};
use serde_json::json;

use super::{BROWSER, stage_on, tell};

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "web",
        "confirmation_is_asked_of_an_administrator_who_comes_back_late_and_leads_on",
        &[&BROWSER[..], &[Need::Faketime]].concat(),
        asked,
    );
}

fn asked(journey: &Journey) -> Result<()> {
    // How far ahead its clock is stands in a file that the story writes; how long things take is measured truly.
    let clock = journey.folder().join("clock");
    std::fs::write(&clock, "+0").context("write the clock")?;
    let launcher = [
        "env".to_owned(),
        "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1".to_owned(),
        format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    let options = Options {
        launcher: launcher.to_vec(),
        ..Options::default()
    };
    let server = Server::own(journey, options)?;
    let mut stage = stage_on(journey, &server)?;
    stage["clock"] = json!(clock);
    tell(journey, "confirmation", &stage)
}
