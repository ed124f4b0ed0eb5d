//! Random requests over the table of routes of both services: whatever comes, no 5xx, no panic, no hang.

use harness::bad_request::{Ground, Line, Maker};
use harness::environment::variable;
use harness::{Context as _, Journey, Need, Result, Suite, ensure};

pub(super) fn add(suite: &mut Suite) {
    suite.add(
        "bad_input::mutation",
        "random_requests_over_all_routes_never_get_a_server_error",
        &[Need::Portolan],
        mutation,
    );
}

/// Requests of one run.
const COUNT: usize = 4000;
/// The seed, unless `PORTOLAN_TEST_SEED` says another.
const SEED: u64 = 20_260_801;
/// Memory that a run may add to the server: caches fill, nothing grows with what is refused.
const GROWTH_KIB: u64 = 64 * 1024;

fn mutation(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let seed = variable("PORTOLAN_TEST_SEED")
        .and_then(|text| text.parse().ok())
        .unwrap_or(SEED);
    journey.note(&format!("seed {seed} (PORTOLAN_TEST_SEED={seed} repeats it)"));
    let mut maker = Maker::new(&ground, seed)?;
    let mut line = Line::default();
    let warm = resident_kib(&ground)?;
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..COUNT {
        let request = maker.request();
        let context = || format!("seed {seed}, request {number}: {request:?}");
        let reply = line.send(ground.server.port(), &request).with_context(context)?;
        *counts.entry(reply.status).or_default() += 1;
        if let (202, Some(location)) = (reply.status, reply.header("location")) {
            location.clone_into(&mut maker.session);
        }
        ensure!(reply.status < 500, "{}: a server error: {reply}", context());
        if reply.status >= 400 && request.target.starts_with("/v2/") && request.method != "HEAD" {
            reply.is_error_of(&request.target).with_context(context)?;
        }
    }
    journey.say(&format!(
        "{COUNT} requests from seed {seed} (PORTOLAN_TEST_SEED), answers {counts:?}"
    ));
    // A test that only ever meets one door tests one door.
    for status in [200, 202, 400, 401, 404, 405] {
        ensure!(
            counts.get(&status).is_some_and(|count| *count > 20),
            "hardly any {status}: {counts:?}"
        );
    }
    ground.no_panic()?;
    let grown = resident_kib(&ground)?.saturating_sub(warm);
    ensure!(grown <= GROWTH_KIB, "{grown} KiB more are held than before");
    nothing_outside(&ground)
}

/// That nothing was written beside the data folder, nor in it where only known names may stand.
fn nothing_outside(ground: &Ground) -> Result<()> {
    let known = [
        "index.db",
        "keys",
        "registry",
        "initial-admin-password",
        "upload-secret",
    ];
    for entry in std::fs::read_dir(ground.server.data())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            known.iter().any(|known| name.starts_with(known)),
            "unknown in the data folder: {name}"
        );
    }
    let parent = ground.server.data().parent().context("no parent")?;
    for entry in std::fs::read_dir(parent)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            name == "data" || name == "portolan.log",
            "written beside the data folder: {name}"
        );
    }
    Ok(())
}

fn resident_kib(ground: &Ground) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", ground.server.pid()?))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    line.trim()
        .trim_end_matches(" kB")
        .parse()
        .context("not a number")
}
