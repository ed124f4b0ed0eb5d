//! The grammars of the distribution specification as it prints them: the oracles of the parsers that are written by hand.

use std::sync::LazyLock;

use regex::Regex;

const NAME: &str = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";
const TAG: &str = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}";
const DIGEST: &str = "(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})";

fn whole(pattern: &str) -> Regex {
    Regex::new(&format!(r"\A(?:{pattern})\z")).expect("a pattern of ours")
}

/// Whether the text is a repository name of the length and depth that we accept.
pub(crate) fn is_name(text: &str) -> bool {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| whole(NAME));
    text.len() <= 255 && text.matches('/').count() < 16 && REGEX.is_match(text)
}

/// Whether the text is a tag.
pub(crate) fn is_tag(text: &str) -> bool {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| whole(TAG));
    REGEX.is_match(text)
}

/// Whether the text is a digest of an algorithm that we accept.
pub(crate) fn is_digest(text: &str) -> bool {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| whole(DIGEST));
    REGEX.is_match(text)
}

/// What follows a repository name in a path, with the methods that it answers to.
static BELOW: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
    let path = |end: &str| whole(&format!("/v2/({NAME}){end}"));
    [
        (path("/tags/list"), "GET HEAD"),
        (path(&format!("/manifests/{TAG}")), "GET HEAD PUT DELETE"),
        (path(&format!("/manifests/{DIGEST}")), "GET HEAD PUT DELETE"),
        (path(&format!("/blobs/{DIGEST}")), "GET HEAD DELETE"),
        (path("/blobs/uploads/?"), "POST"),
        (
            path("/blobs/uploads/[A-Za-z0-9_.=-]{1,128}"),
            "GET HEAD PATCH PUT DELETE",
        ),
        (path(&format!("/referrers/{DIGEST}")), "GET HEAD"),
    ]
});

/// Whether the specification has an endpoint of this method at this path, which holds no escapes. The query is not
/// looked at.
pub(crate) fn is_endpoint(method: &str, path: &str) -> bool {
    if ["/", "/v2", "/v2/", "/v2/_catalog", "/v2/_portolan/token"].contains(&path) {
        return method == "GET" || method == "HEAD";
    }
    BELOW.iter().any(|(regex, methods)| {
        methods.split(' ').any(|each| each == method)
            && regex
                .captures(path)
                .and_then(|found| found.get(1))
                .is_some_and(|name| is_name(name.as_str()))
    })
}
