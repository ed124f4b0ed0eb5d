//! From a credential to a principal: the one road, whatever the credential came with.

use shared::secret::Secret;

use super::App;
use super::caller::Client;
use super::error::AppError;
use super::token::Credential;
use crate::domain::secret_token::Mistyped;
use crate::domain::{
    AccessToken, Account, Ceiling, CredentialSecret, Device, Machine, Principal, Robot, SecretKind,
    SecretOwner, SecretToken, Username,
};
use crate::password::{Stored, Verdict};
use crate::store::{Tx, access_token, account, device, robot};

/// A refresh token that was not used for this long is refused, in milliseconds: 90 days.
pub(super) const DEVICE_IDLE_MS: i64 = 90 * 86_400_000;

/// Said of every wrong secret, whatever was wrong about it.
pub(super) const WRONG: AppError = AppError::Unauthenticated("incorrect user name, password or token");
const DISABLED: AppError = AppError::Forbidden("this account is disabled");
const SUSPENDED: AppError =
    AppError::Forbidden("this credential is suspended, or what it depends on is: ask whoever looks after it");
/// Said of a right secret alone.
const ELSEWHERE: AppError = AppError::Forbidden("this credential may not be used from this address");

/// Who logged in, and with what.
#[derive(Debug)]
pub(super) enum Login {
    /// No credential was shown.
    Anonymous,
    /// With the account's password.
    Password(Account),
    /// With a personal access token.
    AccessToken(AccessToken, Account),
    /// With a refresh token, which is kept to be handed out again.
    Device(Device, Account, Secret<String>),
    /// With the secret of a robot, or an access token of an organisation.
    Robot(Box<Robot>, Machine),
}

impl Login {
    /// Whom the decision is about.
    pub(super) fn principal(&self) -> Principal {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Password(account) => account.principal(Ceiling::Full),
            Self::AccessToken(token, account) => account.principal(token.ceiling.clone()),
            Self::Device(device, account, _) => account.principal(device.ceiling.clone()),
            Self::Robot(_, machine) => Principal::Machine(machine.clone()),
        }
    }

    /// The account behind it.
    pub(super) fn account(&self) -> Option<&Account> {
        match self {
            Self::Anonymous | Self::Robot(..) => None,
            Self::Password(account) | Self::AccessToken(_, account) | Self::Device(_, account, _) => {
                Some(account)
            }
        }
    }

    /// The robot, or the access token of an organisation, behind it.
    pub(super) fn robot(&self) -> Option<&Robot> {
        match self {
            Self::Robot(robot, _) => Some(robot),
            _ => None,
        }
    }

    /// The `sub` of a token: the user name, empty for anonymous.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::Anonymous => String::new(),
            Self::Password(account) | Self::AccessToken(_, account) | Self::Device(_, account, _) => {
                account.username.to_string()
            }
            Self::Robot(robot, _) => robot.username(),
        }
    }

    /// The `act` of a token: which credential it was issued for.
    pub(super) fn actor(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Password(account) => Some(format!("password:{}", account.account_id)),
            Self::AccessToken(token, _) => Some(format!("pat:{}", token.token_id)),
            Self::Device(device, _, _) => Some(format!("dev:{}", device.device_id)),
            Self::Robot(robot, _) => Some(robot.actor()),
        }
    }
}

impl App {
    /// Checks a credential. A transaction that it was read in is handed back, so that what follows can be read from the
    /// same snapshot; none is open while a slow hash is computed.
    pub(super) async fn log_in(
        &self,
        credential: &Credential,
        client: &Client,
    ) -> Result<(Login, Option<Tx>), AppError> {
        let ended = self.check_credential(credential, client).await;
        self.note_sign_in(credential, client, ended.as_ref().map(|(login, _)| login));
        ended
    }

    async fn check_credential(
        &self,
        credential: &Credential,
        client: &Client,
    ) -> Result<(Login, Option<Tx>), AppError> {
        let (token, username) = match credential {
            Credential::Anonymous => return Ok((Login::Anonymous, None)),
            Credential::Password { username, password } => {
                let Some(token) = SecretToken::find(password.expose()) else {
                    let account = self.log_in_with_password(username, password, client).await?;
                    return Ok((Login::Password(account), None));
                };
                (token, Some(username.as_str()))
            }
            Credential::Refresh(secret) | Credential::Token(secret) => {
                (SecretToken::find(secret.expose()).ok_or(WRONG)?, None)
            }
        };
        // A mistyped one is told by its checksum: nothing is read for it.
        let token = token.map_err(|Mistyped| WRONG)?;
        let mut tx = self.store.read().await?;
        let login = match (token.kind(), credential) {
            // None has a place where another belongs.
            (SecretKind::Invitation | SecretKind::PasswordReset | SecretKind::Session, _)
            | (
                SecretKind::AccessToken | SecretKind::Robot | SecretKind::OrganisationToken,
                Credential::Refresh(_),
            )
            | (SecretKind::Refresh, Credential::Token(_)) => {
                return Err(WRONG);
            }
            (SecretKind::AccessToken, _) => self.find_access_token(&mut tx, &token, username, client).await?,
            (SecretKind::Robot | SecretKind::OrganisationToken, _) => {
                self.find_robot_of(&mut tx, &token, username, client).await?
            }
            (SecretKind::Refresh, _) => self.find_device(&mut tx, token, username, client).await?,
        };
        Ok((login, Some(tx)))
    }

