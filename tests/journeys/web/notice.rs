//! What others did, told in the browser of whom it concerns.

use harness::server::{Options, Server};
use harness::{Journey, Result, Suite};

use super::{BROWSER, stage_on, tell};

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "web",
        "notices_are_counted_in_the_head_read_in_both_languages_and_switched_off",
        &BROWSER,
        told,
    );
}

fn told(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    tell(journey, "notices", &stage_on(journey, &server)?)
}
