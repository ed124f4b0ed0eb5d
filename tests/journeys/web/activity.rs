//! What happened to a repository, in a browser.

use harness::server::{Options, Server};
use harness::{Journey, Result, Suite};

use super::{BROWSER, stage_on, tell};

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "web",
        "activity_of_a_day_is_told_where_its_square_is_pointed_at",
        &BROWSER,
        pointed,
    );
}

fn pointed(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    tell(journey, "calendar", &stage_on(journey, &server)?)
}
