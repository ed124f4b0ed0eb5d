//! `portolan setup`: what a deployment of several containers keeps secret, made once, and its configuration, written anew at
//! each start. Each recipient has a folder of its own, a volume that nobody else sees.

mod certificate;
mod configuration;
mod folder;
mod front;

use std::fmt::Write as _;

use anyhow::Context as _;
use index_service::random::Random;
use shared::runtime::clock::Clock;

use crate::address::PublicUrl;
use crate::cli::Setup;
use certificate::Vouched;
use folder::Folder;

/// The user that index and registry run as in our images.
const SERVICE: u32 = 10_001;
/// The user `postgres` of the official image `postgres:17`.
const POSTGRES: u32 = 999;
/// The user `nginx` of the official image `nginx:1.28`.
const NGINX: u32 = 101;
/// Who alone sees the key of the deployment's own authority.
const ROOT: u32 = 0;

/// Makes what is missing, and says what to type next.
pub(crate) fn run(command: &Setup) -> anyhow::Result<()> {
    let vouched = prepare(command, &Clock::system(), &Random::system())?;
    announce(&public_url(command)?, vouched);
    Ok(())
}

fn prepare(command: &Setup, clock: &Clock, random: &Random) -> anyhow::Result<Vouched> {
    let url = public_url(command)?;
    let at = |name: &str, owner| Folder::make(&command.dir, name, owner);
    let fresh = || hexadecimal(&random.bytes::<32>());

    let postgres = at("postgres", POSTGRES)?;
    let password = postgres.secret("password", fresh)?;

    let index = at("index", SERVICE)?;
    index.secret("master-key", fresh)?;
    index.write(
        "database",
        &format!("postgres://portolan:{password}@postgres/portolan\n"),
    )?;
    let events = index.secret("events-secret", fresh)?;
    index.write("index.yml", &configuration::index(&url))?;

    let registry = at("registry", SERVICE)?;
    registry.secret("http-secret", fresh)?;
    registry.write(
        "config.yml",
        &configuration::registry(&url, &command.redis, &events),
    )?;

    at("front", NGINX)?.write("nginx.conf", &front::nginx(&url))?;
    let authority = at("authority", ROOT)?;
    certificate::keep(&authority, &command.dir, &url, clock.now())
        .context("the certificate of the front door, tls.crt and tls.key")
}

/// Two digits for each byte.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The URL that clients use.
fn public_url(command: &Setup) -> anyhow::Result<PublicUrl> {
    let host = command.host.trim().to_ascii_lowercase();
    let text = match command.port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    };
    let loopback = ([127, 0, 0, 1], command.port).into();
    let parsed = PublicUrl::choose(Some(&text), loopback, true).ok();
    let is_bare = |url: &PublicUrl| url.host() == host.trim_start_matches('[').trim_end_matches(']');
    parsed.filter(is_bare).with_context(|| {
        format!(
            "PORTOLAN_HOST is {:?}: expected a name such as hub.example.com, or an address; the port is PORTOLAN_PORT",
            command.host
        )
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the person who started it reads this in the log"
)]
fn announce(url: &PublicUrl, vouched: Vouched) {
    let host = url.authority();
    println!("Portolan {} is set up for {url}\n", env!("CARGO_PKG_VERSION"));
    println!("  Log in        docker login {host} -u admin");
    println!(
        "  Password      docker compose exec index cat {}",
        configuration::FIRST_PASSWORD
    );
    println!("                (until it is changed)");
    if vouched == Vouched::Ours {
        println!(
            "\n  The certificate is of this deployment's own authority. Clients trust it with its ca.crt; on the server:"
        );
        println!("    docker compose exec -T front cat /etc/portolan/tls/ca.crt > ca.crt");
        println!("  and on each client, with that file:");
        println!("    sudo install -D -m 644 ca.crt /etc/docker/certs.d/{host}/ca.crt        # docker");
        println!(
            "    sudo install -D -m 644 ca.crt /etc/containers/certs.d/{host}/ca.crt    # podman, skopeo, buildah"
        );
        println!(
            "    sudo cp ca.crt /usr/local/share/ca-certificates/portolan.crt && sudo update-ca-certificates   # all else"
        );
    }
}

#[cfg(test)]
mod tests;
