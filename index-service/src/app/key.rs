//! Signing keys: kept in the database, so that every replica signs with the same ones, and taking turns.

mod revocation;
mod rotation;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use shared::runtime::clock::Clock;
use tokio::sync::watch;

use super::App;
use super::audit::{By, Change};
use super::error::AppError;
use crate::domain::{AuditAction, KeyState, RotationPlan, SigningKeyFacts, TargetKind};
use crate::random::Random;
use crate::store::signing_key::{self, KeptKey};
use crate::store::{Store, StoreError, Tx};
use crate::token::{
    AuthorityMaterial, KeyError, KeyFolder, KeyMaterial, KeySet, MasterKey, SignError, Signer, read_folder,
    sealed_with, write_certificate,
};

/// What the operator decides about signing keys.
#[derive(Debug, Clone)]
pub struct KeyOptions {
    /// The `iss` of tokens.
    pub issuer: String,
    /// A folder that held keys before the database did; the authority's certificate is written there.
    pub folder: Option<PathBuf>,
    /// What private keys are encrypted with.
    pub master: Option<MasterKey>,
    /// When keys take turns.
    pub plan: RotationPlan,
}

/// Signing keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in it, or in the folder.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The one that signs.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The database holds none.
    #[error("there are no signing keys in the database")]
    Missing,
}

impl From<KeysError> for AppError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            error => Self::Internal(error.into()),
        }
    }
}

/// The keys in use by this process.
#[derive(Debug)]
pub struct Keys {
    inner: RwLock<Loaded>,
    /// Told of each replacement.
    changes: watch::Sender<()>,
    options: KeyOptions,
}

#[derive(Debug)]
struct Loaded {
    signer: Arc<Signer>,
    /// What the signer was made of.
    of: Vec<Identity>,
}

/// What a key is as far as signing goes: its id, its state, its certificate.
type Identity = (String, KeyState, String);

/// A signing key as people are shown it.
#[derive(Debug, Clone)]
pub struct ShownKey {
    /// The key.
    pub facts: SigningKeyFacts,
    /// From when on it signs: for the next key, and when that is decided.
    pub signs_from: Option<i64>,
    /// The id of the master key that its private key is encrypted with.
    pub encrypted_with: Option<String>,
}

impl KeyOptions {
    /// Puts the certificate that vouches for the keys into the folder, if there is one.
    fn write_certificate(&self, loaded: &Loaded) -> Result<(), KeysError> {
        if let Some(folder) = &self.folder {
            write_certificate(folder, loaded.signer.keys().authority_pem())?;
        }
        Ok(())
    }
}

impl Keys {
    /// Opens the keys of a database. The first time they are taken from the folder of the options, or made.
    pub async fn open(
        store: &Store,
        options: KeyOptions,
        clock: &Clock,
        random: &Random,
    ) -> Result<Self, KeysError> {
        take_in(store, &options, clock, random).await?;
        let loaded = load(store, &options, &[]).await?.ok_or(KeysError::Missing)?;
        options.write_certificate(&loaded)?;
        Ok(Self {
            inner: RwLock::new(loaded),
            changes: watch::Sender::new(()),
            options,
        })
    }

    /// Keys that are in no database, for tests of everything else.
    #[cfg(test)]
    pub(crate) fn standing(clock: &Clock, random: &Random) -> Self {
        let (now, master) = (clock.now(), None);
        let authority = AuthorityMaterial::generate(master, now, random).unwrap();
        let key = KeyMaterial::generate(&authority, master, now, random).unwrap();
        let set = KeySet::read(&authority, &[key], master).unwrap();
        let options = KeyOptions {
            issuer: "portolan".to_owned(),
            folder: None,
            master: None,
            plan: RotationPlan {
                every: None,
                notice: 0,
                overlap: 0,
            },
        };
        Self {
            inner: RwLock::new(Loaded {
                signer: Arc::new(Signer::new(set, options.issuer.clone()).unwrap()),
                of: Vec::new(),
            }),
            changes: watch::Sender::new(()),
            options,
        }
    }

