//! The command line of `portolan`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::index_options::IndexOptions;
use crate::remote::{self, Target};

/// An index and a registry for container images, in one command.
///
/// Without a command: `up`.
#[derive(Debug, Parser)]
#[command(name = "portolan", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) up: Up,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run index and registry behind one port.
    Up(Box<Up>),
    /// Accounts.
    #[command(subcommand)]
    User(User),
    /// Take over what other programs keep: accounts, repositories.
    #[command(subcommand)]
    Import(crate::import::Import),
    /// Accounts, by the API.
    #[command(subcommand)]
    Account(remote::account::Account),
    /// Organisations.
    #[command(subcommand)]
    Org(remote::organisation::Org),
    /// Members of an organisation.
    #[command(subcommand)]
    Member(remote::organisation::Member),
    /// Teams of an organisation.
    #[command(subcommand)]
    Team(remote::organisation::Team),
    /// Invitations: links that let people in.
    #[command(subcommand)]
    Invitation(remote::invitation::Invitation),
    /// Repositories.
    #[command(subcommand)]
    Repo(Repo),
    /// Search repositories.
    Search(remote::search::Search),
    /// Read repositories again from the registry, and repair what the index knows of their tags and images.
    Reindex(remote::content::Reindex),
    /// Retention: what goes by itself, what went, and bringing it back.
    #[command(subcommand)]
    Retention(remote::retention::Retention),
    /// Rules: who may do what with which repositories.
    #[command(subcommand)]
    Rule(remote::access::Rule),
    /// Tags that stay what they are.
    #[command(subcommand)]
    Immutable(remote::limit::Immutable),
    /// How much namespaces may hold.
    #[command(subcommand)]
    Quota(remote::limit::Quota),
    /// Why somebody may do something, or may not.
    #[command(subcommand)]
    Access(remote::access::Access),
    /// Webhooks: who is told of what happens to repositories.
    #[command(subcommand)]
    Webhook(remote::webhook::Webhook),
    /// Robots: accounts of machines.
    #[command(subcommand)]
    Robot(remote::credential::Robot),
    /// Personal access tokens.
    #[command(subcommand)]
    Token(Token),
    /// Where you are signed in by `docker login`.
    #[command(subcommand)]
    Device(remote::device::Device),
    /// What was changed by whom.
    Audit(remote::access::Audit),
    /// The keys that registry tokens are signed with.
    #[command(subcommand)]
    Keys(Keys),
    /// The index's database as a whole.
    #[command(subcommand)]
    Db(Db),
    /// Write the index's database into one file, while it is used; or verify such a file.
    Backup(Backup),
    /// Put a backup into a data folder or database that has nothing yet.
    Restore(Restore),
    /// Print a line for an htpasswd file, as Apache's tool writes it. The password is read from standard input.
    Htpasswd(Htpasswd),
    /// Print the nginx configuration of the front door, for both services run apart.
    NginxConfig(NginxConfig),
    /// Ask the server that `up` runs here, with the same options, whether it is ready: exit code 0, or 1 and why not.
    Health(Box<Up>),
    /// Make what a deployment of several containers keeps secret, as far as it is not there, and its configuration.
    Setup(Setup),
    /// Print the completion of this command line for a shell.
    Completion {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of this command line into a folder.
    Man {
        /// The folder; made if missing.
        folder: PathBuf,
    },
    /// Push and pull a probe through the public address, and say what is wrong and which line to change.
    Doctor(Doctor),
}

/// Where the data lies; the same for every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Data {
    /// The data folder; made at the first start with mode 0700.
    #[arg(
        long = "data",
        value_name = "DIR",
        env = "PORTOLAN_DATA",
        default_value = "./portolan-data"
    )]
    pub(crate) dir: PathBuf,
    /// A file with 32 random bytes (base64 or hexadecimal) that the signing keys are encrypted with.
    #[arg(long, value_name = "FILE", env = "PORTOLAN_MASTER_KEY_FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
}

