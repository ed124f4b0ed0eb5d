//! How requests are authenticated, as the configuration says.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use registry_service::auth::key_source::KeySource;
use registry_service::auth::{
    Authenticator, Chain, Htpasswd, OwnTokens, Realm, Rules, TokenAuthority, Verifier,
};
use registry_service::config::{AuthConfig, ChainConfig, TokenConfig};
use shared::secret::Secret;

use super::random;

pub(super) fn authenticator(
    auth: AuthConfig,
    secret: &Secret<Vec<u8>>,
    base_url: &str,
) -> anyhow::Result<Authenticator> {
    Ok(match auth {
        AuthConfig::None => {
            tracing::warn!(
                "no auth is configured: whoever reaches this registry may read and write everything"
            );
            Authenticator::Open
        }
        AuthConfig::Silly { realm, service } => {
            tracing::warn!("auth is silly: whoever sends any Authorization may read and write everything");
            Authenticator::Silly { realm, service }
        }
        AuthConfig::Htpasswd { realm, path } => Authenticator::Htpasswd(Box::new(accounts(realm, &path)?)),
        AuthConfig::Token(token) => Authenticator::Token(token_authority(*token)?),
        AuthConfig::Chain(chain) => Authenticator::Chain(Box::new(chain_of(*chain, secret, base_url)?)),
    })
}

fn chain_of(config: ChainConfig, secret: &Secret<Vec<u8>>, base_url: &str) -> anyhow::Result<Chain> {
    let accounts = config
        .accounts
        .map(|(realm, path)| accounts(realm, &path))
        .transpose()?;
    let tokens = config.token.map(token_authority).transpose()?;
    let policy = config.policy.map(Arc::new);
    let is_for_everybody = policy.as_ref().is_some_and(|policy| policy.gives_anything(None));
    let asks_for_accounts = accounts.is_some() && !(tokens.is_some() && config.prefers_tokens);
    Ok(Chain {
        own: (is_for_everybody && asks_for_accounts).then(|| OwnTokens::new(secret, base_url)),
        accounts,
        tokens,
        policy,
        prefers_tokens: config.prefers_tokens,
    })
}

fn accounts(realm: String, path: &Path) -> anyhow::Result<Htpasswd> {
    let accounts = Htpasswd::open(realm, path.to_owned(), &random);
    accounts.with_context(|| format!("the file of accounts {}", path.display()))
}

fn token_authority(token: TokenConfig) -> anyhow::Result<TokenAuthority> {
    let source = KeySource::open(token.keys).context("the keys for tokens")?;
    let verifier = Verifier::new(token.issuer, token.service, source.ring().clone());
    Ok(TokenAuthority {
        verifier: verifier.with_rules(Rules {
            algorithms: token.algorithms,
            foreign: true,
        }),
        realm: match token.auto_redirect {
            Some(path) => Realm::of_request(token.realm, &path),
            None => Realm::fixed(token.realm),
        },
        source,
    })
}
