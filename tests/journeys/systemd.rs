//! The units of systemd: understood by it, and a sandbox that stays tight.

use harness::{Context as _, Journey, Need, Result, Suite, binaries, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "systemd",
        "the_units_are_understood_and_their_exposure_stays_low",
        &[Need::Portolan, Need::SystemdAnalyze],
        units,
    );
}

/// What `systemd-analyze security` may say at most, of 10.
const MOST_EXPOSURE: f64 = 2.0;

fn units(journey: &Journey) -> Result<()> {
    let units = binaries::workspace_root().join("deploy/systemd");
    let built = binaries::path_of("portolan")?;
    let built = built
        .parent()
        .context("the folder of the binaries")?
        .display()
        .to_string();
    let copies = journey.subfolder("units")?;
    let (mut all, mut services) = (Vec::new(), 0);
    for entry in std::fs::read_dir(&units)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("a name")?
            .to_owned();
        if !name.ends_with(".service") && !name.ends_with(".socket") {
            continue;
        }
        // Packages install to /usr/bin, where nothing is now.
        let copy = copies.join(&name);
        let text = std::fs::read_to_string(&path)?.replace("/usr/bin", &built);
        std::fs::write(&copy, text)?;
        if name.ends_with(".service") {
            services += 1;
            exposure(journey, &copy.display().to_string())?;
        }
        all.push(copy);
    }
    ensure!(services == 3, "{services} services");
    let said = journey
        .command("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .args(&all)
        .succeeds()?;
    ensure!(said.stderr.trim().is_empty(), "{}", said.stderr);
    Ok(())
}

fn exposure(journey: &Journey, unit: &str) -> Result<()> {
    let said = journey
        .command("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", unit])
        .succeeds()?;
    let line = said
        .stdout
        .lines()
        .find(|line| line.contains("Overall exposure level"));
    let line = line.context("no overall exposure level")?;
    let level = line.split_whitespace().find_map(|word| word.parse::<f64>().ok());
    let level = level.with_context(|| format!("no level in {line}"))?;
    ensure!(level <= MOST_EXPOSURE, "{line}");
    Ok(())
}
