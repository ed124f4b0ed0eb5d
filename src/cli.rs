//! The command line of `portolan`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Repositories.
    #[command(subcommand)]
    Repo(Repo),
    /// Personal access tokens.
    #[command(subcommand)]
    Token(Token),
    /// Print a line for an htpasswd file, as Apache's tool writes it. The password is read from standard input.
    Htpasswd(Htpasswd),
    /// Print the nginx configuration of the front door, for both services run apart.
    NginxConfig(NginxConfig),
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
    /// A foreign registry (such as CNCF distribution) that takes this index's tokens: its service name. Tokens for it
    /// carry their certificates. May be given several times.
    #[arg(
        long = "foreign-service",
        value_name = "NAME",
        env = "PORTOLAN_FOREIGN_SERVICES",
        value_delimiter = ','
    )]
    pub(crate) foreign_services: Vec<String>,
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
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a personal access token and print its secret, alone, on standard output; it is not shown again.
    Create {
        /// Whose token.
        user: String,
        /// What it is for.
        #[arg(long = "name", value_name = "LABEL")]
        label: String,
        /// Days until it expires.
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365))]
        expires: u16,
        /// The repositories it may be used for: NS/NAME, NS/PREFIX-* or NS/*.
        #[arg(long, value_name = "PATTERN", default_value = "*")]
        repositories: String,
        /// What it may be used for: pull, push, delete.
        #[arg(
            long,
            value_name = "ACTIONS",
            value_delimiter = ',',
            default_value = "pull,push,delete"
        )]
        actions: Vec<String>,
        #[command(flatten)]
        data: Data,
    },
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
