//! URLs of Amazon `CloudFront`, signed with a canned policy ("Creating a signed URL using a canned policy", Amazon
//! CloudFront Developer Guide).
//!
//! The signature is RSA with SHA-256, which `Hash-Algorithm` says: CloudFront takes it since April 2026. SHA-1, its
//! default, is nothing to begin with today, and the cryptographic library signs with it no more.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::Client;
use super::networks::Networks;

/// `cloudfront` as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `baseurl`: the URL of the CDN; without a scheme it is https.
    pub base_url: String,
    /// `privatekey`: the file of the RSA key (PEM).
    pub private_key: PathBuf,
    /// `keypairid`: what the CDN calls the key.
    pub key_pair_id: String,
    /// `duration`: how long a URL is good.
    pub duration: Duration,
    /// `ipfilteredby`: whom the bucket itself serves.
    pub direct: Option<Direct>,
}

/// Who fetches from the bucket rather than from the CDN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direct {
    /// `awsregion`: those in these of Amazon's regions; in any when there are none.
    pub regions: Vec<String>,
    /// `iprangesurl`: where Amazon publishes its networks.
    pub url: String,
    /// `updatefrequency`: how often that is read.
    pub interval: Duration,
}

/// A signer of URLs.
pub struct CloudFront {
    base_url: String,
    key: KeyPair,
    key_pair_id: String,
    duration_s: i64,
    direct: Option<(Direct, Arc<Networks>)>,
}

/// The middleware cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file of the key cannot be read, or holds no key.
    #[error("the private key {0} cannot be read")]
    Unreadable(PathBuf, #[source] rustls_pki_types::pem::Error),
    /// The key is of another kind.
    #[error("the private key {0} is no RSA key of 2048 to 8192 bits")]
    NoRsa(PathBuf),
}

impl CloudFront {
    /// Reads the key.
    pub fn open(options: &Options) -> Result<Self, Unusable> {
        let path = &options.private_key;
        let read = PrivateKeyDer::from_pem_file(path);
        let pem = read.map_err(|error| Unusable::Unreadable(path.clone(), error))?;
        let key = match &pem {
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            _ => return Err(Unusable::NoRsa(path.clone())),
        };
        let key = key.map_err(|_| Unusable::NoRsa(path.clone()))?;
        let scheme = if options.base_url.contains("://") {
            ""
        } else {
            "https://"
        };
        let slash = if options.base_url.ends_with('/') { "" } else { "/" };
        Ok(Self {
            base_url: format!("{scheme}{}{slash}", options.base_url),
            key,
            key_pair_id: options.key_pair_id.clone(),
            duration_s: i64::try_from(options.duration.as_secs()).unwrap_or(i64::MAX),
            direct: options.direct.clone().map(|direct| (direct, Arc::default())),
        })
    }

    pub(super) fn keep_current(&self) {
        if let Some((direct, networks)) = self.direct.clone() {
            tokio::spawn(async move {
                networks
                    .keep_current(&direct.url, direct.interval, &direct.regions)
                    .await;
            });
        }
    }

    #[cfg(test)]
    pub(super) fn learn(&self, file: &[u8]) {
        let (direct, networks) = self.direct.as_ref().unwrap();
        networks.learn(file, &direct.regions).unwrap();
    }

    /// The URL for an object; `None` for a client that the bucket serves, and when the key does not sign.
    pub(super) fn url(&self, key: &str, client: &Client) -> Option<String> {
        let is_direct = self
            .direct
            .as_ref()
            .zip(client.address)
            .is_some_and(|((_, networks), address)| networks.contain(address));
        if is_direct {
            return None;
        }
        let resource = format!("{}{key}", self.base_url);
        let expires = client.now_s.saturating_add(self.duration_s);
        let policy = format!(
            r#"{{"Statement":[{{"Resource":"{resource}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            policy.as_bytes(),
            &mut signature,
        );
        if signed.is_err() {
            tracing::error!("a URL for CloudFront cannot be signed");
            return None;
        }
        let join = if resource.contains('?') { '&' } else { '?' };
        let signature = in_query(&STANDARD.encode(signature));
        Some(format!(
            "{resource}{join}Expires={expires}&Signature={signature}&Key-Pair-Id={}&Hash-Algorithm=SHA256",
            self.key_pair_id
        ))
    }
}

/// Base64 as CloudFront has it in a query.
fn in_query(base64: &str) -> String {
    let character = |c| match c {
        '+' => '-',
        '=' => '_',
        '/' => '~',
        other => other,
    };
    base64.chars().map(character).collect()
}

impl fmt::Debug for CloudFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudFront")
            .field("base_url", &self.base_url)
            .field("key_pair_id", &self.key_pair_id)
            .finish_non_exhaustive()
    }
}
