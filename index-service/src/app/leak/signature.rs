//! Signatures of GitHub's secret scanning partner program: ECDSA on P-256 with SHA-256 over the body as it was sent.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::App;
use super::super::error::AppError;

/// Said of every signature that is none, whatever is wrong about it.
const UNSIGNED: AppError = AppError::Forbidden(
    "reports in this form need a signature of GitHub's, by one of the keys that are kept here",
);

/// What GitHub publishes at `https://api.github.com/meta/public_keys/secret_scanning`.
#[derive(Debug, Deserialize)]
struct PublishedKeys {
    public_keys: Vec<PublishedKey>,
}

#[derive(Debug, Deserialize)]
struct PublishedKey {
    key_identifier: String,
    /// PEM.
    key: String,
}

/// What came with a report.
#[derive(Debug, Clone, Copy)]
pub struct ReportSignature<'a> {
    /// `Github-Public-Key-Identifier`.
    pub key_id: &'a str,
    /// `Github-Public-Key-Signature`: base64 of DER.
    pub signature: &'a str,
}

/// That a report was signed by GitHub.
#[derive(Debug)]
pub struct SignedReport(());

impl App {
    /// Holds a report in GitHub's form to its signature; `None` where no keys are kept, so that it is anybody's report. The file
    /// is read each time, since GitHub changes its keys.
    pub async fn check_report(
        &self,
        signature: Option<ReportSignature<'_>>,
        body: &[u8],
    ) -> Result<Option<SignedReport>, AppError> {
        let Some(file) = &self.settings.github_keys_file else {
            return Ok(None);
        };
        let signature = signature.ok_or(UNSIGNED)?;
        let text = tokio::fs::read(file)
            .await
            .map_err(|error| AppError::Unavailable(error.into()))?;
        let published: PublishedKeys =
            serde_json::from_slice(&text).map_err(|error| AppError::Unavailable(error.into()))?;
        let key = published
            .public_keys
            .iter()
            .find(|key| key.key_identifier == signature.key_id)
            .ok_or(UNSIGNED)?;
        if !is_signed(&key.key, signature.signature, body) {
            return Err(UNSIGNED);
        }
        Ok(Some(SignedReport(())))
    }
}

fn is_signed(pem: &str, signature: &str, body: &[u8]) -> bool {
    let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(pem.as_bytes()) else {
        return false;
    };
    let Ok(signature) = STANDARD.decode(signature) else {
        return false;
    };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pem.contents)
        .verify(body, &signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation of the program.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n";
    const BODY: &[u8] = br#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#;
    const SIGNATURE: &str =
        "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==";

    #[test]
    fn the_example_of_githubs_documentation_is_signed_and_nothing_else_is() {
        assert!(is_signed(PEM, SIGNATURE, BODY));
        let mut other = BODY.to_vec();
        other[2] ^= 1;
        assert!(!is_signed(PEM, SIGNATURE, &other));
        assert!(!is_signed(PEM, "", BODY));
        assert!(!is_signed(PEM, "!", BODY));
        assert!(!is_signed("", SIGNATURE, BODY));
    }
}
