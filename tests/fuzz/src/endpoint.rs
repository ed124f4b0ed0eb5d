//! Request lines: `METHOD`, then the path with its query, then a cursor.

use http::Method;
use registry_service::endpoint::{Endpoint, InvalidRequest, Operation, Policy, RequiredAccess, query};
use registry_service::http::fuzzing::{next_link, page_limit};
use shared::front_door::{RESERVED_NAMESPACES, Service, route};
use shared::token::Scope;

use crate::{grammar, input};

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [method, target, cursor] = input::lines(&text);
    queries(target, cursor);
    let Ok(method) = method.parse::<Method>() else {
        return;
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let endpoint = Endpoint::parse(&method, path, query);
    assert_eq!(
        endpoint,
        Endpoint::parse(&method, path, query),
        "not decided by the request alone"
    );
    let plain = path.replace("%3A", ":").replace("%3a", ":");
    if plain.contains('%') {
        assert_eq!(endpoint, Err(InvalidRequest::Escape));
        return;
    }
    let expected = grammar::is_endpoint(method.as_str(), &plain) && (method != Method::POST || mounts(query));
    assert_eq!(endpoint.is_ok(), expected, "{method} {target:?}: {endpoint:?}");
    let Ok(endpoint) = endpoint else { return };
    let (written, asked) = write(&endpoint, &method);
    let again = Endpoint::parse(&method, &written, asked.as_deref());
    assert_eq!(again.as_ref(), Ok(&endpoint), "{written} reads back otherwise");
    access(&endpoint, &method);
    front_door(&endpoint, &plain);
    link(&plain, cursor);
}

/// Whether the source that a POST names, if it names one, is of the grammar.
fn mounts(query: Option<&str>) -> bool {
    let named = |key| query::find(query.unwrap_or_default(), key).filter(|value| !value.is_empty());
    let Some(digest) = named("mount") else { return true };
    grammar::is_digest(&digest) && named("from").is_none_or(|from| grammar::is_name(&from))
}

/// The path and the query of an endpoint.
fn write(endpoint: &Endpoint, method: &Method) -> (String, Option<String>) {
    let Endpoint::Repository(name, operation) = endpoint else {
        let path = match endpoint {
            Endpoint::Probe => "/",
            Endpoint::Base => "/v2/",
            Endpoint::Token => "/v2/_portolan/token",
            _ => "/v2/_catalog",
        };
        return (path.to_owned(), None);
    };
    let below = match operation {
        Operation::ListTags => "tags/list".to_owned(),
        Operation::ReadManifest(reference)
        | Operation::PutManifest(reference)
        | Operation::DeleteManifest(reference) => format!("manifests/{reference}"),
        Operation::StatBlob(digest) | Operation::ReadBlob(digest) | Operation::DeleteBlob(digest) => {
            format!("blobs/{digest}")
        }
        Operation::StartUpload(_) => "blobs/uploads/".to_owned(),
        Operation::UploadStatus(id)
        | Operation::AppendUpload(id)
        | Operation::FinishUpload(id)
        | Operation::CancelUpload(id) => format!("blobs/uploads/{}", id.as_str()),
        Operation::ListReferrers(digest) => format!("referrers/{digest}"),
        Operation::Purge => "_portolan/content".to_owned(),
    };
    let mut asked = None;
    if let Operation::StartUpload(Some(mount)) = operation {
        assert_eq!(method, Method::POST);
        let from = mount
            .from
            .as_ref()
            .map_or(String::new(), |from| format!("&from={from}"));
        asked = Some(format!("mount={}{from}", mount.digest));
    }
    (format!("/v2/{name}/{below}"), asked)
}

/// What is needed follows from the method, and scopes read back what they print.
fn access(endpoint: &Endpoint, method: &Method) {
    let is_read = method == Method::GET || method == Method::HEAD;
    let locked = Policy {
        delete_enabled: false,
        read_only: true,
    };
    let open = Policy {
        delete_enabled: true,
        read_only: false,
    };
    assert_eq!(endpoint.check_policy(open), Ok(()));
    assert_eq!(
        endpoint.check_policy(locked).is_ok(),
        is_read,
        "{method} writes: {endpoint:?}"
    );
    for scope in endpoint.required_access().scopes() {
        assert_eq!(Scope::find(&scope.to_string()), Some(scope));
    }
    if let Endpoint::Repository(own, _) = endpoint {
        let RequiredAccess::Repository { name, actions, .. } = endpoint.required_access() else {
            panic!("a repository's content needs no access to it: {endpoint:?}");
        };
        assert!(name == own && !actions.is_empty());
    }
}

/// The front door brings every endpoint to the registry, but for names that nobody can have.
fn front_door(endpoint: &Endpoint, path: &str) {
    let reserved = match endpoint {
        Endpoint::Repository(name, _) => {
            let first = name.as_str().split('/').next().unwrap_or_default();
            RESERVED_NAMESPACES.contains(&first)
        }
        Endpoint::Probe | Endpoint::Catalog => true,
        Endpoint::Base | Endpoint::Token => false,
    };
    assert_eq!(route(path) == Service::Index, reserved, "{path}");
}

/// Queries are read as the WHATWG's parser reads them, where that is unambiguous, and what is written is read back.
fn queries(query: &str, cursor: &str) {
    let mut written = "n=1&last=".to_owned();
    query::push_encoded(&mut written, cursor);
    assert_eq!(query::find(&written, "last").as_deref(), Some(cursor));
    for key in ["last", "n", "digest", "mount", "from"] {
        let ours: Vec<_> = query::all(query, key).collect();
        assert_eq!(query::find(query, key).as_ref(), ours.first());
        let raw = query
            .split('&')
            .filter(|pair| pair.split('=').next() == Some(key));
        let is_plain = raw.clone().all(|pair| well_formed(pair.as_bytes()));
        if is_plain {
            let theirs = raw.flat_map(|pair| form_urlencoded::parse(pair.as_bytes()));
            assert!(
                ours.iter()
                    .eq(theirs.map(|(_, value)| value).collect::<Vec<_>>().iter()),
                "{query:?}"
            );
        }
    }
    if let Some(limit) = page_limit(query, 100) {
        assert!(limit <= 1_000, "a page of {limit}");
        let n = query::find(query, "n");
        let said = n.as_deref().and_then(|n| n.parse::<u128>().ok());
        assert!(said.is_none_or(|said| said.min(1_000) == limit as u128));
        assert!(n.is_some() || limit == 100);
    }
}

/// Whether every escape is one, and all of it is UTF-8.
fn well_formed(text: &[u8]) -> bool {
    let mut escapes = text.split(|byte| *byte == b'%');
    escapes.next();
    escapes.all(|after| after.len() >= 2 && after[..2].iter().all(u8::is_ascii_hexdigit))
        && form_urlencoded::parse(text).all(|(_, value)| !value.contains('\u{fffd}'))
}

/// The link to the next page leads back to the cursor.
fn link(path: &str, cursor: &str) {
    let link = next_link(path, cursor, 7, &[("artifactType", cursor)]).expect("a link");
    let link = link.to_str().expect("visible ASCII");
    let query = link
        .strip_prefix(&format!("<{path}?"))
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""))
        .expect("RFC 8288");
    assert!(!query.contains(['<', '>', '"', ' ']));
    assert_eq!(query::find(query, "last").as_deref(), Some(cursor));
    assert_eq!(query::find(query, "artifactType").as_deref(), Some(cursor));
    assert_eq!(page_limit(query, 100), Some(7));
}