    /// What signs and verifies now.
    pub fn signer(&self) -> Arc<Signer> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner).signer)
    }

    /// What secrets are encrypted with in the database.
    pub(super) fn master(&self) -> Option<&MasterKey> {
        self.options.master.as_ref()
    }

    /// The `iss` of tokens.
    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    /// Tells of each change of the published keys.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Takes up what other processes changed; says whether they did.
    pub async fn refresh(&self, store: &Store) -> Result<bool, KeysError> {
        let known = self
            .inner
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .of
            .clone();
        let Some(loaded) = load(store, &self.options, &known).await? else {
            return Ok(false);
        };
        self.options.write_certificate(&loaded)?;
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        self.changes.send_replace(());
        Ok(true)
    }
}

/// Reads the keys; `None` when they are those that are known, or when there are none.
async fn load(store: &Store, options: &KeyOptions, known: &[Identity]) -> Result<Option<Loaded>, KeysError> {
    let mut tx = store.read().await?;
    let mut keys = signing_key::list_signing_keys(&mut tx).await?;
    let authority = signing_key::find_authority(&mut tx).await?;
    drop(tx);
    let Some(authority) = authority else {
        return Ok(None);
    };
    let identify = |(facts, kept): &(SigningKeyFacts, KeptKey)| {
        (facts.key_id.clone(), facts.state, kept.certificate.clone())
    };
    let of: Vec<Identity> = keys.iter().map(identify).collect();
    if of == known {
        return Ok(None);
    }
    keys.sort_by_key(|(facts, _)| facts.state != KeyState::Current);
    if keys
        .first()
        .is_none_or(|(facts, _)| facts.state != KeyState::Current)
    {
        return Err(KeysError::Missing);
    }
    let keys: Vec<KeyMaterial> = keys
        .into_iter()
        .map(|(facts, kept)| material(facts.key_id, kept))
        .collect();
    let set = KeySet::read(&authority_material(authority), &keys, options.master.as_ref())?;
    Ok(Some(Loaded {
        signer: Arc::new(Signer::new(set, options.issuer.clone())?),
        of,
    }))
}

/// Puts keys into a database that has none: those of the folder, or new ones. Of several processes one does it.
async fn take_in(
    store: &Store,
    options: &KeyOptions,
    clock: &Clock,
    random: &Random,
) -> Result<(), KeysError> {
    let mut tx = store.read().await?;
    let known = signing_key::find_authority(&mut tx).await?.is_some();
    drop(tx);
    if known {
        return Ok(());
    }
    let (master, now) = (options.master.as_ref(), clock.now());
    let folder = match &options.folder {
        Some(folder) => read_folder(folder, master, now, random)?,
        None => None,
    };
    let was_there = folder.is_some();
    let KeyFolder { authority, mut keys } = match folder {
        Some(found) => found,
        None => KeyFolder {
            authority: AuthorityMaterial::generate(master, now, random)?,
            keys: Vec::new(),
        },
    };
    if keys.is_empty() {
        keys.push(KeyMaterial::generate(&authority, master, now, random)?);
    }
    let next = KeyMaterial::generate(&authority, master, now, random)?;
    let now_ms = clock.now_ms();
    let kept = KeptKey {
        private_key: authority.private_key.clone(),
        certificate: authority.certificate.clone(),
    };
    let mut tx = store.write().await?;
    if !signing_key::create_authority(&mut tx, &kept, now_ms).await? {
        return Ok(());
    }
    for (place, key) in keys.into_iter().enumerate() {
        // Others of the folder were published for a reason: for as long as a token of theirs may live.
        let state = if place == 0 {
            KeyState::Current
        } else {
            KeyState::Retired
        };
        add(&mut tx, key, state, options.plan.overlap, now_ms).await?;
    }
    add(&mut tx, next, KeyState::Next, options.plan.overlap, now_ms).await?;
    tx.commit().await?;
    if was_there {
        tracing::info!(
            folder = %options.folder.clone().unwrap_or_default().display(),
            "the signing keys of the folder were taken into the database; its files *.key are not read again"
        );
    }
    Ok(())
}

async fn add(
    tx: &mut Tx,
    key: KeyMaterial,
    state: KeyState,
    overlap: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let facts = SigningKeyFacts {
        key_id: key.key_id,
        state,
        created_at: now_ms,
        promote_at: None,
        activated_at: (state != KeyState::Next).then_some(now_ms),
        withdraw_at: (state == KeyState::Retired).then_some(now_ms.saturating_add(overlap)),
    };
    let kept = KeptKey {
        private_key: key.private_key,
        certificate: key.certificate,
    };
    signing_key::add_signing_key(tx, &facts, &kept).await
}