/// Where an index's data lies: in a data folder, or where the configuration of `index-service` says.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The configuration file of index-service, instead of a data folder, whatever says where that is; variables INDEX_…
    /// count.
    // No conflict with --data: PORTOLAN_DATA, which may stand in any environment, would be one.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Up {
    /// Where to listen. An address that is not loopback needs --public-url.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "PORTOLAN_LISTEN",
        default_value = "127.0.0.1:5000"
    )]
    pub(crate) listen: SocketAddr,
    /// The URL under which clients reach this server [default: http://localhost:PORT]
    #[arg(long, value_name = "URL", env = "PORTOLAN_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Serve HTTPS with this certificate chain (PEM); read again when the file changes.
    #[arg(long, value_name = "FILE", env = "PORTOLAN_TLS_CERT", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM, readable by its owner alone).
    #[arg(long, value_name = "FILE", env = "PORTOLAN_TLS_KEY", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve HTTPS with a certificate of our own making, kept in the data folder.
    #[arg(long, env = "PORTOLAN_TLS_SELF_SIGNED", conflicts_with = "tls_cert")]
    pub(crate) tls_self_signed: bool,
    #[command(flatten)]
    pub(crate) index: IndexOptions,
    /// What to log: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", env = "PORTOLAN_LOG", default_value = "info")]
    pub(crate) log: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Make an account; it owns the namespace of its name.
    Add {
        /// The user name.
        name: String,
        /// Read the password from standard input; without it a random one is made and printed.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Set a new password; sessions of `docker login` made with the old one end.
    ResetPassword {
        /// The user name.
        name: String,
        /// Read the password from standard input; without it a random one is made and printed.
        #[arg(long)]
        password_stdin: bool,
        /// Set nothing: print a link with which its owner sets a password, once and within a day.
        #[arg(long, conflicts_with = "password_stdin")]
        link: bool,
        /// The URL under which clients reach the server, for the link [default: http://localhost:5000]
        #[arg(long, value_name = "URL", env = "PORTOLAN_PUBLIC_URL")]
        public_url: Option<String>,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Repo {
    /// Let everybody pull it, without login.
    SetPublic {
        /// NAMESPACE/NAME, or NAME for one of the library.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Let its owner alone see and pull it.
    SetPrivate {
        /// NAMESPACE/NAME, or NAME for one of the library.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    #[command(flatten)]
    Through(remote::repository::Repository),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a personal access token and print its secret, alone, on standard output; it is not shown again.
    Create {
        /// Whose token; with --server, that of whoever signs in.
        #[arg(required_unless_present = "server")]
        user: Option<String>,
        /// What it is for.
        #[arg(long = "name", value_name = "LABEL")]
        label: String,
        #[command(flatten)]
        limits: remote::credential::Limits,
        #[command(flatten)]
        target: Target,
    },
    /// Your access tokens.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Make another secret for an access token of yours and print it.
    Rotate {
        /// Its id.
        id: String,
        /// Hours that the older secret lives on.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(..=720))]
        overlap: u16,
        #[command(flatten)]
        target: Target,
    },
    /// End one of your access tokens.
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Show the key that signs, the next one, and those that have signed.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let the next key sign as soon as every registry knows it, and say when that is. Tokens stay valid.
    Rotate {
        #[command(flatten)]
        place: Place,
    },
    /// After a theft: put new keys in the place of all there are. Tokens signed until now are refused within a minute.
    Revoke {
        /// Replace the certificate that vouches for the keys as well; registries that were given it need the new one.
        #[arg(long)]
        authority: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Encrypt the private keys with another master key, or for the first time.
    Encrypt {
        /// A file with the new master key.
        #[arg(long, value_name = "FILE")]
        new_master_key_file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Print what registries verify tokens with.
    Export {
        /// The published keys, as a JSON Web Key Set (`jwks` of a registry).
        #[arg(long)]
        jwks: bool,
        /// The certificate that vouches for every key, now and later (`rootcertbundle` of a stock registry).
        #[arg(long, conflicts_with = "jwks", required_unless_present = "jwks")]
        pem: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Copy everything into an empty database, of the same kind or the other, and compare. Stop every index that writes to
    /// the original first, or what it writes meanwhile stays behind.
    Copy {
        /// The original: sqlite:///path or postgres://user:password@host/database, or @FILE with a file that holds it.
        #[arg(long, value_name = "URL")]
        from: String,
        /// The copy.
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file; none of this name may exist.
    pub(crate) file: PathBuf,
    /// Read a file that exists instead, and compare it with what it says of itself.
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file that `backup` wrote.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Htpasswd {
    /// Use bcrypt; there is no other choice.
    #[arg(short = 'B', required = true)]
    pub(crate) bcrypt: bool,
    /// bcrypt's cost: each step doubles the work.
    #[arg(short = 'C', value_name = "COST", default_value_t = 5, value_parser = clap::value_parser!(u32).range(4..=14))]
    pub(crate) cost: u32,
    /// The user name.
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct NginxConfig {
    /// What nginx listens on.
    #[arg(long, default_value = "80")]
    pub(crate) listen: String,
    /// Each index-service.
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "index:5001",
        value_delimiter = ','
    )]
    pub(crate) index: Vec<String>,
    /// Each registry-service.
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "registry:5000",
        value_delimiter = ','
    )]
    pub(crate) registry: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// The folder, with a folder for each recipient in it: authority, front, tls, index, registry, postgres.
    pub(crate) dir: PathBuf,
    /// The name or address under which clients reach the deployment, without scheme and port.
    #[arg(long, value_name = "NAME", env = "PORTOLAN_HOST")]
    pub(crate) host: String,
    /// The port of HTTPS that clients use.
    #[arg(long, env = "PORTOLAN_PORT", default_value_t = 443)]
    pub(crate) port: u16,
    /// HOST:PORT of a redis that registries keep descriptors in.
    #[arg(long, value_name = "HOST:PORT", env = "PORTOLAN_REDIS", default_value = "")]
    pub(crate) redis: String,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The URL under which clients reach the registry.
    #[arg(long, value_name = "URL", env = "PORTOLAN_SERVER")]
    pub(crate) registry: String,
    /// Who pushes the probe; a robot or an account. The password or access token is read from standard input.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Where the probe goes [default: USER/portolan-doctor]
    #[arg(long, value_name = "NS/NAME")]
    pub(crate) repository: Option<String>,
    /// Trust this certificate besides those of the system (PEM).
    #[arg(long, value_name = "FILE", env = "PORTOLAN_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// How large the probe's layer is, in MiB: larger than what a proxy might refuse.
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) size: u16,
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_options_are_those_of_up() {
        let cli = Cli::try_parse_from(["portolan", "--listen", "127.0.0.1:0", "--data", "/x"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.up.data.dir, PathBuf::from("/x"));
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert!(Cli::try_parse_from(["portolan", "up", "--tls-cert", "c"]).is_err());
        assert!(Cli::try_parse_from(["portolan", "up", "--tls-cert", "c", "--tls-key", "k"]).is_ok());
        assert!(
            Cli::try_parse_from([
                "portolan",
                "up",
                "--tls-cert",
                "c",
                "--tls-key",
                "k",
                "--tls-self-signed"
            ])
            .is_err()
        );
    }

    #[test]
    fn a_configuration_can_be_named_where_a_variable_names_a_data_folder() {
        let words = [
            "portolan",
            "backup",
            "file",
            "--config",
            "index.yml",
            "--data",
            "/x",
        ];
        let Some(Command::Backup(backup)) = Cli::try_parse_from(words).unwrap().command else {
            panic!("no backup")
        };
        assert_eq!(backup.place.config, Some(PathBuf::from("index.yml")));
    }

    #[test]
    fn the_paper_names_every_option_and_variable() {
        fn walk(command: &clap::Command, missing: &mut Vec<String>, paper: &str) {
            for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
                let option = argument.get_long().map(|long| format!("--{long}"));
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                let named = |text: &String| {
                    paper.contains(text.as_str()) || matches!(text.as_str(), "--help" | "--version")
                };
                missing.extend(option.into_iter().chain(variable).filter(|text| !named(text)));
            }
            for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
                if !paper.contains(sub.get_name()) {
                    missing.push(sub.get_name().to_owned());
                }
                walk(sub, missing, paper);
            }
        }
        let mut missing = Vec::new();
        walk(
            &Cli::command(),
            &mut missing,
            include_str!("../docs/configuration.md"),
        );
        assert!(
            missing.is_empty(),
            "docs/configuration.md does not name {missing:?}"
        );
    }
}
