//! The command line: ours, and through links to the binary that of `registry` and `htpasswd`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory as _, Parser, Subcommand};

/// Where the images of distribution 2 and 3 keep their configuration.
const DEFAULTS: [&str; 2] = ["/etc/docker/registry/config.yml", "/etc/distribution/config.yml"];

#[derive(Parser)]
#[command(
    version,
    disable_version_flag = true,
    about = "The registry of Portolan: content of container images by the OCI distribution specification"
)]
pub(crate) struct Arguments {
    /// Print the version.
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the registry.
    Serve {
        /// The configuration: distribution's config.yml.
        #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
        config: Option<PathBuf>,
    },
    /// Find content that nobody needs, and remove it. Nobody may push meanwhile: stop the registry, or set
    /// storage.maintenance.readonly, until it has ended.
    GarbageCollect {
        /// The configuration: distribution's config.yml.
        #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
        config: Option<PathBuf>,
        /// Only say what would be removed.
        #[arg(short, long)]
        dry_run: bool,
        /// Remove manifests too that no tag points to; parts of an index that stays, and what refers to a manifest that
        /// stays, are kept.
        #[arg(short = 'm', long)]
        delete_untagged: bool,
        /// Say only what came of it.
        #[arg(short, long)]
        quiet: bool,
    },
    /// Read everything that is stored, compare it with its digests, follow every link, and say what is wrong. May run
    /// while the registry is served.
    Scrub {
        /// The configuration: distribution's config.yml.
        #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
        config: Option<PathBuf>,
        /// Move content that does not have its digest out of the way, so that the next push brings it back.
        #[arg(long)]
        quarantine: bool,
        /// Say only what came of it.
        #[arg(short, long)]
        quiet: bool,
    },
    /// Show the events that wait for notification endpoints, and bring dead letters back. May run while the registry is
    /// served.
    Notifications {
        #[command(subcommand)]
        command: NotificationsCommand,
    },
    /// Check a configuration, and say what is wrong with it, or what holds and where each value came from.
    CheckConfig {
        /// The configuration: distribution's config.yml.
        #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
        config: Option<PathBuf>,
    },
    /// Ask the registry that runs here with this configuration whether it is ready: exit code 0, or 1 and why not.
    Health {
        /// The configuration: distribution's config.yml.
        #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
        config: Option<PathBuf>,
    },
    /// Print the table of all keys of the configuration for the documentation.
    #[command(hide = true)]
    Reference,
    /// Write the manual pages of this command line into a folder that is there.
    #[command(hide = true)]
    Man {
        /// The folder.
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum NotificationsCommand {
    /// Show the events that wait for delivery, a line each.
    List(Events),
    /// Show the dead letters, a line each: events that waited too long, or were too many.
    Dead(Events),
    /// Put the dead letters back into their queues, behind what waits there.
    Replay(Events),
}

#[derive(clap::Args)]
pub(crate) struct Events {
    /// Only those of this endpoint.
    #[arg(long, value_name = "NAME")]
    pub(crate) endpoint: Option<String>,
    /// The configuration: distribution's config.yml.
    #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
    config: Option<PathBuf>,
}

impl NotificationsCommand {
    /// The command, and the configuration that it names.
    pub(crate) fn into_parts(mut self) -> (Self, Option<PathBuf>) {
        let (Self::List(events) | Self::Dead(events) | Self::Replay(events)) = &mut self;
        let config = events.config.take();
        (self, config)
    }
}

/// What the binary is asked to be, by the name that it was called by.
pub(crate) enum Called {
    /// A registry, with these arguments.
    Registry(Vec<OsString>),
    /// `htpasswd`, with what follows its name.
    Htpasswd(Vec<OsString>),
}

/// By the first of the arguments. Called `registry`, a file as the first argument is served, as the official image
/// does.
pub(crate) fn called(mut arguments: Vec<OsString>, is_file: impl Fn(&Path) -> bool) -> Called {
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    let name = name.and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if name == "htpasswd" {
        return Called::Htpasswd(arguments.split_off(1));
    }
    if name == "registry" && arguments.get(1).is_some_and(|first| is_file(Path::new(first))) {
        arguments.insert(1, "serve".into());
    }
    Called::Registry(arguments)
}

/// The configuration to read: the one that was named, or where an image keeps it. Of the two places of the images each
/// stands for the other, so that a command line of one works in the other.
pub(crate) fn configuration(
    named: Option<PathBuf>,
    is_file: impl Fn(&Path) -> bool,
) -> anyhow::Result<PathBuf> {
    let found = DEFAULTS.into_iter().map(PathBuf::from).find(|path| is_file(path));
    match named.filter(|named| !named.as_os_str().is_empty()) {
        Some(named) => {
            let is_default = DEFAULTS.iter().any(|default| Path::new(default) == named);
            let is_missing = is_default && !is_file(&named);
            Ok(found.filter(|_| is_missing).unwrap_or(named))
        }
        None => found.ok_or_else(|| {
            let usage = Arguments::command().render_usage();
            anyhow::anyhow!(
                "no configuration is named, neither here nor in REGISTRY_CONFIGURATION_PATH\n\n{usage}"
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_the_one_that_is_named_or_that_of_either_image() {
        let [two, three] = DEFAULTS;
        for (named, there, expected) in [
            (Some("/x.yml"), vec![], Some("/x.yml")),
            (Some("/x.yml"), vec![two], Some("/x.yml")),
            (Some(three), vec![two], Some(two)),
            (Some(two), vec![three], Some(three)),
            (Some(two), vec![], Some(two)),
            (None, vec![two, three], Some(two)),
            (None, vec![three], Some(three)),
            (Some(""), vec![three], Some(three)),
            (None, vec![], None),
        ] {
            let is_file = |path: &Path| there.iter().any(|file| Path::new(file) == path);
            let found = configuration(named.map(PathBuf::from), is_file).ok();
            assert_eq!(found.as_deref(), expected.map(Path::new), "{named:?} {there:?}");
        }
    }

    #[test]
    fn a_link_named_registry_serves_a_file_as_the_official_image_does() {
        let arguments = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (words, expected) in [
            (
                "/bin/registry /my/config.yml",
                "/bin/registry serve /my/config.yml",
            ),
            ("registry serve /my/config.yml", "registry serve /my/config.yml"),
            (
                "registry garbage-collect -m /my/config.yml",
                "registry garbage-collect -m /my/config.yml",
            ),
            ("registry --version", "registry --version"),
            (
                "registry-service /my/config.yml",
                "registry-service /my/config.yml",
            ),
        ] {
            let called = called(arguments(words), |path| path == Path::new("/my/config.yml"));
            let Called::Registry(found) = called else {
                panic!("{words} is no htpasswd")
            };
            assert_eq!(found, arguments(expected), "{words}");
        }
        let called = called(arguments("/usr/bin/htpasswd -Bbn a b"), |_| false);
        assert!(matches!(called, Called::Htpasswd(rest) if rest.len() == 3));
    }

    #[test]
    fn every_command_line_of_distribution_is_understood() {
        for words in [
            "registry serve",
            "registry serve /c",
            "registry garbage-collect -d -m -q /c",
            "registry garbage-collect /c --dry-run --delete-untagged --quiet",
        ] {
            let parsed = Arguments::try_parse_from(words.split(' '));
            assert!(parsed.is_ok(), "{words}");
        }
        for flag in ["-v", "--version"] {
            let asked = Arguments::try_parse_from(["registry", flag])
                .err()
                .map(|asked| asked.kind());
            assert_eq!(asked, Some(clap::error::ErrorKind::DisplayVersion));
        }
    }
}
