//! Scopes, and the token requests that carry them: a scope, a query, a form, a Basic credential.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use index_service::app::token::{Credential, TokenRequest};
use index_service::http::fuzzing::{token_form, token_query};
use shared::token::access::Resource;
use shared::token::{Action, Scope};

use crate::{grammar, input};

/// Most resources of one request, by the paper on tokens.
const LIMIT: usize = 50;

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [scopes, query, form, credential] = input::lines(&text);
    for item in scopes.split(' ') {
        one(item);
    }
    let all = Scope::parse_all([scopes], LIMIT);
    sound(&all, LIMIT);
    // Asked again in two texts and with one place less, those asked for first are the same.
    let again = Scope::parse_all(scopes.split(' '), LIMIT);
    assert_eq!(all, again);
    if let Some(fewer) = all.len().checked_sub(1) {
        assert!(
            Scope::parse_all([scopes], fewer)
                .iter()
                .zip(&all)
                .all(|(a, b)| a.resource == b.resource)
        );
    }
    let authorization = HeaderValue::from_str(credential).ok();
    if let Some(request) = token_query(query, authorization.as_ref(), scopes) {
        understood(&request);
        let shows_nothing = matches!(request.credential, Credential::Anonymous);
        assert_eq!(
            shows_nothing,
            authorization.is_none(),
            "a credential that was shown is not passed over"
        );
    }
    if let Some(request) = token_form(form.as_bytes(), scopes) {
        understood(&request);
        assert!(!matches!(request.credential, Credential::Anonymous));
    }
    basic(credential);
}

/// One item, read by the grammar of the token specification.
fn one(item: &str) {
    let found = Scope::find(item);
    let mut parts = item.splitn(2, ':');
    let kind = parts.next().unwrap_or_default();
    let rest = parts.next().and_then(|rest| rest.rsplit_once(':'));
    let kind = match kind.find('(') {
        Some(at) if kind.ends_with(')') => Some(&kind[..at]),
        Some(_) => None,
        None => Some(kind),
    };
    let expected = rest.is_some_and(|(name, _)| match kind {
        Some("repository") => grammar::is_name(name),
        Some("registry") => name == "catalog",
        _ => false,
    });
    assert_eq!(found.is_some(), expected, "{item:?}: {found:?}");
    let (Some(found), Some((_, actions))) = (found, rest) else {
        return;
    };
    for action in Action::EVERY {
        let is_asked = actions.split(',').any(|word| word == action.as_str());
        assert_eq!(found.actions.contains(action), is_asked, "{item:?}");
    }
    assert_eq!(Scope::find(&found.to_string()), Some(found));
}

fn sound(scopes: &[Scope], limit: usize) {
    assert!(scopes.len() <= limit);
    let texts: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    assert_eq!(Scope::parse_all(texts.iter().map(String::as_str), limit), scopes);
    assert_eq!(Scope::parse_all([texts.join(" ").as_str()], limit), scopes);
    for (at, scope) in scopes.iter().enumerate() {
        assert!(scopes[..at].iter().all(|other| other.resource != scope.resource));
        if let Resource::Repository(name) = &scope.resource {
            assert!(grammar::is_name(name.as_str()));
        }
    }
}

fn understood(request: &TokenRequest) {
    sound(&request.scopes, LIMIT);
    for text in [&request.client_id, &request.client.program] {
        assert!(text.len() <= 128 && !text.contains(char::is_control), "{text:?}");
    }
    assert!(request.service.as_deref() != Some(""));
    if let Credential::Password { password, .. } | Credential::Refresh(password) = &request.credential {
        assert_eq!(format!("{password:?}"), "[redacted]");
    }
}

/// A user name and a password come out as they went in.
fn basic(text: &str) {
    let Some((username, password)) = text.split_once(':') else {
        return;
    };
    let encoded = STANDARD.encode(text);
    let header = HeaderValue::try_from(format!("Basic {encoded}")).expect("base64 is ASCII");
    let request = token_query("service=s", Some(&header), "").expect("a good credential");
    let Credential::Password {
        username: name,
        password: secret,
    } = &request.credential
    else {
        panic!("another credential: {request:?}");
    };
    assert!(name == username && secret.expose() == password);
}
