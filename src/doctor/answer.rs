//! What the answers to the probe mean.

use http::StatusCode;
use shared::causes::in_one_line;

use super::examination::header;
use super::finding::Finding;

/// Where uploads go on: the address that clients know, or one that they cannot reach.
pub(super) fn location_finding(registry: &str, location: &str) -> Finding {
    let (Ok(known), Ok(said)) = (reqwest::Url::parse(registry), reqwest::Url::parse(location)) else {
        // Relative.
        return Finding::well("location", "uploads go on where they began");
    };
    if known.scheme() == "https" && said.scheme() == "http" {
        return Finding::wrong(
            "location",
            format!("uploads are sent to {location}: a plain address behind TLS"),
            "front door: `proxy_set_header X-Forwarded-Proto $scheme;`, or registry: http.host or http.relativeurls: true",
        );
    }
    if known.host_str() != said.host_str() {
        return Finding::doubtful(
            "location",
            format!("uploads are sent to another host: {location}"),
            "front door: `proxy_set_header Host $http_host;`, or registry: http.host",
        );
    }
    if known.port_or_known_default() != said.port_or_known_default() || known.scheme() != said.scheme() {
        return Finding::wrong(
            "location",
            format!("uploads are sent to {location}: another port than that of {registry}"),
            "front door: `proxy_set_header Host $http_host;` ($host is without the port), or registry: http.host or http.relativeurls: true",
        );
    }
    Finding::well("location", "uploads go on where they began")
}

/// What came of fetching a blob where the registry sent the client.
pub(super) fn followed_finding(
    url: &str,
    followed: reqwest::Result<reqwest::Response>,
) -> Result<reqwest::Response, Finding> {
    // Whoever has it can fetch the blob.
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let saw = match followed {
        Ok(response) if response.status() == StatusCode::OK => return Ok(response),
        Ok(response) => format!("answers {}", response.status()),
        Err(error) => format!("cannot be reached: {}", in_one_line(&error.without_url())),
    };
    Err(Finding::wrong(
        "redirect",
        format!("clients are sent to {shown} for blobs, which {saw}"),
        "registry: middleware.storage redirect (baseurl), which clients must reach and which must serve this storage; or storage.redirect.disable: true",
    ))
}

/// Why a step of the probe was refused, and the line that refused it.
pub(super) async fn refused(check: &'static str, path: &str, response: reqwest::Response) -> Finding {
    let status = response.status();
    let server = header(response.headers(), "server").to_owned();
    let said: String = response
        .text()
        .await
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect();
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Finding::wrong(
            "body limit",
            format!(
                "{path}: {status} from {server}: a layer is too large for what stands in front of the registry"
            ),
            "front door: `client_max_body_size 0;` in nginx; `proxy-body-size: \"0\"` on an ingress",
        ),
        StatusCode::UNAUTHORIZED => Finding::wrong(
            check,
            format!("{path}: the token does not allow it"),
            "the account may not push there: choose another --repository, or give it the right",
        ),
        StatusCode::INSUFFICIENT_STORAGE => Finding::wrong(
            "storage",
            format!("{path}: {status} {said}"),
            "make room where the registry stores content (storage.filesystem.rootdirectory)",
        ),
        _ if said.contains("cannot reach its storage") || said.contains("permission denied") => {
            Finding::wrong(
                "storage",
                format!("{path}: {status} {said}"),
                "the registry's user must be allowed to write below storage.filesystem.rootdirectory: `chown -R` it to that user (10001 in our images); its log names the file",
            )
        }
        _ if said.contains("can be read only") || said.contains("read-only file system") => Finding::wrong(
            "storage",
            format!("{path}: {status} {said}"),
            "storage.filesystem.rootdirectory lies on a file system that is mounted read-only: a volume without `:ro`, or `mount -o remount,rw`",
        ),
        StatusCode::METHOD_NOT_ALLOWED => Finding::wrong(
            check,
            format!("{path}: {status} {said}"),
            "the registry is read-only (storage.maintenance.readonly), or a proxy lets no such method through",
        ),
        status => Finding::wrong(
            check,
            format!("{path}: {status} {said}"),
            "see the log of registry-service",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Outcome;
    use super::*;

    #[test]
    fn uploads_go_on_at_the_address_that_clients_know() {
        for (registry, location, outcome) in [
            ("https://a.example", "/v2/a/b/blobs/uploads/1", Outcome::Well),
            ("https://a.example", "https://a.example/v2/", Outcome::Well),
            ("https://a.example", "https://a.example:443/v2/", Outcome::Well),
            ("https://a.example", "http://a.example/v2/", Outcome::Wrong),
            ("https://a.example:8443", "https://a.example/v2/", Outcome::Wrong),
            ("http://a.example", "https://a.example/v2/", Outcome::Wrong),
            ("https://a.example", "https://b.example/v2/", Outcome::Doubtful),
        ] {
            let finding = location_finding(registry, location);
            assert_eq!(finding.outcome, outcome, "{registry} {location}");
        }
    }
}
