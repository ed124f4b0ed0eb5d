//! Keys that are known by their certificate alone: `x5c`.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::oracle::judge;
use super::signer::Signer;
use super::{Case, claim};

/// An authority, and another of the same name.
pub(super) struct Authority {
    key: KeyPair,
    params: CertificateParams,
    own: Certificate,
}

impl Authority {
    pub(super) fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "the authority of the proof");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let own = params.self_signed(&key)?;
        Ok(Self { key, params, own })
    }

    pub(super) fn pem(&self) -> String {
        self.own.pem()
    }

    fn text(&self) -> String {
        STANDARD.encode(self.own.der())
    }

    /// A certificate of the key, valid between these days from now.
    fn certify(&self, signer: &Signer, days: (i64, i64), usages: &[KeyUsagePurpose]) -> Result<String> {
        let key = KeyPair::try_from(signer.p256_pkcs8()?)?;
        let mut params = CertificateParams::new(vec!["index.example".to_owned()])?;
        params.not_before = OffsetDateTime::now_utc() + Duration::days(days.0);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(days.1);
        params.key_usages = usages.to_vec();
        let issuer = Issuer::from_params(&self.params, &self.key);
        Ok(STANDARD.encode(params.signed_by(&key, &issuer)?.der()))
    }
}

/// A certificate of the key for itself, as `x5c` holds it.
pub(super) fn self_signed(signer: &Signer) -> Result<String> {
    let key = KeyPair::try_from(signer.p256_pkcs8()?)?;
    let params = CertificateParams::new(vec!["index.example".to_owned()])?;
    Ok(STANDARD.encode(params.self_signed(&key)?.der()))
}

/// Tokens of a P-256 key that the registry does not know, with chains of every kind.
pub(super) fn cases(
    signer: &Signer,
    other: &Signer,
    trusted: &Authority,
    stranger: &Authority,
    now_s: i64,
    cases: &mut Vec<Case>,
) -> Result<()> {
    let claims = claim::good(now_s);
    let held = judge(&claims, now_s);
    let payload = Value::Object(claims).to_string();
    let signs = [KeyUsagePurpose::DigitalSignature];
    let good = trusted.certify(signer, (-1, 30), &signs)?;
    let unlimited = trusted.certify(signer, (-1, 30), &[])?;
    let (root, strange_root) = (trusted.text(), stranger.text());
    for (name, chain, is_good) in [
        ("good", json!([good]), true),
        ("good with its root", json!([good, root]), true),
        ("without usages", json!([unlimited]), true),
        ("with two", json!([good, strange_root]), true),
        ("with four", json!([good, root, root, root]), true),
        ("with five", json!([good, root, root, root, root]), false),
        ("root first", json!([root, good]), false),
        ("strange root first", json!([strange_root, good]), false),
        (
            "by a stranger of the same name",
            json!([stranger.certify(signer, (-1, 30), &signs)?]),
            false,
        ),
        (
            "by a stranger, with the root",
            json!([stranger.certify(signer, (-1, 30), &signs)?, root]),
            false,
        ),
        ("by itself", json!([self_signed(signer)?]), false),
        (
            "by itself, with the root",
            json!([self_signed(signer)?, root]),
            false,
        ),
        (
            "expired",
            json!([trusted.certify(signer, (-30, -1), &signs)?]),
            false,
        ),
        (
            "to come",
            json!([trusted.certify(signer, (1, 30), &signs)?]),
            false,
        ),
        (
            "for other uses",
            json!([trusted.certify(signer, (-1, 30), &[KeyUsagePurpose::KeyEncipherment])?]),
            false,
        ),
        (
            "of another key",
            json!([trusted.certify(other, (-1, 30), &signs)?]),
            false,
        ),
        ("empty", json!([]), false),
        ("of nothing", json!([""]), false),
        ("no base64", json!(["%"]), false),
        ("cut", json!([&good[..good.len() / 4 * 2]]), false),
        ("longer", json!([format!("{good}AAAA")]), false),
        ("in a list", json!([[good]]), false),
        ("a text", json!(good), false),
        ("a number", json!([1]), false),
        ("null", json!(null), false),
    ] {
        for kid in [json!(null), json!("of no key"), json!(signer.kid)] {
            let mut header = json!({"alg": "ES256", "typ": "JWT", "x5c": chain});
            if !kid.is_null() {
                header["kid"] = kid.clone();
            }
            let token = signer.token(&header.to_string(), &payload)?;
            let outcome = if is_good { held.clone() } else { None };
            cases.push(Case {
                name: format!("x5c {name}, kid {kid}"),
                token,
                outcome,
            });
        }
    }
    Ok(())
}
