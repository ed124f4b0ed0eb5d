//! Images that stand in for official ones, made of what Debian has installed here: nothing is pulled.
//!
//! | stands in for | made of | user | writes to | entry point and variables |
//! |---|---|---|---|---|
//! | `debian:bookworm-slim`, `rust:1-slim-bookworm` | busybox, the libraries of our binaries | root | everywhere | none; `rust` compiles nothing here |
//! | `postgres:17` (17.6-bookworm) | Debian's PostgreSQL | 999 | `/var/lib/postgresql/data`, `/var/run/postgresql`, `/tmp` | `docker-entrypoint.sh postgres`; `POSTGRES_USER`, `POSTGRES_PASSWORD_FILE`, `POSTGRES_DB` (the user), `POSTGRES_INITDB_ARGS`, `PGDATA` |
//! | `redis:7` (7.4-bookworm) | Debian's redis | 999 | `/data` | `redis-server` |
//! | `nginx:1.28` (1.28.0-bookworm) | Debian's nginx, curl | 101 | what its configuration says; logs lead to standard output and error | `nginx -g 'daemon off;'` in place of `/docker-entrypoint.sh` |

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Journey;
use crate::engine::Docker;
use crate::environment::find_program;
use crate::journey::unique;

/// A root file system on its way to be an image.
pub struct Tree<'a> {
    journey: &'a Journey,
    root: PathBuf,
}

