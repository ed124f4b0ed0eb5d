//! `portolan up`: both services in one process behind one port.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use shared::runtime::probe;
use shared::runtime::serve::{Address, Limits, Listener, serve, shutdown_signal};
use shared::runtime::telemetry::{self, Format};
use shared::runtime::tls::{TlsAcceptorHandle, self_signed, write_private};
use shared::secret::Secret;

use crate::address::PublicUrl;
use crate::assembly::{self, Sources};
use crate::cli::Up;
use crate::data::DataFolder;
use crate::front_door::FrontDoor;

/// Runs until a signal, then drains.
pub(crate) async fn run(options: Up) -> anyhow::Result<()> {
    let tls = options.tls_self_signed || options.tls_cert.is_some();
    // Refuse before anything is made.
    PublicUrl::choose(options.public_url.as_deref(), options.listen, tls)?;
    telemetry::init(Format::Text, &options.log)?;
    let sources = Sources::system();
    let data = DataFolder::make(&options.data.dir)?.with_master_key(options.data.master_key_file.as_deref());
    let listener = bind(options.listen).await?;
    // Port 0 is known only now.
    let address = listener.local_addr().context("asking for the port")?;
    let public_url = PublicUrl::choose(options.public_url.as_deref(), address, tls)?;
    let certificate = certificate(&options, &data, &public_url, &sources)?;

    let index = assembly::index(&data, &public_url, &options.index, &sources).await?;
    let first_password = index.ensure_admin().await.context("making the account admin")?;
    let registry = assembly::registry(&data, &index, listener.readiness(), &sources)?;
    let front_door = FrontDoor::new(
        index_service::http::router(index.clone(), listener.readiness()),
        registry,
    );

    announce(&data, &public_url, certificate.as_ref(), first_password.as_ref());
    let (stop_background, background_stops) = tokio::sync::watch::channel(false);
    let background = tokio::spawn({
        let (index, mut stops) = (index.clone(), background_stops);
        async move {
            index
                .background(async move {
                    // An error means that the sender is gone, which stops it too.
                    drop(stops.wait_for(|stop| *stop).await);
                })
                .await;
        }
    });
    let handle = certificate.map(|pair| pair.load()).transpose()?;
    serve(listener, handle, front_door, Limits::default(), shutdown_signal())
        .await
        .context("serving")?;
    // The background ends with the connections; a receiver that is gone has ended already.
    stop_background.send_replace(true);
    background.await.context("ending the background tasks")?;
    index.close().await;
    Ok(())
}

/// What the server that runs here with these options says of itself.
pub(crate) fn health(options: &Up) -> anyhow::Result<String> {
    let tls = options.tls_self_signed || options.tls_cert.is_some();
    Ok(probe::ready(&Address::Tcp(options.listen), tls)?)
}

async fn bind(address: SocketAddr) -> anyhow::Result<Listener> {
    Listener::bind(address).await.with_context(|| {
        format!(
            "listening on {address}; if another server has that port, choose one with --listen ADDRESS:PORT"
        )
    })
}

/// The files that HTTPS is served with.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    own: bool,
}

impl Pair {
    fn load(&self) -> anyhow::Result<TlsAcceptorHandle> {
        Ok(TlsAcceptorHandle::load(&self.certificate, &self.key)?)
    }
}

fn certificate(
    options: &Up,
    data: &DataFolder,
    public_url: &PublicUrl,
    sources: &Sources,
) -> anyhow::Result<Option<Pair>> {
    if let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) {
        return Ok(Some(Pair {
            certificate: certificate.clone(),
            key: key.clone(),
            own: false,
        }));
    }
    if !options.tls_self_signed {
        return Ok(None);
    }
    let (certificate, key) = data.self_signed(public_url.host());
    if !certificate.exists() {
        let mut hosts = vec![public_url.host().to_owned()];
        hosts.extend(
            ["localhost", "127.0.0.1", "::1"]
                .map(str::to_owned)
                .into_iter()
                .filter(|h| h != public_url.host()),
        );
        let (certificate_pem, key_pem) = self_signed(&hosts, sources.clock.now())?;
        // The key first: a certificate without its key would not be made again.
        if key.exists() {
            std::fs::remove_file(&key).with_context(|| format!("removing the unused {}", key.display()))?;
        }
        write_private(&key, key_pem.as_bytes())?;
        write_private(&certificate, certificate_pem.as_bytes())?;
    }
    Ok(Some(Pair {
        certificate,
        key,
        own: true,
    }))
}

/// Says where everything is and what to type next.
#[expect(clippy::print_stdout, reason = "the person who started it reads this")]
fn announce(
    data: &DataFolder,
    public_url: &PublicUrl,
    certificate: Option<&Pair>,
    first_password: Option<&Secret<String>>,
) {
    let host = public_url.authority();
    println!("Portolan {} is up.\n", env!("CARGO_PKG_VERSION"));
    println!("  Web page      {public_url}/");
    println!("  Log in        docker login {host} -u admin");
    if let Some(password) = first_password {
        println!("  Password      {}", password.expose());
    }
    let kept = data.initial_admin_password();
    if kept.exists() {
        println!("                kept in {} until it is changed:", kept.display());
        println!(
            "                portolan user reset-password admin --data {}",
            data.dir().display()
        );
    }
    println!("  Data          {}", data.dir().display());
    if let Some(pair) = certificate.filter(|pair| pair.own) {
        println!("\n  The certificate is our own. Clients trust it after, on each of them:");
        println!("    mkdir -p /etc/docker/certs.d/{host}");
        println!(
            "    cp {} /etc/docker/certs.d/{host}/ca.crt",
            pair.certificate.display()
        );
    }
    println!("\n  Ctrl-C stops it.\n");
}
