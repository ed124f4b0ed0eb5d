use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(method: &str, path: &str) -> Result<Endpoint, InvalidRequest> {
    let path = path.replace("DIGEST", DIGEST);
    let (path, query) = path
        .split_once('?')
        .map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
    Endpoint::parse(&method.parse().unwrap(), path, query)
}

/// The endpoint in one line: name, repository, what is required.
fn row(method: &str, path: &str) -> String {
    match parse(method, path) {
        Ok(endpoint) => {
            let scopes: Vec<String> = endpoint
                .required_access()
                .scopes()
                .iter()
                .map(ToString::to_string)
                .collect();
            format!("{} {}", endpoint.name(), scopes.join(" "))
        }
        Err(e) => format!("{e:?}"),
    }
}

#[test]
fn every_endpoint_of_the_specification_is_recognised_with_the_access_it_needs() {
    for (method, path, expected) in [
        ("GET", "/", "probe "),
        ("GET", "/v2/", "base "),
        ("HEAD", "/v2/", "base "),
        ("GET", "/v2", "base "),
        ("GET", "/v2/_catalog", "catalog registry:catalog:*"),
        ("DELETE", "/v2/a/b/_portolan/content", "purge repository:a/b:*"),
        ("GET", "/v2/a/b/_portolan/content", "Method(\"DELETE\")"),
        ("GET", "/v2/_catalog?n=1", "catalog registry:catalog:*"),
        ("GET", "/v2/a/b/tags/list", "tags repository:a/b:pull"),
        ("HEAD", "/v2/a/tags/list", "tags repository:a:pull"),
        (
            "GET",
            "/v2/a/b/manifests/latest",
            "manifest_read repository:a/b:pull",
        ),
        (
            "HEAD",
            "/v2/a/b/manifests/DIGEST",
            "manifest_read repository:a/b:pull",
        ),
        (
            "PUT",
            "/v2/a/b/manifests/latest",
            "manifest_put repository:a/b:pull,push",
        ),
        (
            "DELETE",
            "/v2/a/b/manifests/DIGEST",
            "manifest_delete repository:a/b:delete",
        ),
        (
            "DELETE",
            "/v2/a/b/manifests/latest",
            "manifest_delete repository:a/b:delete",
        ),
        ("GET", "/v2/a/b/blobs/DIGEST", "blob_read repository:a/b:pull"),
        ("HEAD", "/v2/a/b/blobs/DIGEST", "blob_stat repository:a/b:pull"),
        (
            "DELETE",
            "/v2/a/b/blobs/DIGEST",
            "blob_delete repository:a/b:delete",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads/",
            "upload_start repository:a/b:pull,push",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads",
            "upload_start repository:a/b:pull,push",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads/?mount=DIGEST&from=c/d",
            "upload_start repository:a/b:pull,push repository:c/d:pull",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads/?mount=DIGEST&from=c%2Fd&origin=h",
            "upload_start repository:a/b:pull,push repository:c/d:pull",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads/?mount=DIGEST&from=a/b",
            "upload_start repository:a/b:pull,push",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads/?mount=DIGEST",
            "upload_start repository:a/b:pull,push",
        ),
        (
            "POST",
            "/v2/a/b/blobs/uploads/?digest=DIGEST",
            "upload_start repository:a/b:pull,push",
        ),
        (
            "GET",
            "/v2/a/b/blobs/uploads/id-1",
            "upload_status repository:a/b:push",
        ),
        (
            "HEAD",
            "/v2/a/b/blobs/uploads/id-1",
            "upload_status repository:a/b:push",
        ),
        (
            "PATCH",
            "/v2/a/b/blobs/uploads/id-1",
            "upload_append repository:a/b:pull,push",
        ),
        (
            "PUT",
            "/v2/a/b/blobs/uploads/id-1?digest=DIGEST",
            "upload_finish repository:a/b:pull,push",
        ),
        (
            "DELETE",
            "/v2/a/b/blobs/uploads/id-1",
            "upload_cancel repository:a/b:push",
        ),
        ("GET", "/v2/a/b/referrers/DIGEST", "referrers repository:a/b:pull"),
        (
            "GET",
            "/v2/a/b/referrers/DIGEST?artifactType=x/y",
            "referrers repository:a/b:pull",
        ),
    ] {
        assert_eq!(row(method, path), expected, "{method} {path}");
    }
}

