//! Both services put together over one data folder.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use index_service::app::Service;
use index_service::app::deletion::Purge;
use index_service::random::Random;
use index_service::token::Recipient;
use index_service::{App, Config};
use registry_service::auth::{Authenticator, KeyRing, KeySource, Realm, TokenAuthority, Verifier};
use registry_service::endpoint::Policy;
use registry_service::http::OnManifestPushed;
use registry_service::storage::{Filesystem, Options, Storage};
use registry_service::{Builder, Built, maintenance};
use serde_json::Map;
use shared::runtime::clock::Clock;
use shared::runtime::serve::Readiness;

use crate::address::PublicUrl;
use crate::data::DataFolder;
use crate::index_options::IndexOptions;

mod content;

/// Who signs our tokens, as their `iss` says.
const ISSUER: &str = "portolan";

/// Uploads that nobody went on with for so long are given up.
const UPLOAD_AGE: Duration = Duration::from_hours(7 * 24);
/// How often they are looked for.
const UPLOAD_PURGING: Duration = Duration::from_hours(24);

/// Where time and randomness come from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl Sources {
    /// The system's.
    pub(crate) fn system() -> Self {
        Self {
            clock: Clock::system(),
            random: Random::system(),
        }
    }
}

/// The index over its part of the folder. It confirms pushes in this process, so it asks no registry.
pub(crate) async fn index(
    data: &DataFolder,
    public_url: &PublicUrl,
    options: &IndexOptions,
    sources: &Sources,
) -> anyhow::Result<Arc<App>> {
    let mut tree = Map::new();
    options.lay_over(&mut tree);
    for (key, value) in [
        ("public_url", public_url.to_string()),
        ("database", data.database()),
        (
            "initial_password_file",
            data.initial_admin_password().display().to_string(),
        ),
    ] {
        tree.insert(key.to_owned(), value.into());
    }
    let mut config = Config::from_tree(tree.into(), std::iter::empty(), "the options")
        .context("in the options of the index, by their keys in its configuration")?;
    config.keys_dir = Some(data.keys());
    config.master_key = data.master_key()?;
    ISSUER.clone_into(&mut config.issuer);
    config.initial_password_file = Some(data.initial_admin_password());
    let foreign = options.foreign_services.iter().map(|name| Service {
        name: name.clone(),
        recipient: Recipient::Foreign,
    });
    config.services.extend(foreign);
    Ok(App::open(&config, sources.clock.clone(), sources.random.clone()).await?)
}

/// The registry over its part of the folder. It takes the keys of the index directly, tells it of each manifest, and is
/// asked by it, in this process; `readiness` hears of its storage.
pub(crate) fn registry(
    data: &DataFolder,
    index: &Arc<App>,
    readiness: Readiness,
    sources: &Sources,
) -> anyhow::Result<Router> {
    let storage =
        Filesystem::open(&data.registry(), Options::default()).context("opening the registry's folder")?;
    let secret = data.upload_secret(|bytes| {
        for chunk in bytes.chunks_mut(32) {
            chunk.copy_from_slice(&sources.random.bytes::<32>()[..chunk.len()]);
        }
        Ok(())
    })?;
    let ring = KeyRing::from_jwks(index.jwks().as_bytes()).context("reading the index's public keys")?;
    follow(index, ring.clone());
    let random = sources.random.clone();
    let mut builder = Builder::new(
        Storage::Filesystem(storage),
        sources.clock.clone(),
        Arc::new(move || random.bytes()),
        secret,
    );
    builder.authenticator = Authenticator::Token(TokenAuthority {
        realm: Realm::fixed(index.realm()),
        verifier: Verifier::new(ISSUER, index.front_door_service(), ring.clone()),
        source: KeySource::fixed(ring),
    });
    // Permission decides who may delete.
    builder.policy = Policy {
        delete_enabled: true,
        read_only: false,
    };
    builder.readiness = readiness;
    builder.on_manifest_pushed = Some(confirm(Arc::clone(index)));
    builder.notifications = content::tell(&builder, index)?;
    builder.permits = Some(content::permits(index));
    let Built { router, registry } = builder.build();
    content::read(index, router.clone());
    let content = registry.clone();
    index.purge_with(Purge::new(move |stored_as| {
        let content = content.clone();
        Box::pin(async move { Ok(content.purge(&stored_as).await?) })
    }));
    tokio::spawn(maintenance::purge_uploads(
        registry,
        UPLOAD_AGE,
        UPLOAD_PURGING,
        false,
    ));
    Ok(router)
}

/// Keeps the ring the same as what the index publishes.
fn follow(index: &Arc<App>, ring: KeyRing) {
    let (mut changes, index) = (index.key_changes(), Arc::downgrade(index));
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            let Some(index) = index.upgrade() else { return };
            if let Err(error) = ring.replace_jwks(index.jwks().as_bytes()) {
                tracing::error!(%error, "the registry could not take up the index's new keys");
            }
        }
    });
}

/// The first manifest of a repository confirms its name, before the client is told that the push succeeded.
fn confirm(index: Arc<App>) -> OnManifestPushed {
    Arc::new(move |pushed| {
        let index = Arc::clone(&index);
        Box::pin(async move {
            // A name that stayed unconfirmed would be freed though content lies under it.
            index
                .confirm_stored(&pushed.repository, &pushed.stored_as, Some(&pushed.subject))
                .await?;
            Ok(())
        })
    })
}