fn material(key_id: String, kept: KeptKey) -> KeyMaterial {
    KeyMaterial {
        key_id,
        private_key: kept.private_key,
        certificate: kept.certificate,
    }
}

fn authority_material(kept: KeptKey) -> AuthorityMaterial {
    AuthorityMaterial {
        private_key: kept.private_key,
        certificate: kept.certificate,
    }
}

impl App {
    /// The published signing keys as a JWK set (RFC 7517, section 5).
    pub fn jwks(&self) -> String {
        self.keys.signer().keys().jwks()
    }

    /// The certificate that vouches for the signing keys (PEM): `rootcertbundle` of a stock registry.
    pub fn authority_pem(&self) -> String {
        self.keys.signer().keys().authority_pem().to_owned()
    }

    /// Tells of each change of the published keys.
    pub fn key_changes(&self) -> watch::Receiver<()> {
        self.keys.changes()
    }

    /// Every signing key: the current one, the next, and those that are retired. For administrators of the site, and
    /// commands on its machine.
    pub async fn list_keys(&self, by: By<'_>) -> Result<Vec<ShownKey>, AppError> {
        if let By::Caller(caller) = by {
            caller.administrator()?;
        }
        let plan = self.keys.options.plan;
        let mut tx = self.store.read().await?;
        let mut keys = signing_key::list_signing_keys(&mut tx).await?;
        keys.sort_by_key(|(facts, _)| (facts.state as u8, facts.created_at));
        let turn = keys
            .iter()
            .find(|(facts, _)| facts.state == KeyState::Current)
            .and_then(|(facts, _)| Some(facts.activated_at?.saturating_add(plan.every?)));
        Ok(keys
            .into_iter()
            .map(|(facts, kept)| ShownKey {
                signs_from: match facts.state {
                    KeyState::Next => [facts.promote_at, turn]
                        .into_iter()
                        .flatten()
                        .min()
                        .map(|at| at.max(facts.created_at.saturating_add(plan.notice))),
                    KeyState::Current | KeyState::Retired => None,
                },
                encrypted_with: sealed_with(&kept.private_key).map(str::to_owned),
                facts,
            })
            .collect())
    }

    /// Encrypts every private key, and what is secret about webhooks, with another master key; says how many. Processes that run need that one from then on at
    /// their next start, and when a key is made or takes its turn.
    pub async fn encrypt_keys(&self, new: &MasterKey) -> Result<usize, AppError> {
        let old = self.keys.options.master.as_ref();
        let mut tx = self.store.write().await?;
        signing_key::lock_keys(&mut tx).await?;
        let authority = signing_key::find_authority(&mut tx)
            .await?
            .ok_or(KeysError::Missing)?;
        let authority = authority_material(authority)
            .reseal(old, new, &self.random)
            .map_err(KeysError::Key)?;
        signing_key::set_authority_key(&mut tx, &authority.private_key).await?;
        let keys = signing_key::list_signing_keys(&mut tx).await?;
        let count = keys.len() + 1 + self.reseal_webhooks(&mut tx, new).await?;
        for (facts, kept) in keys {
            let key = material(facts.key_id, kept)
                .reseal(old, new, &self.random)
                .map_err(KeysError::Key)?;
            let kept = KeptKey {
                private_key: key.private_key,
                certificate: key.certificate,
            };
            signing_key::set_key_material(&mut tx, &key.key_id, &kept).await?;
        }
        let change = Change::new(AuditAction::KeyEncrypt, TargetKind::Site, "")
            .after(serde_json::json!({ "master_key": new.id() }));
        self.audit(&mut tx, By::Machine, change).await?;
        tx.commit().await?;
        Ok(count)
    }
}

async fn facts(tx: &mut Tx) -> Result<Vec<SigningKeyFacts>, StoreError> {
    let keys = signing_key::list_signing_keys(tx).await?;
    Ok(keys.into_iter().map(|(facts, _)| facts).collect())
}

#[cfg(test)]
#[path = "key/tests.rs"]
mod tests;
