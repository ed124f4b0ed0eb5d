//! Tokens made by hand: any header, any claims, any key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use harness::{Context as _, Result, Server, anyhow};
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use harness::bad_request::{Ground, claims};

/// What a forger may know: everything that is public, and here the server's own key too, so that each single fault can
/// be shown to be the reason for a refusal.
pub(super) struct Forgery {
    /// The header and claims of a token that the server takes.
    pub(super) header: Value,
    pub(super) claims: Value,
    /// The published key.
    pub(super) jwk: Value,
    server_key: EncodingKey,
    stranger: KeyPair,
}

impl Forgery {
    pub(super) fn begin(ground: &Ground) -> Result<Self> {
        let header = ground.token.split('.').next().context("not a token")?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
        let api = ground.server.anonymous()?;
        let keys = api.get("/.well-known/jwks.json")?.expect(200)?.json()?;
        let jwk = keys["keys"]
            .as_array()
            .and_then(|keys| keys.iter().find(|key| key["kid"] == header["kid"]));
        let jwk = jwk
            .with_context(|| format!("the token's key is not published: {keys}"))?
            .clone();
        Ok(Self {
            claims: claims(&ground.token)?,
            jwk,
            server_key: server_key(&ground.server, &header)?,
            stranger: KeyPair::generate()?,
            header,
        })
    }

    /// Signed with the server's own key.
    pub(super) fn genuine(&self, header: &Value, claims: &Value) -> Result<String> {
        sign(header, claims, &self.server_key, Algorithm::ES256)
    }

    /// Signed with a key that the server does not know.
    pub(super) fn strange(&self, header: &Value, claims: &Value) -> Result<String> {
        sign(
            header,
            claims,
            &EncodingKey::from_ec_pem(self.stranger.serialize_pem().as_bytes())?,
            Algorithm::ES256,
        )
    }

    /// The header with further fields.
    pub(super) fn header_with(&self, more: Value) -> Value {
        merged(&self.header, more)
    }

    /// The claims with further or other fields; `null` takes one away.
    pub(super) fn claims_with(&self, more: Value) -> Value {
        merged(&self.claims, more)
    }

    /// The stranger's key as a JWK.
    pub(super) fn strange_jwk(&self) -> Value {
        let point = self.stranger.public_key_raw();
        let (x, y) = (
            URL_SAFE_NO_PAD.encode(&point[1..33]),
            URL_SAFE_NO_PAD.encode(&point[33..]),
        );
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": "stranger" })
    }

    /// A certificate of the stranger for its own key, as `x5c` has it.
    pub(super) fn strange_certificate(&self) -> Result<String> {
        let names = vec!["localhost".to_owned()];
        let certificate = CertificateParams::new(names)?.self_signed(&self.stranger)?;
        Ok(STANDARD.encode(certificate.der()))
    }

    /// Every byte string by which somebody might name the published key, as a secret for HS256.
    pub(super) fn public_secrets(&self, ground: &Ground) -> Result<Vec<Vec<u8>>> {
        let coordinate = |name: &str| -> Result<Vec<u8>> {
            Ok(URL_SAFE_NO_PAD.decode(self.jwk[name].as_str().context("no coordinate")?)?)
        };
        let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
        // RFC 5480: the fixed beginning of a SubjectPublicKeyInfo for P-256.
        let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let mut spki: Vec<u8> = (0..prefix.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&prefix[at..at + 2], 16).unwrap_or_default())
            .collect();
        spki.extend_from_slice(&point);
        let encoded = STANDARD.encode(&spki);
        let lines: Vec<String> = encoded
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        );
        let mut secrets = vec![
            pem.trim_end().as_bytes().to_vec(),
            pem.into_bytes(),
            spki,
            point,
            encoded.into_bytes(),
            self.jwk.to_string().into_bytes(),
            coordinate("x")?,
            self.jwk["x"].as_str().unwrap_or_default().as_bytes().to_vec(),
            self.jwk["kid"].as_str().unwrap_or_default().as_bytes().to_vec(),
            Vec::new(),
        ];
        for file in std::fs::read_dir(ground.server.data().join("keys"))? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "pem") {
                secrets.push(std::fs::read(path)?);
            }
        }
        Ok(secrets)
    }
}

fn server_key(server: &Server, header: &Value) -> Result<EncodingKey> {
    let id = header["kid"].as_str().context("a token without kid")?;
    let database = server.data().join("index.db");
    let done = std::process::Command::new("sqlite3")
        .arg("-readonly")
        .arg(&database)
        .arg(format!(
            "select private_key from signing_key where key_id = '{id}'"
        ))
        .output()
        .context("run sqlite3")?;
    let said = String::from_utf8_lossy(&done.stderr);
    harness::ensure!(
        done.status.success() && !done.stdout.is_empty(),
        "read {id}: {said}"
    );
    Ok(EncodingKey::from_ec_pem(&done.stdout)?)
}

fn merged(base: &Value, more: Value) -> Value {
    let mut all = base.clone();
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        for (name, value) in more {
            if value.is_null() {
                all.remove(&name);
            } else {
                all.insert(name, value);
            }
        }
    }
    all
}

/// `header.claims`, encoded.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// A token with the signature that this key makes.
pub(super) fn sign(
    header: &Value,
    claims: &Value,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> Result<String> {
    let message = unsigned(header, claims);
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).map_err(|error| anyhow!("{error}"))?;
    Ok(format!("{message}.{signature}"))
}
