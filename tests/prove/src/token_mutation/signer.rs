//! Keys that sign tokens, of every kind that a registry takes.

use anyhow::{Result, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key pair with the id that the registry knows it by.
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) kid: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Es256(EcdsaKeyPair),
    Es384(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

fn failed(_: aws_lc_rs::error::Unspecified) -> anyhow::Error {
    anyhow!("the key cannot be made, or does not sign")
}

impl Signer {
    /// One key of each kind; their ids begin with `name`.
    pub(super) fn every_kind(name: &str) -> Result<Vec<Self>> {
        let pairs = [
            Pair::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?),
            Pair::Es384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(failed)?),
            Pair::EdDsa(Ed25519KeyPair::generate().map_err(failed)?),
            Pair::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?)),
        ];
        Ok(pairs
            .into_iter()
            .map(|pair| {
                let kid = format!("{name}-{}", alg(&pair));
                Self { kid, pair }
            })
            .collect())
    }

    /// The `alg` that its kind of key means.
    pub(super) fn alg(&self) -> &'static str {
        alg(&self.pair)
    }

    /// Its public half, as a JSON Web Key.
    pub(super) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let kid = &self.kid;
        match &self.pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kid": kid, "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Pair::Es384(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kid": kid, "kty": "EC", "crv": "P-384", "x": text(&point[1..49]), "y": text(&point[49..])})
            }
            Pair::EdDsa(pair) => {
                json!({"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
            Pair::Rs256(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) = (
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                );
                json!({"kid": kid, "kty": "RSA", "n": text(n), "e": text(e)})
            }
        }
    }

    /// What somebody may take for a secret: its public half in bytes.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) | Pair::Es384(pair) => pair.public_key().as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rs256(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Its private half (PKCS #8), when it is a P-256 key: to be certified.
    pub(super) fn p256_pkcs8(&self) -> Result<Vec<u8>> {
        match &self.pair {
            Pair::Es256(pair) => Ok(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()),
            _ => Err(anyhow!("not a P-256 key")),
        }
    }

    /// The signature that its `alg` means.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        Ok(match &self.pair {
            Pair::Es256(pair) | Pair::Es384(pair) => {
                pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()
            }
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                signature
            }
        })
    }

    /// A signature of the same key that another `alg` or another encoding would mean, if there is one.
    pub(super) fn sign_otherwise(&self, message: &[u8]) -> Result<Option<Vec<u8>>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es256(_) => {
                let der = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.p256_pkcs8()?)
                    .map_err(|error| anyhow!("{error}"))?;
                Ok(Some(
                    der.sign(&random, message).map_err(failed)?.as_ref().to_vec(),
                ))
            }
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(Some(signature))
            }
            Pair::Es384(_) | Pair::EdDsa(_) => Ok(None),
        }
    }

    /// A token of texts that need be no JSON.
    pub(super) fn token(&self, header: &str, payload: &str) -> Result<String> {
        let signed = unsigned(header, payload);
        Ok(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())?)
        ))
    }
}

fn alg(pair: &Pair) -> &'static str {
    match pair {
        Pair::Es256(_) => "ES256",
        Pair::Es384(_) => "ES384",
        Pair::EdDsa(_) => "EdDSA",
        Pair::Rs256(_) => "RS256",
    }
}

/// What is signed: both texts, encoded.
pub(super) fn unsigned(header: &str, payload: &str) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}
