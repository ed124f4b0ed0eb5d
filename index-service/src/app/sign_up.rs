//! New accounts: made by administrators, by people themselves where the site lets them, or with an invitation.

mod limit;

use shared::secret::Secret;

use super::App;
use super::account::parse_username;
use super::audit::By;
use super::caller::Caller;
use super::error::AppError;
use super::idempotency::Claim;
use super::profile::{lock_site, parse_email};
use crate::domain::free_text::FULL_NAME;
use crate::domain::{Account, Organisation, Profile, Username};
use crate::store::{account, profile};

pub use limit::SignUpLimits;

/// Who may make an account for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    /// Everybody.
    Open,
    /// Whoever holds an invitation that an administrator made.
    Invitation,
    /// Nobody: administrators make accounts.
    #[default]
    Closed,
}

/// A word is no way to sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signing up is open, invitation or closed")]
pub struct InvalidSignUp;

impl SignUp {
    /// The words of a configuration.
    pub const WORDS: [&str; 3] = ["open", "invitation", "closed"];

    /// The word of this one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invitation => "invitation",
            Self::Closed => "closed",
        }
    }
}

impl std::str::FromStr for SignUp {
    type Err = InvalidSignUp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "invitation" => Ok(Self::Invitation),
            "closed" => Ok(Self::Closed),
            _ => Err(InvalidSignUp),
        }
    }
}

/// What a new account is to be.
#[derive(Debug)]
pub struct NewPerson {
    /// Its name, in any case.
    pub username: String,
    /// Its password; administrators may leave it out, and are given one.
    pub password: Option<Secret<String>>,
    /// Its address.
    pub email: Option<String>,
    /// The name of the person.
    pub full_name: String,
    /// The link or the secret of an invitation.
    pub invitation: Option<String>,
    /// The key under which somebody may repeat the request.
    pub once: Option<Once>,
}

/// A request that is carried out once.
#[derive(Debug)]
pub struct Once {
    /// Its key.
    pub claim: Claim,
    /// What is answered, now and when it is repeated.
    pub answer: fn(&SignedUp) -> String,
}

/// A new account.
#[derive(Debug)]
pub struct SignedUp {
    /// The account.
    pub account: Account,
    /// The password, when it was made here.
    pub password: Option<Secret<String>>,
    /// The organisation that the invitation let it into.
    pub organisation: Option<Organisation>,
}

impl App {
    /// Who may make an account for themselves.
    pub fn sign_up_mode(&self) -> SignUp {
        self.current().sign_up
    }

    /// Makes an account. Whether the name is taken is told, since names are public; whether the address is another
    /// account's is not.
    pub async fn sign_up(&self, caller: &Caller, new: &NewPerson) -> Result<SignedUp, AppError> {
        let is_admin = caller.is_admin();
        let is_counted = self.allow_sign_up(caller, new).await?;
        let origin = if is_counted {
            Some(self.check_sign_ups(&caller.client).await?)
        } else {
            None
        };
        let username = parse_username(&new.username)?;
        let email = parse_email(new.email.as_deref().unwrap_or_default())?;
        let full_name = FULL_NAME.check(&new.full_name)?;
        let (password, made) = match &new.password {
            Some(password) => (password.clone(), None),
            None if is_admin => {
                let password = self.random_password();
                (password.clone(), Some(password))
            }
            None => return Err(AppError::Invalid("a password is missing".to_owned())),
        };
        let address = email.as_ref().map(ToString::to_string).unwrap_or_default();
        self.check_password(&username, &[&address, &new.full_name], &password)
            .await?;
        // Hashing is dear: not for a name that cannot be had.
        let mut tx = self.store.read().await?;
        if account::find_account(&mut tx, &username).await?.is_some() {
            return Err(taken(&username));
        }
        drop(tx);
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.store.write().await?;
        lock_site(&mut tx).await?;
        if let Some(origin) = &origin {
            self.check_sign_ups_of(&mut tx, origin).await?;
        }
        if let Some(once) = &new.once {
            self.claim(&mut tx, &once.claim).await?;
        }
        let account = match self
            .insert_account(&mut tx, By::Caller(caller), &username, hash, false)
            .await
        {
            Err(AppError::Conflict(_)) => return Err(taken(&username)),
            other => other?,
        };
        let now = self.clock.now_ms();
        let profile = blank(&account, full_name);
        profile::change_profile(&mut tx, &profile, now).await?;
        profile::set_email(&mut tx, account.account_id, email.as_ref(), now).await?;
        if let Some(origin) = &origin {
            self.note_sign_up(&mut tx, account.account_id, origin).await?;
        }
        let organisation = match &new.invitation {
            Some(link) => {
                let invitation = self.find_open(&mut tx, link).await?;
                self.let_in(&mut tx, By::Caller(caller), &account, &invitation)
                    .await?
            }
            None => None,
        };
        let signed_up = SignedUp {
            account,
            password: made,
            organisation,
        };
        if let Some(once) = &new.once {
            let answer = (once.answer)(&signed_up);
            self.keep_answer_of(&mut tx, &once.claim, 201, &answer).await?;
        }
        tx.commit().await?;
        Ok(signed_up)
    }

    /// Whether the caller may make an account at all, before anything costly is done. Says whether it is one of those that
    /// are counted: whoever an administrator let in is not.
    async fn allow_sign_up(&self, caller: &Caller, new: &NewPerson) -> Result<bool, AppError> {
        let mode = self.sign_up_mode();
        if mode == SignUp::Closed && !caller.is_admin() {
            return Err(AppError::Forbidden("accounts are made by administrators here"));
        }
        let makes_accounts = match &new.invitation {
            Some(link) => {
                let mut tx = self.store.read().await?;
                let invitation = self.find_open(&mut tx, link).await?;
                self.makes_accounts(&mut tx, &invitation).await?
            }
            None => false,
        };
        if mode == SignUp::Invitation && !makes_accounts && !caller.is_admin() {
            return Err(AppError::Forbidden(
                "an account is made with an invitation of an administrator here",
            ));
        }
        Ok(!makes_accounts && !caller.is_admin())
    }
}

fn taken(username: &Username) -> AppError {
    AppError::Conflict(format!("the name {username} is taken"))
}

fn blank(account: &Account, full_name: String) -> Profile {
    Profile {
        account_id: account.account_id,
        username: account.username.clone(),
        full_name,
        biography: String::new(),
        location: String::new(),
        website: String::new(),
        email: None,
        owns_email: false,
        preferences: crate::domain::Preferences::default(),
        is_admin: account.is_admin,
        disabled_at: None,
        created_at: account.created_at,
    }
}
