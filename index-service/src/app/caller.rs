//! Who uses the API, and from where.

use std::net::IpAddr;

use super::App;
use super::error::AppError;
use super::login::Login;
use super::token::Credential;
use crate::domain::{Account, Ceiling, DeviceId, Principal, Robot};

/// Where a request comes from, as far as it can be told.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Its address; `None` for a socket of this machine.
    pub address: Option<IpAddr>,
    /// Its `User-Agent`, shortened.
    pub program: String,
    /// The request, as the log names it.
    pub request_id: Option<String>,
}

impl Client {
    /// Its address as people read it: one of IPv4 as such.
    pub fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_canonical().to_string())
    }
}

/// Whoever asks for a use case. Made from a credential that was right, or from none.
#[derive(Debug)]
pub struct Caller {
    pub(super) login: Login,
    /// Whether it does what wants the password that was given a short time ago.
    pub(super) is_confirmed: bool,
    /// Where the request comes from.
    pub client: Client,
}

impl Caller {
    /// Whoever logged in so, from there.
    pub(super) fn new(login: Login, client: Client) -> Self {
        Self {
            login,
            is_confirmed: false,
            client,
        }
    }

    /// Whom decisions are about.
    pub fn principal(&self) -> Principal {
        self.login.principal()
    }

    /// Whether no credential was shown.
    pub fn is_anonymous(&self) -> bool {
        matches!(self.login, Login::Anonymous)
    }

    /// Its name; empty for anonymous.
    pub fn name(&self) -> String {
        self.login.subject()
    }

    /// The credential, such as `pat:17`.
    pub fn credential(&self) -> Option<String> {
        self.login.actor()
    }

    /// Whether it administers the site through an unlimited credential.
    pub fn is_admin(&self) -> bool {
        self.unlimited_account().is_ok_and(|account| account.is_admin)
    }

    /// The robot, or the access token of an organisation, behind it.
    pub fn robot(&self) -> Option<&Robot> {
        self.login.robot()
    }

    /// The device behind it: that of a saved login, or of a session of the web pages.
    pub fn device_id(&self) -> Option<DeviceId> {
        match &self.login {
            Login::Device(device, ..) => Some(device.device_id),
            _ => None,
        }
    }

    /// The account behind it, for what an account does in its own name through any credential.
    pub fn account(&self) -> Result<&Account, AppError> {
        self.login
            .account()
            .ok_or(AppError::Forbidden("this is for accounts; sign in as one"))
    }

    /// The account behind it, when the credential is not limited: for what concerns the account itself, such as its
    /// credentials, and for what has no repository to limit a credential to.
    pub fn unlimited_account(&self) -> Result<&Account, AppError> {
        let account = self.account()?;
        match self.principal() {
            Principal::Account(principal) if Ceiling::Full.is_within(&principal.ceiling) => Ok(account),
            _ => Err(AppError::Forbidden(
                "this access token is limited; use the password, or a token for every right on every repository",
            )),
        }
    }

    /// An administrator of the site with an unlimited credential.
    pub fn administrator(&self) -> Result<&Account, AppError> {
        let account = self.unlimited_account()?;
        if account.is_admin {
            return Ok(account);
        }
        Err(AppError::Forbidden("this is for administrators of the site"))
    }
}

impl App {
    /// Whoever administers the machine, and so this site: the account of that name, through no credential at all.
    pub async fn operator(&self, username: &str) -> Result<Caller, AppError> {
        let username = super::account::parse_username(username)?;
        let mut tx = self.store.read().await?;
        let account = crate::store::account::find_account(&mut tx, &username)
            .await?
            .ok_or_else(|| AppError::NotFound(format!("there is no account {username}")))?;
        let client = Client {
            program: "portolan, on the machine itself".to_owned(),
            ..Client::default()
        };
        Ok(Caller::new(Login::Password(account), client))
    }

    /// Whoever shows this credential; a wrong one is an error.
    pub async fn recognise(&self, credential: &Credential, client: Client) -> Result<Caller, AppError> {
        let (login, _) = self.log_in(credential, &client).await?;
        Ok(Caller::new(login, client))
    }
}