#[test]
fn a_name_may_hold_the_words_of_the_paths() {
    for (path, name) in [
        ("/v2/tags/list/tags/list", "tags/list"),
        ("/v2/blobs/uploads/manifests/x", "blobs/uploads"),
        ("/v2/a/manifests/tags/list", "a/manifests"),
        ("/v2/a/blobs/blobs/DIGEST", "a/blobs"),
        ("/v2/v2/v2/manifests/v2", "v2/v2"),
        ("/v2/blobs/blobs/uploads/x", "blobs"),
        ("/v2/a/uploads/uploads/manifests/list", "a/uploads/uploads"),
        ("/v2/referrers/referrers/DIGEST", "referrers"),
    ] {
        let Ok(Endpoint::Repository(found, _)) = parse("GET", path) else {
            panic!("{path}: {:?}", parse("GET", path));
        };
        assert_eq!(found.as_str(), name, "{path}");
    }
}

#[test]
fn a_colon_may_be_escaped_and_nothing_else() {
    let escaped = format!("/v2/a/b/blobs/{}", DIGEST.replace(':', "%3A"));
    assert_eq!(parse("GET", &escaped), parse("GET", "/v2/a/b/blobs/DIGEST"));
    for path in [
        "/v2/a%2Fb/tags/list",
        "/v2/a/%2e%2e/b/tags/list",
        "/v2/a%00/tags/list",
        "/v2/a/b/manifests/la%74est",
        "/v2/a/b/manifests/%",
        "/v2/a%253Ab/tags/list",
        "%2Fv2/",
    ] {
        assert_eq!(parse("GET", path), Err(InvalidRequest::Escape), "{path}");
    }
}

#[test]
fn malformed_parts_are_named() {
    for (method, path, expected) in [
        ("GET", "/v2/A/b/tags/list", "Name(Component)"),
        ("GET", "/v2/a/../b/tags/list", "Name(Component)"),
        ("GET", "/v2/a//b/tags/list", "Name(Component)"),
        ("GET", "/v2//tags/list", "Name(Empty)"),
        ("GET", "/v2/tags/list", "Name(Empty)"),
        ("POST", "/v2/blobs/uploads/", "Name(Empty)"),
        ("POST", "/v2/_uploads/blobs/uploads/", "Name(Component)"),
        ("POST", "/v2/a;b/blobs/uploads/", "Name(Component)"),
        ("GET", "/v2/a/manifests/sha256:baddigeststring", "Digest(Hex)"),
        ("PUT", "/v2/a/manifests/sha256:baddigeststring", "Digest(Hex)"),
        ("GET", "/v2/a/blobs/latest", "Digest(Form)"),
        ("GET", "/v2/a/blobs/md5:00", "Digest(Algorithm)"),
        ("GET", "/v2/a/blobs/", "Digest(Form)"),
        ("GET", "/v2/a/blobs/sha256:../../x", "Path"),
        ("GET", "/v2/a/referrers/x", "Digest(Form)"),
        ("PUT", "/v2/a/manifests/.x", "Tag"),
        ("PUT", "/v2/a/manifests/", "Tag"),
        ("GET", "/v2/a/manifests/.INVALID_MANIFEST_NAME", "ManifestUnknown"),
        ("DELETE", "/v2/a/manifests/-x", "ManifestUnknown"),
        ("POST", "/v2/a/blobs/uploads/?mount=x&from=b", "Digest(Form)"),
        (
            "POST",
            "/v2/a/blobs/uploads/?mount=DIGEST&from=B",
            "Name(Component)",
        ),
        ("PATCH", "/v2/a/blobs/uploads/a~b", "UploadUnknown"),
        ("GET", "/v2/a", "Path"),
        ("GET", "/v2/a/b", "Path"),
        ("GET", "/v2/a/b/c", "Path"),
        ("GET", "/v2/a/tags", "Path"),
        ("GET", "/v2/a/uploads/x", "Path"),
        ("GET", "/v2/xblobs/uploads/x", "Path"),
        ("GET", "/v2x/", "Path"),
        ("GET", "/v1/_ping", "Path"),
        ("GET", "", "Path"),
        ("GET", "/v2/_catalog/", "Path"),
        ("GET", "*", "Path"),
    ] {
        assert_eq!(row(method, path), expected, "{method} {path}");
    }
}

