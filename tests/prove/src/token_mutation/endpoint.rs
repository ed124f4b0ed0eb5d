//! What is asked for, and which actions it needs: written from the specifications, not from the code.

const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// One request of the registry's API.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    path: &'static str,
    /// The actions on `a/b` that it needs; `any` for any good token, `some` for one that allows anything.
    needed: &'static str,
}

impl Endpoint {
    pub(super) fn path(&self) -> String {
        self.path.replace("DIGEST", EMPTY)
    }

    /// Whether a token that holds these words opens it.
    pub(super) fn opens_to(&self, held: &[String]) -> bool {
        self.needed == "any"
            || self
                .needed
                .split(' ')
                .all(|word| held.iter().any(|held| held == word))
    }
}

const fn row(method: &'static str, path: &'static str, needed: &'static str) -> Endpoint {
    Endpoint { method, path, needed }
}

/// All of them.
pub(super) const ENDPOINTS: [Endpoint; 24] = [
    row("GET", "/v2/", "any"),
    row("HEAD", "/v2/", "any"),
    row("GET", "/v2/_catalog", "some"),
    row("HEAD", "/v2/_catalog", "some"),
    row("GET", "/v2/a/b/tags/list", "pull"),
    row("HEAD", "/v2/a/b/tags/list", "pull"),
    row("GET", "/v2/a/b/manifests/t", "pull"),
    row("HEAD", "/v2/a/b/manifests/t", "pull"),
    row("PUT", "/v2/a/b/manifests/t", "pull push"),
    row("DELETE", "/v2/a/b/manifests/t", "delete"),
    row("DELETE", "/v2/a/b/manifests/DIGEST", "delete"),
    row("GET", "/v2/a/b/blobs/DIGEST", "pull"),
    row("HEAD", "/v2/a/b/blobs/DIGEST", "pull"),
    row("DELETE", "/v2/a/b/blobs/DIGEST", "delete"),
    row(
        "POST",
        "/v2/a/b/blobs/uploads/?mount=DIGEST&from=c/d",
        "pull push",
    ),
    row("POST", "/v2/a/b/blobs/uploads/?mount=DIGEST", "pull push"),
    row("POST", "/v2/a/b/blobs/uploads/?digest=x", "pull push"),
    row("GET", "/v2/a/b/blobs/uploads/u", "push"),
    row("HEAD", "/v2/a/b/blobs/uploads/u", "push"),
    row("PATCH", "/v2/a/b/blobs/uploads/u", "pull push"),
    row("PUT", "/v2/a/b/blobs/uploads/u", "pull push"),
    row("DELETE", "/v2/a/b/blobs/uploads/u", "push"),
    row("GET", "/v2/a/b/referrers/DIGEST", "pull"),
    row("HEAD", "/v2/a/b/referrers/DIGEST", "pull"),
];