impl<'a> Tree<'a> {
    /// One with busybox alone.
    pub fn new(journey: &'a Journey) -> Result<Self> {
        let root = journey.subfolder(&format!("tree-{}", unique()))?;
        let tree = Self { journey, root };
        for folder in ["bin", "etc", "run", "usr/local/bin", "var/lib", "var/www", "tmp"] {
            tree.folder(folder, 0o755, 0)?;
        }
        tree.folder("tmp", 0o1777, 0)?;
        symlink("/run", tree.root.join("var/run"))?;
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].map(Path::new);
        let busybox = busybox
            .into_iter()
            .find(|path| path.is_file())
            .context("no busybox")?;
        std::fs::copy(busybox, tree.root.join("bin/busybox"))?;
        let applets = Command::new(busybox)
            .arg("--list")
            .output()
            .context("ask busybox what it can")?;
        for applet in String::from_utf8_lossy(&applets.stdout)
            .lines()
            .filter(|name| *name != "busybox")
        {
            symlink("busybox", tree.root.join("bin").join(applet))?;
        }
        tree.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")?;
        tree.text("etc/group", "root:x:0:\n")?;
        Ok(tree)
    }

    /// A folder with this mode and owner.
    pub fn folder(&self, path: &str, mode: u32, owner: u32) -> Result<()> {
        let path = self.root.join(path);
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        chown(&path, Some(owner), Some(owner)).with_context(|| format!("give {} away", path.display()))
    }

    /// A file that everybody reads.
    pub fn text(&self, path: &str, text: &str) -> Result<()> {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }

    /// An account, as the official image has it.
    pub fn user(&self, name: &str, id: u32) -> Result<()> {
        let account = format!("root:x:0:0:root:/root:/bin/sh\n{name}:x:{id}:{id}::/:/bin/sh\n");
        self.text("etc/passwd", &account)?;
        self.text("etc/group", &format!("root:x:0:\n{name}:x:{id}:\n"))
    }

    /// Programs of this machine where they lie here, with the libraries that they need.
    pub fn programs(&self, paths: &[PathBuf]) -> Result<()> {
        for path in paths {
            self.copy(path, &path.canonicalize()?)?;
        }
        self.libraries(paths)
    }

    /// The libraries of these programs, wherever the programs go.
    pub fn libraries(&self, programs: &[PathBuf]) -> Result<()> {
        let mut found = BTreeSet::new();
        for program in programs {
            let said = Command::new("ldd")
                .arg(program)
                .output()
                .context("run ldd")?
                .stdout;
            let said = String::from_utf8_lossy(&said);
            let words = said.split_whitespace().filter(|word| word.starts_with('/'));
            found.extend(words.map(|word| word.trim_end_matches(':').to_owned()));
        }
        ensure!(!found.is_empty(), "no library is named for {programs:?}");
        for library in found {
            let path = Path::new(&library);
            if !path.starts_with(std::env::temp_dir()) {
                self.copy(path, &path.canonicalize()?)?;
            }
        }
        Ok(())
    }

    /// A folder of this machine, with all below, where it lies here.
    pub fn everything(&self, path: &str) -> Result<()> {
        let target = self.root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(target.parent().context("no folder")?)?;
        self.journey
            .command("cp")
            .args(["-a", "-L", path])
            .arg(&target)
            .succeeds()
            .map(drop)
    }

    /// A symbolic link.
    pub fn link(&self, path: &str, target: &str) -> Result<()> {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        drop(std::fs::remove_file(&path));
        symlink(target, &path).with_context(|| format!("link {}", path.display()))
    }

    /// A script.
    pub fn script(&self, path: &str, text: &str) -> Result<()> {
        self.text(path, text)?;
        std::fs::set_permissions(self.root.join(path), std::fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Makes the image, with these instructions of a Dockerfile.
    pub fn import(self, docker: &Docker<'_>, image: &str, instructions: &[&str]) -> Result<()> {
        let archive = self.root.with_extension("tar");
        let tar = self.journey.command("tar").arg("-C").arg(&self.root);
        tar.args(["--numeric-owner", "-cf"])
            .arg(&archive)
            .arg(".")
            .succeeds()?;
        let mut line = docker.line(["import"]);
        for instruction in instructions {
            line = line.args(["-c", instruction]);
        }
        line.arg(&archive).arg(image).succeeds()?;
        drop(std::fs::remove_file(&archive));
        drop(std::fs::remove_dir_all(&self.root));
        Ok(())
    }

    fn copy(&self, path: &Path, content: &Path) -> Result<()> {
        let target = self
            .root
            .join(path.strip_prefix("/").context("no absolute path")?);
        std::fs::create_dir_all(target.parent().context("no folder")?)?;
        std::fs::copy(content, &target).with_context(|| format!("copy {}", path.display()))?;
        Ok(())
    }
}

/// A base for our images: busybox and what these binaries need.
pub fn base(journey: &Journey, docker: &Docker<'_>, image: &str, binaries: &[PathBuf]) -> Result<()> {
    let tree = Tree::new(journey)?;
    tree.libraries(binaries)?;
    tree.everything("/etc/ssl/certs/ca-certificates.crt")?;
    tree.import(docker, image, &[])
}

/// `nginx:1.28`
pub fn nginx(journey: &Journey, docker: &Docker<'_>, image: &str) -> Result<()> {
    let tree = Tree::new(journey)?;
    let nginx = find_program("nginx").context("no nginx")?;
    let curl = find_program("curl").context("no curl")?;
    tree.programs(&[nginx, curl])?;
    tree.user("nginx", 101)?;
    tree.link("var/log/nginx/access.log", "/dev/stdout")?;
    tree.link("var/log/nginx/error.log", "/dev/stderr")?;
    let path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let command = r#"CMD ["nginx", "-g", "daemon off;"]"#;
    tree.import(docker, image, &[path, command, "EXPOSE 80"])
}

/// `redis:7`
pub fn redis(journey: &Journey, docker: &Docker<'_>, image: &str) -> Result<()> {
    let tree = Tree::new(journey)?;
    let server = find_program("redis-server").context("no redis-server")?;
    let client = find_program("redis-cli").context("no redis-cli")?;
    tree.programs(&[server, client])?;
    tree.user("redis", 999)?;
    tree.folder("data", 0o755, 999)?;
    let path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let command = r#"CMD ["redis-server"]"#;
    tree.import(docker, image, &[path, "WORKDIR /data", command, "EXPOSE 6379"])
}

/// `postgres:17`
pub fn postgres(journey: &Journey, docker: &Docker<'_>, image: &str) -> Result<()> {
    let tree = Tree::new(journey)?;
    let bin = crate::postgres::find_programs().context("no PostgreSQL")?;
    let version = bin.parent().context("a folder of the version")?;
    let names = ["postgres", "initdb", "psql", "pg_isready"];
    tree.programs(&names.map(|name| bin.join(name)))?;
    let number = version.file_name().unwrap_or_default().to_string_lossy();
    tree.everything(&format!("/usr/share/postgresql/{number}"))?;
    for library in ["plpgsql.so", "dict_snowball.so"] {
        let library = version.join("lib").join(library);
        tree.copy(&library, &library)?;
    }
    tree.everything("/usr/lib/locale/C.utf8")?;
    for zone in ["Etc", "UTC", "GMT"] {
        tree.everything(&format!("/usr/share/zoneinfo/{zone}"))?;
    }
    tree.user("postgres", 999)?;
    tree.folder("var/lib/postgresql", 0o1777, 999)?;
    tree.folder("var/lib/postgresql/data", 0o1777, 999)?;
    tree.folder("run/postgresql", 0o3777, 999)?;
    tree.script("usr/local/bin/docker-entrypoint.sh", POSTGRES_ENTRYPOINT)?;
    let path = format!("ENV PATH={}:/usr/local/bin:/usr/bin:/bin", bin.display());
    let instructions = [
        path.as_str(),
        "ENV LANG=C.UTF-8",
        "ENV PGDATA=/var/lib/postgresql/data",
        r#"VOLUME ["/var/lib/postgresql/data"]"#,
        r#"ENTRYPOINT ["docker-entrypoint.sh"]"#,
        r#"CMD ["postgres"]"#,
        "EXPOSE 5432",
    ];
    tree.import(docker, image, &instructions)
}

/// What the official one does with the variables that it is given here.
const POSTGRES_ENTRYPOINT: &str = r#"#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  echo "CREATE DATABASE ${POSTGRES_DB:-$POSTGRES_USER};" | postgres --single -D "$PGDATA" postgres
fi
exec "$@"
"#;
