//! The probe: a small image with one large layer, pushed, pulled and taken away again.

use http::{Method, StatusCode};
use sha2::{Digest as _, Sha256};
use shared::causes::in_one_line;

use super::answer::{followed_finding, location_finding, refused};
use super::examination::{Patient, header};
use super::finding::Finding;
use super::proxy;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const TAG: &str = "probe";

/// What goes wrong stops the rest.
pub(super) async fn push_and_pull(patient: &Patient, token: &str) -> Vec<Finding> {
    let probe = Probe { patient, token };
    let mut findings = Vec::new();
    match probe.run(&mut findings).await {
        Ok(()) => {}
        Err(finding) => findings.push(finding),
    }
    findings
}

struct Probe<'a> {
    patient: &'a Patient,
    token: &'a str,
}

impl Probe<'_> {
    async fn run(&self, findings: &mut Vec<Finding>) -> Result<(), Finding> {
        // Nothing compresses it on the way, and each run pushes the same blob again.
        let layer: Vec<u8> = (0..self.patient.size / 8)
            .flat_map(|i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
            .collect();
        let size = layer.len();
        let layer_digest = digest(&layer);
        let config =
            br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"#
                .to_vec();
        let config_digest = digest(&config);
        let config_size = config.len();
        let location = self.begin().await?;
        let found = location_finding(&self.patient.registry, &location);
        if found.is_wrong() {
            return Err(found);
        }
        findings.push(found);
        self.finish(&location, layer, &layer_digest).await?;
        findings.push(Finding::well(
            "body limit",
            format!("a request of {} MiB passes", size >> 20),
        ));
        let location = self.begin().await?;
        findings.push(proxy::buffering(&self.patient.client, &self.absolute(&location)).await);
        self.finish(&location, config, &config_digest).await?;
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config_size},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer_digest, "size": size}],
        })
        .to_string();
        let path = format!("/v2/{}/manifests/{TAG}", self.patient.repository);
        let put = self
            .request(Method::PUT, &path)
            .header("content-type", MANIFEST)
            .body(manifest.clone());
        self.expect("push", put, StatusCode::CREATED).await?;
        findings.push(Finding::well(
            "push",
            format!("{}:{TAG}", self.patient.repository),
        ));
        let pulled = self
            .expect(
                "pull",
                self.request(Method::GET, &path).header("accept", MANIFEST),
                StatusCode::OK,
            )
            .await?;
        let pulled = pulled.text().await.unwrap_or_default();
        let blob = format!("/v2/{}/blobs/{layer_digest}", self.patient.repository);
        let content = self.expect_blob(&blob).await?;
        if pulled != manifest || digest(&content) != layer_digest {
            return Err(Finding::wrong(
                "pull",
                "what comes back is not what was pushed",
                "a proxy changes bodies: switch off compression and caching for /v2/",
            ));
        }
        findings.push(Finding::well("pull", "the same bytes come back"));
        findings.push(self.hidden(&path).await);
        findings.push(self.remove(&manifest).await);
        Ok(())
    }

    /// Begins an upload; gives its `Location`.
    async fn begin(&self) -> Result<String, Finding> {
        let path = format!("/v2/{}/blobs/uploads/", self.patient.repository);
        let begun = self
            .expect("push", self.request(Method::POST, &path), StatusCode::ACCEPTED)
            .await?;
        Ok(header(begun.headers(), "location").to_owned())
    }

    async fn finish(&self, location: &str, bytes: Vec<u8>, digest: &str) -> Result<(), Finding> {
        let url = self.absolute(location);
        let separator = if url.contains('?') { '&' } else { '?' };
        let put = self
            .patient
            .client
            .put(format!("{url}{separator}digest={digest}"))
            .bearer_auth(self.token)
            .header("content-type", "application/octet-stream")
            .body(bytes);
        self.expect("push", put, StatusCode::CREATED).await.map(drop)
    }

    async fn expect_blob(&self, path: &str) -> Result<Vec<u8>, Finding> {
        let response = self.send("pull", self.request(Method::GET, path)).await?;
        let response = if response.status().is_redirection() {
            let url = header(response.headers(), "location").to_owned();
            // Without the token: it is for the registry alone.
            let followed = self.patient.client.get(&url).send().await;
            followed_finding(&url, followed)?
        } else {
            response
        };
        if response.status() != StatusCode::OK {
            return Err(refused("pull", path, response).await);
        }
        response
            .bytes()
            .await
            .map(|bytes| bytes.to_vec())
            .map_err(|error| {
                Finding::wrong(
                    "pull",
                    in_one_line(&error),
                    "a proxy ends long answers: raise its read timeout (nginx: proxy_read_timeout)",
                )
            })
    }

    /// Whether the new repository, which is private, is hidden from strangers.
    async fn hidden(&self, path: &str) -> Finding {
        match self
            .patient
            .client
            .get(format!("{}{path}", self.patient.registry))
            .send()
            .await
        {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                Finding::well("strangers", "a request without a token is refused")
            }
            Ok(response) => Finding::doubtful(
                "strangers",
                format!("a request without a token gets {}", response.status()),
                "fine for a mirror; else look at what answers /v2/ in front of the registry",
            ),
            Err(error) => Finding::skipped("strangers", in_one_line(&error)),
        }
    }

    async fn remove(&self, manifest: &str) -> Finding {
        let path = format!(
            "/v2/{}/manifests/{}",
            self.patient.repository,
            digest(manifest.as_bytes())
        );
        match self.send("clean up", self.request(Method::DELETE, &path)).await {
            Ok(response) if response.status() == StatusCode::ACCEPTED => {
                Finding::well("clean up", "the probe is deleted")
            }
            Ok(response) => Finding::doubtful(
                "clean up",
                format!(
                    "the probe stays: deleting it is answered with {}",
                    response.status()
                ),
                format!(
                    "registry: storage.delete.enabled, or delete {} by hand",
                    self.patient.repository
                ),
            ),
            Err(finding) => finding,
        }
    }

    fn absolute(&self, location: &str) -> String {
        if location.starts_with('/') {
            format!("{}{location}", self.patient.registry)
        } else {
            location.to_owned()
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.patient
            .client
            .request(method, format!("{}{path}", self.patient.registry))
            .bearer_auth(self.token)
    }

    async fn expect(
        &self,
        check: &'static str,
        request: reqwest::RequestBuilder,
        status: StatusCode,
    ) -> Result<reqwest::Response, Finding> {
        let response = self.send(check, request).await?;
        if response.status() == status {
            return Ok(response);
        }
        let path = response.url().path().to_owned();
        Err(refused(check, &path, response).await)
    }

    async fn send(
        &self,
        check: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Finding> {
        request.send().await.map_err(|error| {
            Finding::wrong(
                check,
                in_one_line(&error),
                "the connection broke: a proxy's body limit or timeout (nginx: client_max_body_size 0; proxy_request_buffering off)",
            )
        })
    }
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
