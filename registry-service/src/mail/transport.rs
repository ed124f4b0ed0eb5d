//! The way to the mail server.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};

use super::Options;
use super::gathering::Gathering;

/// Longest wait for the mail server.
const PATIENCE: Duration = Duration::from_secs(15);
/// The port on which TLS begins at once.
const TLS_PORT: u16 = 465;

/// No mail can be sent as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A mail address is none.
    #[error("{0:?} is no mail address")]
    Address(String, #[source] lettre::address::AddressError),
    /// TLS cannot be set up.
    #[error("the mail server cannot be spoken to")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// There is no thread to send mail.
    #[error("no thread to send mail")]
    NoThread(#[source] std::io::Error),
}

/// A mail that was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSent {
    #[error("it cannot be written")]
    Message(#[from] lettre::error::Error),
    #[error("the mail server did not take it")]
    Server(#[from] lettre::transport::smtp::Error),
}

pub(super) struct Transport {
    smtp: SmtpTransport,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Transport {
    pub(super) fn new(options: &Options) -> Result<Self, Unusable> {
        let mailbox = |text: &String| {
            text.parse::<Mailbox>()
                .map_err(|error| Unusable::Address(text.clone(), error))
        };
        let to = options.to.iter().map(mailbox).collect::<Result<_, _>>()?;
        let tls = TlsParameters::builder(options.host.clone())
            .dangerous_accept_invalid_certs(options.insecure)
            .dangerous_accept_invalid_hostnames(options.insecure)
            .build()
            .map_err(Unusable::Tls)?;
        let tls = match options.port {
            TLS_PORT => Tls::Wrapper(tls),
            // As in Go: a password goes over TLS, or to this host.
            _ if options.account.is_some() && !is_local(&options.host) => Tls::Required(tls),
            _ => Tls::Opportunistic(tls),
        };
        let mut smtp = SmtpTransport::builder_dangerous(options.host.clone())
            .port(options.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = &options.account {
            smtp = smtp.credentials(Credentials::new(name.clone(), password.expose().clone()));
        }
        Ok(Self {
            smtp: smtp.build(),
            host: options.host.clone(),
            from: mailbox(&options.from)?,
            to,
        })
    }

    pub(super) fn send(&self, gathering: &Gathering) -> Result<(), NotSent> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(gathering.subject(&self.host))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        self.smtp.send(&message.body(gathering.body())?)?;
        Ok(())
    }
}

/// Whether a text is a mail address, perhaps with a name before it.
pub fn is_address(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