    async fn find_access_token(
        &self,
        tx: &mut Tx,
        token: &SecretToken,
        username: Option<&str>,
        client: &Client,
    ) -> Result<Login, AppError> {
        let found = access_token::find_access_token(tx, token.hash()).await?;
        let (token, secret, account) = found
            .filter(|(_, _, account)| username.is_none_or(|name| is_name_of(account, name)))
            .ok_or(WRONG)?;
        let now = self.clock.now_ms();
        self.admit(
            &secret,
            token.is_live(now),
            token.networks.allow(client.address),
            client,
        )?;
        if account.disabled_at.is_some() {
            return Err(DISABLED);
        }
        if token.is_use_due(now) {
            self.touches.used(secret.owner, now, client);
        }
        Ok(Login::AccessToken(token, account))
    }

    async fn find_robot_of(
        &self,
        tx: &mut Tx,
        token: &SecretToken,
        username: Option<&str>,
        client: &Client,
    ) -> Result<Login, AppError> {
        let found = robot::find_robot(tx, token.hash()).await?;
        let (robot, secret) = found
            .filter(|(robot, _)| {
                robot.secret_kind() == token.kind() && username.is_none_or(|name| robot.is_called(name))
            })
            .ok_or(WRONG)?;
        let now = self.clock.now_ms();
        self.admit(
            &secret,
            robot.is_live(now),
            robot.networks.allow(client.address),
            client,
        )?;
        let machine = self.machine(tx, &robot).await?;
        if machine.is_disabled {
            return Err(SUSPENDED);
        }
        if robot.is_use_due(now) {
            self.touches.used(SecretOwner::Robot(robot.robot_id), now, client);
        }
        Ok(Login::Robot(Box::new(robot), machine))
    }

    /// Whether a known secret is accepted. Its owner hears of it when not.
    fn admit(
        &self,
        secret: &CredentialSecret,
        is_live: bool,
        is_allowed_here: bool,
        client: &Client,
    ) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let refusal = match (is_live && secret.is_live(now), is_allowed_here) {
            (true, true) => return Ok(()),
            (true, false) => ELSEWHERE,
            (false, _) => WRONG,
        };
        self.touches.refused(secret.owner, now, client);
        Err(refusal)
    }

    /// `username` is absent where the protocol has none. Clients that keep a refresh token as a password send a name
    /// that stands for that.
    async fn find_device(
        &self,
        tx: &mut Tx,
        token: SecretToken,
        username: Option<&str>,
        client: &Client,
    ) -> Result<Login, AppError> {
        let found = device::find_device(tx, token.hash()).await?;
        let now = self.clock.now_ms();
        let (device, account) = found
            .filter(|(device, account)| {
                self.is_live_device(device, account)
                    && username.is_none_or(|name| {
                        matches!(name, "<token>" | "oauth2accesstoken") || is_name_of(account, name)
                    })
            })
            .ok_or(WRONG)?;
        if account.disabled_at.is_some() {
            return Err(DISABLED);
        }
        if device.is_use_due(now) {
            self.touches.device(device.device_id, now, client);
        }
        Ok(Login::Device(device, account, token.into_secret()))
    }

    /// Whether a refresh token is accepted now.
    pub(super) fn is_live_device(&self, device: &Device, account: &Account) -> bool {
        device.is_live(self.clock.now_ms(), account.password_version, DEVICE_IDLE_MS)
    }

    async fn log_in_with_password(
        &self,
        username: &str,
        password: &Secret<String>,
        client: &Client,
    ) -> Result<Account, AppError> {
        let subject = self.check_brake(username, client).await?;
        // A text that can be no user name costs as much as an unknown one.
        let account = match username.parse::<Username>() {
            Ok(username) => {
                let mut tx = self.store.read().await?;
                account::find_account(&mut tx, &username).await?
            }
            Err(_) => None,
        };
        let stored = account.as_ref().map(|account| Stored {
            account_id: account.account_id,
            version: account.password_version,
            hash: account.password_hash.clone(),
        });
        let verdict = self.passwords.verify(stored, password).await?;
        let (Some(account), Verdict::Right { outdated }) = (account, verdict) else {
            self.note_wrong(&subject, password).await?;
            return Err(WRONG);
        };
        if account.disabled_at.is_some() {
            return Err(DISABLED);
        }
        if outdated {
            self.renew_hash(&account, password).await;
        }
        Ok(account)
    }

    /// Replaces an imported or weaker hash. That it fails is no reason to refuse the login: the next one tries again.
    async fn renew_hash(&self, account: &Account, password: &Secret<String>) {
        let renewed: Result<(), AppError> = async {
            let hash = self.passwords.hash(password.clone()).await?;
            let mut tx = self.store.write().await?;
            account::replace_password_hash(
                &mut tx,
                account.account_id,
                account.password_version,
                &hash,
                self.clock.now_ms(),
            )
            .await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = renewed {
            tracing::warn!(account.name = %account.username, %error, "could not replace an outdated password hash");
        }
    }
}

/// Whether a client means this account by the name it sent.
fn is_name_of(account: &Account, name: &str) -> bool {
    name.eq_ignore_ascii_case(account.username.as_str())
}
