//! A PostgreSQL server for tests: the one that `PORTOLAN_TEST_POSTGRES` names (a URL whose role may create databases), or
//! one that is started for this test process alone and dies with it. Without either the PostgreSQL half of the tests
//! prints why it is skipped, and fails when `PORTOLAN_TEST_NOTHING_SKIPPED` is `1`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::Store;

/// Makes the server in a folder of its own, says where, and takes it down when its input ends: when this process does.
/// The locale is not C, so that a column without `collate "C"` shows.
const SCRIPT: &str = r#"
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/portolan-postgres.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap '' INT TERM
"$1/initdb" -D "$dir/data" -A trust -U portolan -E UTF8 --locale=C --locale-provider=icu --icu-locale=en-US --no-sync \
    >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$1/pg_ctl" -D "$dir/data" -w -l "$dir/log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$dir -c fsync=off -c max_connections=200" start \
    >/dev/null || { cat "$dir/log" >&2; exit 1; }
echo "$dir"
cat >/dev/null
"$1/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null
"#;

/// The server: how to reach a database of it, and what keeps it alive.
struct Server {
    /// URL of a database, with `{}` in the place of its name.
    template: String,
    /// A database that exists.
    first: String,
    _keeper: Option<Child>,
}

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A URL of a new, empty database; `None` when there is no server, which was then printed.
pub(crate) async fn new_database() -> Option<String> {
    let server = match SERVER.get_or_init(start) {
        Ok(server) => server,
        Err(why) => {
            assert!(
                variable("PORTOLAN_TEST_NOTHING_SKIPPED").as_deref() != Some("1"),
                "nothing may be skipped, but there is no PostgreSQL: {why}"
            );
            eprintln!("skipped on PostgreSQL: {why}");
            return None;
        }
    };
    let name = format!(
        "portolan_test_{}_{}",
        std::process::id(),
        DATABASES.fetch_add(1, Ordering::Relaxed)
    );
    let mut connection = PgConnection::connect(&server.template.replace("{}", &server.first))
        .await
        .expect("the test server answers");
    sqlx::query(AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .expect("the role may create databases");
    connection.close().await.unwrap();
    Some(server.template.replace("{}", &name))
}

/// A store on a new database, or `None` as [`new_database`].
pub(crate) async fn new_store() -> Option<Store> {
    let url = new_database().await?;
    Some(Store::open(&url).await.expect("an empty database is migrated"))
}

fn start() -> Result<Server, String> {
    if let Some(url) = variable("PORTOLAN_TEST_POSTGRES") {
        let (base, query) = url
            .split_once('?')
            .map_or((url.as_str(), String::new()), |(b, q)| (b, format!("?{q}")));
        let (base, first) = base
            .rsplit_once('/')
            .ok_or("PORTOLAN_TEST_POSTGRES is postgres://HOST/DATABASE")?;
        return Ok(Server {
            template: format!("{base}/{{}}{query}"),
            first: first.to_owned(),
            _keeper: None,
        });
    }
    let programs = find_programs().ok_or("no initdb in /usr/lib/postgresql/*/bin or in PATH")?;
    let mut keeper = shell()
        .arg(SCRIPT)
        .arg("postgres")
        .arg(&programs)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start a shell for it: {error}"))?;
    let mut folder = String::new();
    let output = keeper.stdout.take().expect("the output is piped");
    BufReader::new(output)
        .read_line(&mut folder)
        .map_err(|error| error.to_string())?;
    let folder = folder.trim_end();
    if folder.is_empty() {
        return Err(format!("{} made no server", programs.display()));
    }
    Ok(Server {
        template: format!("postgres://portolan@localhost/{{}}?host={folder}"),
        first: "postgres".to_owned(),
        _keeper: Some(keeper),
    })
}

/// A shell that is not root's: the server refuses to run as root.
fn shell() -> Command {
    use std::os::unix::fs::MetadataExt as _;

    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        let mut shell = Command::new("sh");
        shell.arg("-c");
        return shell;
    }
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = if known.lines().any(|line| line.starts_with("postgres:")) {
        "postgres"
    } else {
        "nobody"
    };
    let mut shell = Command::new("runuser");
    shell.args(["-u", user, "--", "sh", "-c"]);
    shell
}

fn find_programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = installed.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = variable("PATH").unwrap_or_default();
    folders.extend(path.split(':').map(PathBuf::from));
    folders.into_iter().find(|folder| has_programs(folder))
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment what the machine has"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