#[test]
fn a_method_that_a_path_does_not_have_is_refused_with_those_it_has() {
    for (method, path) in [
        ("POST", "/v2/"),
        ("DELETE", "/v2/_catalog"),
        ("POST", "/v2/a/tags/list"),
        ("POST", "/v2/a/manifests/x"),
        ("PATCH", "/v2/a/manifests/x"),
        ("PUT", "/v2/a/blobs/DIGEST"),
        ("GET", "/v2/a/blobs/uploads/"),
        ("PUT", "/v2/a/blobs/uploads/"),
        ("POST", "/v2/a/blobs/uploads/x"),
        ("DELETE", "/v2/a/referrers/DIGEST"),
        ("OPTIONS", "/v2/"),
        ("TRACE", "/v2/a/blobs/DIGEST"),
        ("PROPFIND", "/v2/a/manifests/x"),
        ("POST", "/"),
    ] {
        assert!(
            matches!(parse(method, path), Err(InvalidRequest::Method(listed)) if !listed.split(", ").any(|m| m == method)),
            "{method} {path}"
        );
    }
}

#[test]
fn the_switches_forbid_exactly_what_they_name() {
    let policy = |delete_enabled, read_only| Policy {
        delete_enabled,
        read_only,
    };
    for (method, path, deletes, writes) in [
        ("GET", "/v2/", false, false),
        ("GET", "/v2/_catalog", false, false),
        ("GET", "/v2/a/tags/list", false, false),
        ("GET", "/v2/a/manifests/x", false, false),
        ("GET", "/v2/a/blobs/DIGEST", false, false),
        ("HEAD", "/v2/a/blobs/DIGEST", false, false),
        ("GET", "/v2/a/referrers/DIGEST", false, false),
        ("GET", "/v2/a/blobs/uploads/x", false, false),
        ("PUT", "/v2/a/manifests/x", false, true),
        ("POST", "/v2/a/blobs/uploads/", false, true),
        ("PATCH", "/v2/a/blobs/uploads/x", false, true),
        ("PUT", "/v2/a/blobs/uploads/x", false, true),
        ("DELETE", "/v2/a/blobs/uploads/x", false, true),
        ("DELETE", "/v2/a/manifests/x", true, true),
        ("DELETE", "/v2/a/manifests/DIGEST", true, true),
        ("DELETE", "/v2/a/blobs/DIGEST", true, true),
    ] {
        let endpoint = parse(method, path).unwrap();
        assert!(
            endpoint.check_policy(policy(true, false)).is_ok(),
            "{method} {path}"
        );
        assert_eq!(
            endpoint.check_policy(policy(false, false)).is_err(),
            deletes,
            "{method} {path} without deletes"
        );
        assert_eq!(
            endpoint.check_policy(policy(true, true)).is_err(),
            writes,
            "{method} {path} read-only"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_path_makes_the_parser_panic_or_yields_a_name_outside_the_grammar(
        path in "(/v2)?(/|[a-zA-Z0-9._:%~-]{1,9}|tags|list|blobs|uploads|manifests|referrers){0,12}",
        method in "GET|HEAD|PUT|POST|PATCH|DELETE",
    ) {
        if let Ok(Endpoint::Repository(name, _)) = Endpoint::parse(&method.parse().unwrap(), &path, None) {
            let start = format!("/v2/{name}/");
            proptest::prop_assert!(path.starts_with(&start));
        }
    }
}
