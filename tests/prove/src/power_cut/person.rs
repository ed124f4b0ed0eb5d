//! Somebody who administers accounts and logs in, and knows what was promised.

use anyhow::{Context as _, Result};
use harness::api::Api;

use super::commands::Commands;
use super::view::Index;
use crate::Random;
use crate::crash::Ledger;

/// Something that the index holds, or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Thing {
    /// Name and password: logs in.
    Login(String, String),
    /// Name and access token: logs in.
    AccessToken(String, String),
    /// Name and refresh token: gives tokens.
    Device(String, String),
    /// A repository that everybody may pull.
    Public(String),
    /// Owner, password and name of a repository that was pushed to.
    Repository(String, String, String),
}

/// The state of whatever is there.
pub(super) fn there() -> String {
    "there".to_owned()
}

/// One person; accounts and repositories are their own.
#[derive(Debug)]
pub(super) struct Person {
    number: usize,
    random: Random,
    made: u64,
    /// Names with their passwords, as far as they are known for certain.
    accounts: Vec<(String, String)>,
    /// Refresh tokens and whose they are.
    devices: Vec<(String, String)>,
}

impl Person {
    pub(super) fn new(number: usize, random: Random) -> Self {
        Self {
            number,
            random,
            made: 0,
            accounts: Vec::new(),
            devices: Vec::new(),
        }
    }

    /// Changes things until the ledger says stop.
    pub(super) fn work(&mut self, index: &Index, commands: &Commands, ledger: &Ledger<Thing>) -> Result<()> {
        while !ledger.is_stopped() {
            match self.random.below(100) {
                0..16 => self.add_account(commands, ledger)?,
                16..38 => self.reset_password(commands, ledger)?,
                38..54 => self.make_token(commands, ledger)?,
                54..79 => self.log_in(index, ledger)?,
                79..94 => self.change_visibility(index, commands, ledger)?,
                _ => self.push(index, ledger)?,
            }
        }
        Ok(())
    }

    fn add_account(&mut self, commands: &Commands, ledger: &Ledger<Thing>) -> Result<()> {
        self.made += 1;
        let name = format!("person{}-{}", self.number, self.made);
        // A password that was not seen can not be tried.
        let Some(password) = commands.run(&["user", "add", &name])? else {
            return Ok(());
        };
        let password = password.trim().to_owned();
        ledger.acknowledge(
            "accounts",
            &[(Thing::Login(name.clone(), password.clone()), Some(there()))],
        );
        self.accounts.push((name, password));
        Ok(())
    }

    /// Ends the old password, and every device that logged in with it.
    fn reset_password(&mut self, commands: &Commands, ledger: &Ledger<Thing>) -> Result<()> {
        let Some((name, old)) = self.take_account(ledger) else {
            return Ok(());
        };
        let devices = self.devices.iter().filter(|(owner, _)| *owner == name);
        let mut changes: Vec<_> = devices
            .map(|(_, secret)| (Thing::Device(name.clone(), secret.clone()), None))
            .collect();
        let revoked = changes.len();
        changes.push((Thing::Login(name.clone(), old), None));
        ledger.intend(&changes);
        let Some(password) = commands.run(&["user", "reset-password", &name])? else {
            return Ok(());
        };
        let password = password.trim().to_owned();
        changes.push((Thing::Login(name.clone(), password.clone()), Some(there())));
        ledger.acknowledge("password_changes", &changes);
        for _ in 0..revoked {
            ledger.count("revocations");
        }
        self.devices.retain(|(owner, _)| *owner != name);
        self.accounts.push((name, password));
        Ok(())
    }

    fn make_token(&mut self, commands: &Commands, ledger: &Ledger<Thing>) -> Result<()> {
        let Some((name, password)) = self.take_account(ledger) else {
            return Ok(());
        };
        self.accounts.push((name.clone(), password));
        if let Some(secret) = commands.run(&["token", "create", &name, "--name", "prove"])? {
            let token = Thing::AccessToken(name, secret.trim().to_owned());
            ledger.acknowledge("access_tokens", &[(token, Some(there()))]);
        }
        Ok(())
    }

    /// As `docker login` does: a refresh token is kept instead of the password.
    fn log_in(&mut self, index: &Index, ledger: &Ledger<Thing>) -> Result<()> {
        let Some((name, password)) = self.take_account(ledger) else {
            return Ok(());
        };
        self.accounts.push((name.clone(), password.clone()));
        let Ok(answer) = index.get("offline_token=true&client_id=prove", Some((&name, &password))) else {
            return Ok(());
        };
        let answer = answer.expect(200)?.json()?;
        let secret = answer["refresh_token"].as_str().context("no refresh token")?;
        let device = Thing::Device(name.clone(), secret.to_owned());
        ledger.acknowledge("devices", &[(device.clone(), Some(there()))]);
        // Of one whose answer came too late nobody knows anything: that it shall end must not make it known as absent.
        if ledger.certain(&device) == Some(Some(there())) {
            self.devices.push((name, secret.to_owned()));
        }
        Ok(())
    }

    fn change_visibility(
        &mut self,
        index: &Index,
        commands: &Commands,
        ledger: &Ledger<Thing>,
    ) -> Result<()> {
        let name = format!("{}/base{}", index.owner.name, self.number);
        let (word, state) = match self.random.below(2) {
            0 => ("set-private", None),
            _ => ("set-public", Some(there())),
        };
        let change = [(Thing::Public(name.clone()), state)];
        ledger.intend(&change);
        if commands.run(&["repo", word, &name])?.is_some() {
            ledger.acknowledge("visibility_changes", &change);
        }
        Ok(())
    }

    /// A first push: the index learns of a new name.
    fn push(&mut self, index: &Index, ledger: &Ledger<Thing>) -> Result<()> {
        self.made += 1;
        let owner = &index.owner;
        let name = format!("{}/new{}-{}", owner.name, self.number, self.made);
        let thing = Thing::Repository(owner.name.clone(), owner.password.clone(), name.clone());
        ledger.intend(&[(thing.clone(), Some(there()))]);
        let api = Api::new(&index.url, Some(owner.clone()))?;
        if api.push_small_image(&name, "1", "new").is_ok() {
            ledger.acknowledge("first_pushes", &[(thing, Some(there()))]);
        }
        Ok(())
    }

    /// An account whose password is certain. It comes back when its password is known again.
    fn take_account(&mut self, ledger: &Ledger<Thing>) -> Option<(String, String)> {
        let chosen = usize::try_from(self.random.below(self.accounts.len() as u64)).ok()?;
        let (name, password) = self.accounts.get(chosen)?.clone();
        let login = Thing::Login(name.clone(), password.clone());
        self.accounts.swap_remove(chosen);
        (ledger.certain(&login)? == Some(there())).then_some((name, password))
    }
}
