//! Who imports whom: the sources are held against the table in `docs/architecture.md`, which is read here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::binaries::workspace_root;
use harness::{Context, Journey, Result, Suite, bail, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "layering",
        "every_import_is_one_that_the_architecture_allows",
        &[],
        imports,
    );
    suite.add(
        "layering",
        "the_vocabulary_builds_without_the_runtime",
        &[],
        vocabulary_alone,
    );
}

/// What one module may import: `crate::module` of ours, and which crates of others it may not.
#[derive(Debug, Default, Clone)]
struct Rule {
    allowed: BTreeSet<String>,
    banned: BTreeSet<String>,
}

const VOCABULARY: [&str; 5] = [
    "shared::oci",
    "shared::token",
    "shared::front_door",
    "shared::network",
    "shared::secret",
];
/// What every module may ask, as the document says below its table.
const EVERYBODYS: [&str; 2] = ["shared::causes", "shared::sabotage"];
/// Modules that wire or hold sections of all others; the table names the first, and states the second in words.
const WIRING: [&str; 3] = ["lib", "main", "config"];

fn imports(journey: &Journey) -> Result<()> {
    let root = workspace_root();
    let rules = read_table(&std::fs::read_to_string(root.join("docs/architecture.md"))?)?;
    ensure!(rules.len() >= 12, "the table was not understood: {rules:#?}");
    let mut faults = Vec::new();
    let mut read = 0;
    for member in ["shared", "index-service", "registry-service"] {
        let source = root.join(member).join("src");
        let mut files = Vec::new();
        list(&source, &mut files)?;
        let short = member.trim_end_matches("-service");
        for file in files {
            let path = module_path(file.strip_prefix(&source)?);
            let Some(module) = path.first() else { continue };
            if WIRING.contains(&module.as_str()) || module == "tests" {
                continue;
            }
            let name = format!("{short}::{module}");
            let Some(rule) = rules.get(&name) else {
                faults.push(format!("{name} is not in the table of docs/architecture.md"));
                continue;
            };
            read += 1;
            let text = production_text(&std::fs::read_to_string(&file)?);
            let shown = file.strip_prefix(&root)?.display();
            for imported in our_imports(&text, short, &path) {
                if imported != name
                    && !EVERYBODYS.contains(&imported.as_str())
                    && !rule.allowed.contains(&imported)
                    && exists(&root, &imported)
                {
                    faults.push(format!("{shown} imports {imported}, which {name} may not"));
                }
            }
            for banned in rule.banned.iter().filter(|banned| mentions(&text, banned)) {
                faults.push(format!("{shown} uses {banned}, which {name} may not"));
            }
        }
    }
    faults.sort();
    faults.dedup();
    journey.note(&format!("{read} files read against {} rules", rules.len()));
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    ensure!(read > 30, "only {read} files were found");
    Ok(())
}

/// The rows `| module | may import | never |` of the document's table.
fn read_table(text: &str) -> Result<BTreeMap<String, Rule>> {
    let mut rules = BTreeMap::new();
    let table = text
        .split("## Who may import whom")
        .nth(1)
        .context("the document has no such table")?;
    for line in table.lines().take_while(|line| !line.starts_with("## ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [modules, may, never] = cells[..] else {
            continue;
        };
        let member = ["index", "registry"]
            .into_iter()
            .find(|name| modules.starts_with(name))
            .unwrap_or("shared");
        let full = |name: &str| match name.split_once("::") {
            Some(("shared", _)) => name.to_owned(),
            _ => format!("{member}::{name}"),
        };
        let row: Vec<String> = quoted(modules)
            .into_iter()
            .filter(|name| name != "main.rs")
            .map(|n| full(&n))
            .collect();
        let mut rule = Rule::default();
        if may.contains("vocabulary") {
            rule.allowed.extend(VOCABULARY.map(str::to_owned));
        }
        rule.allowed.extend(quoted(may).iter().map(|name| full(name)));
        for crate_name in ["axum", "tokio", "sqlx"] {
            if never.contains(crate_name) {
                rule.banned.insert(crate_name.to_owned());
            }
        }
        if never.contains("I/O") {
            rule.banned
                .extend(["axum", "tokio", "sqlx", "reqwest", "std::fs", "std::net"].map(str::to_owned));
        }
        if never.contains("status codes") {
            rule.banned.extend(["axum", "hyper", "http"].map(str::to_owned));
        }
        for module in &row {
            let mut own = rule.clone();
            if may.contains("each other") {
                own.allowed.extend(row.iter().cloned());
                // `a → b`: downward only, so b may not import a.
                for arrow in quoted(may) {
                    if let Some((upper, lower)) = arrow.split_once(" → ")
                        && full(&format!("shared::{lower}")) == *module
                    {
                        own.allowed.remove(&format!("shared::{upper}"));
                    }
                }
            }
            rules.insert(module.clone(), own);
        }
    }
    Ok(rules)
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `store/account.rs` is `[store, account]`, `store/mod.rs` is `[store]`.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    path.pop_if(|last| last == "mod");
    path
}

/// All sources but those of tests.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let tests = [
        "tests",
        "tests.rs",
        "testing.rs",
        "testing",
        "suite.rs",
        "suite",
        "contract.rs",
        "contract",
    ];
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if tests.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The text without comments and without the tests at its end.
fn production_text(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..tests]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of ours that a text names: after `crate::`, `shared::` and `super::` where that leads to the root.
fn our_imports(text: &str, member: &str, path: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let up = "super::".repeat(path.len());
    for (root, prefix) in [("crate::", member), ("shared::", "shared"), (up.as_str(), member)] {
        for (at, _) in text.match_indices(root) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let after = &text[at + root.len()..];
            let names = if let Some(group) = after.strip_prefix('{') {
                first_names(group)
            } else {
                vec![word(after)]
            };
            found.extend(names.into_iter().map(|name| format!("{prefix}::{name}")));
        }
    }
    found
}

/// The first names inside a group `{a::b, c::{d, e}}`, up to its end.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && (c.is_alphanumeric() || c == '_') => {
                names.push(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Whether `member::module` is a module of ours and not a type or function at a root.
fn exists(root: &Path, name: &str) -> bool {
    let Some((member, module)) = name.split_once("::") else {
        return false;
    };
    let folder = if member == "shared" {
        member.to_owned()
    } else {
        format!("{member}-service")
    };
    let source = root.join(folder).join("src");
    source.join(module).is_dir() || source.join(format!("{module}.rs")).is_file()
}

/// Whether a text names a crate or path of others.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}::")).any(|(at, _)| {
        !text[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn vocabulary_alone(journey: &Journey) -> Result<()> {
    let root = workspace_root();
    let check = journey
        .command("cargo")
        .args(["check", "--quiet", "--package", "shared", "--manifest-path"]);
    check
        .arg(root.join("Cargo.toml"))
        .limit(Duration::from_mins(10))
        .succeeds()?;
    let manifest = std::fs::read_to_string(root.join("shared/Cargo.toml"))?;
    if manifest
        .lines()
        .any(|line| line.starts_with("default =") && line != "default = []")
    {
        bail!("shared has default features; its vocabulary must stand without any");
    }
    Ok(())
}
