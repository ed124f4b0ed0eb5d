//! Sessions of Docker Hub's API: a password or another secret is shown once, a token of ours from then on.
//!
//! The token is a JWT, since clients read its end (`exp`) from it. It is for this API alone: registries refuse it, and their
//! tokens are refused here. It stands for the credential that it was given for, which is read anew with each request: what was
//! revoked, suspended or narrowed since counts at once.

use shared::secret::Secret;
use shared::token::Claims;

use super::super::App;
use super::super::caller::{Caller, Client};
use super::super::error::AppError;
use super::super::login::{Login, WRONG};
use super::super::token::Credential;
use crate::domain::{AccountId, RobotId, SecretToken, TokenId};
use crate::store::{access_token, account, robot};
use crate::token::Recipient;

/// Whom such a token is for: no registry can be called so.
const AUDIENCE: &str = "@hub";
/// How long a session lasts that began with a password, in seconds: until the password changes at most.
const PASSWORD_LIFE_S: i64 = 86_400;
/// And one that began with another secret.
const SECRET_LIFE_S: i64 = 3_600;
/// What is asked for as a short one.
const SHORT_LIFE_S: i64 = 600;

/// How long a session is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// That of a person or a script, which signs in once.
    Long,
    /// That of a program, which signs in for what it does now.
    Short,
}

/// A session.
#[derive(Debug)]
pub struct HubSession {
    /// What is shown from now on.
    pub token: Secret<String>,
    /// How long it is good, in seconds.
    pub lifetime_s: i64,
}

impl App {
    /// Begins a session for whoever shows a user name with a password, an access token or the secret of a robot.
    pub async fn open_hub_session(
        &self,
        username: String,
        secret: Secret<String>,
        client: &Client,
        kind: SessionKind,
    ) -> Result<HubSession, AppError> {
        let credential = Credential::Password {
            username,
            password: secret,
        };
        let (login, _) = self.log_in(&credential, client).await?;
        let (act, life_s) = match &login {
            Login::Password(account) => (
                format!("password:{}:{}", account.account_id, account.password_version),
                PASSWORD_LIFE_S,
            ),
            Login::AccessToken(token, _) => (format!("pat:{}", token.token_id), SECRET_LIFE_S),
            Login::Robot(robot, _) => (robot.actor(), SECRET_LIFE_S),
            // A refresh token is for the registry's clients, and nobody signs in as nobody.
            Login::Device(..) | Login::Anonymous => return Err(WRONG),
        };
        let lifetime_s = match kind {
            SessionKind::Long => life_s,
            SessionKind::Short => SHORT_LIFE_S,
        };
        let service = self.find_front_door()?;
        let now = self.clock.now_s();
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            exp: now + lifetime_s,
            act: Some(act),
            ..self.claims(&login, service, Vec::new(), now)
        };
        let signed = self.keys.signer().sign(claims, Recipient::Own)?;
        Ok(HubSession {
            token: Secret::new(signed.token),
            lifetime_s,
        })
    }

    /// Whoever shows this in the place of a session's token: one, or an access token or a robot's secret itself.
    pub async fn recognise_bearer(&self, shown: &str, client: Client) -> Result<Caller, AppError> {
        if SecretToken::find(shown).is_some() {
            let credential = Credential::Token(Secret::new(shown.to_owned()));
            return self.recognise(&credential, client).await;
        }
        let login = match self.keys.signer().verify(shown, self.clock.now_s()) {
            Some(claims) if claims.aud == AUDIENCE => self.login_of_session(&claims, &client).await?,
            _ => None,
        };
        let login = login.ok_or(AppError::Unauthenticated(
            "this token is not valid, or no longer: sign in again",
        ))?;
        Ok(Caller::new(login, client))
    }

    /// The credential of a session as it is now; none when it is refused by now.
    async fn login_of_session(&self, claims: &Claims, client: &Client) -> Result<Option<Login>, AppError> {
        let mut parts = claims.act.as_deref().unwrap_or_default().split(':');
        let (kind, id, version) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let Some(id) = id.and_then(|id| id.parse::<i64>().ok()) else {
            return Ok(None);
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.read().await?;
        let login = match kind {
            "password" => account::find_account_by_id(&mut tx, AccountId::from_i64(id))
                .await?
                .filter(|account| account.disabled_at.is_none())
                .filter(|account| version == Some(account.password_version.to_string().as_str()))
                .map(Login::Password),
            "pat" => access_token::find_access_token_by_id(&mut tx, TokenId::from_i64(id))
                .await?
                .filter(|(token, account)| {
                    token.is_live(now)
                        && token.networks.allow(client.address)
                        && account.disabled_at.is_none()
                })
                .map(|(token, account)| Login::AccessToken(token, account)),
            "rob" | "oat" => {
                let found = robot::find_robot_by_id(&mut tx, RobotId::from_i64(id)).await?;
                let found = found.filter(|robot| {
                    Some(robot.actor()) == claims.act
                        && robot.is_live(now)
                        && robot.networks.allow(client.address)
                });
                match found {
                    Some(robot) => {
                        let machine = self.machine(&mut tx, &robot).await?;
                        (!machine.is_disabled).then(|| Login::Robot(Box::new(robot), machine))
                    }
                    None => None,
                }
            }
            _ => None,
        };
        Ok(login.filter(|login| login.subject() == claims.sub))
    }
}
