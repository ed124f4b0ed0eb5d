//! The benchmark runs: every case once, as small as it gets. What it measures so means nothing.

use std::process::Command;

#[test]
fn every_case_runs_and_the_figures_can_be_compared() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("portolan-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (json, table) = (folder.join("run.json"), folder.join("table.md"));
    let with_peer = harness::environment::find_program("docker-registry").is_some();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan-bench"));
    command
        .arg("--smoke")
        .arg("--json")
        .arg(&json)
        .arg("--markdown")
        .arg(&table);
    if !with_peer {
        command.arg("--only-ours");
    }
    let done = command.output()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json)?)?;
    let cases = report["cases"].as_array().ok_or("no cases")?;
    let listed = Command::new(env!("CARGO_BIN_EXE_portolan-bench"))
        .args(["--cases", "list"])
        .output()?;
    assert_eq!(String::from_utf8(listed.stdout)?.lines().count(), cases.len());
    for case in cases {
        let operations = case["ours"][0]["operations"].as_u64();
        assert!(operations.is_some_and(|number| number > 0), "{case}");
    }
    assert!(std::fs::read_to_string(&table)?.contains("| ping |"));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[test]
fn every_page_is_measured() -> Result<(), Box<dyn std::error::Error>> {
    let json = std::env::temp_dir().join(format!("portolan-pages-{}.json", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan-bench"));
    let done = command
        .args(["--pages", "--smoke", "--json"])
        .arg(&json)
        .output()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json)?)?;
    let pages = report["pages"].as_array().ok_or("no pages")?;
    assert!(pages.len() >= 8, "{report}");
    for page in pages {
        let bytes = page["bytes"].as_u64().unwrap_or_default();
        assert!(bytes > page["page_bytes"].as_u64().unwrap_or_default(), "{page}");
        assert!(bytes <= 60 << 10, "{page}");
    }
    std::fs::remove_file(&json)?;
    Ok(())
}
