//! What administrators decide while the site runs, in a browser.

use harness::server::{Options, Server};
use harness::{Journey, Result, Suite};

use super::{BROWSER, stage_on, tell};

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "web",
        "settings_of_the_site_hold_at_once_and_what_the_configuration_says_stays",
        &BROWSER,
        decided,
    );
}

fn decided(journey: &Journey) -> Result<()> {
    let options = Options {
        arguments: ["--organisations-create", "admins"].map(str::to_owned).to_vec(),
        ..Options::default()
    };
    let server = Server::own(journey, options)?;
    tell(journey, "settings", &stage_on(journey, &server)?)
}
