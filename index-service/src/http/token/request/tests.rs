use super::*;

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap()
}

fn basic_of(username: &str, password: &str) -> HeaderValue {
    header(&format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    ))
}

fn get(query: &str) -> Result<TokenRequest, Malformed> {
    from_query(query, None, Client::default())
}

fn post(form: &str) -> Result<TokenRequest, Malformed> {
    from_form(form.as_bytes(), Client::default())
}

fn scopes(request: &TokenRequest) -> Vec<String> {
    request.scopes.iter().map(ToString::to_string).collect()
}

fn shown(credential: &Credential) -> (&str, &str) {
    match credential {
        Credential::Anonymous => ("", ""),
        Credential::Password { username, password } => (username, password.expose()),
        Credential::Refresh(secret) => ("refresh", secret.expose()),
        Credential::Token(secret) => ("token", secret.expose()),
    }
}

#[test]
fn a_query_holds_one_service_and_any_number_of_scopes() {
    let request = get(
        "account=ada&client_id=docker&service=localhost%3A5000&scope=repository%3Aa%2Fb%3Apush%2Cpull\
         &scope=repository:c:pull+repository:a/b:delete&scope=nonsense",
    )
    .unwrap();
    assert_eq!(request.service.as_deref(), Some("localhost:5000"));
    assert_eq!(
        scopes(&request),
        ["repository:a/b:pull,push,delete", "repository:c:pull"]
    );
    assert_eq!(request.client_id, "docker");
    assert!(matches!(request.credential, Credential::Anonymous) && !request.offline);
    assert_eq!(get("service=").unwrap().service, None);
    assert!(get("service=a&service=b").is_err());
}

#[test]
fn offline_token_is_true_or_false_and_nothing_else() {
    for (value, offline) in [
        ("true", true),
        ("1", true),
        ("false", false),
        ("0", false),
        ("", false),
    ] {
        assert_eq!(
            get(&format!("offline_token={value}")).unwrap().offline,
            offline,
            "{value}"
        );
    }
    for value in ["yes", "TRUE", "2", "offline"] {
        assert_eq!(
            get(&format!("offline_token={value}")).unwrap_err().code,
            "invalid_request"
        );
    }
}

#[test]
fn a_query_takes_credentials_from_basic_alone() {
    let request = from_query("username=eve&password=x&refresh_token=y", None, Client::default()).unwrap();
    assert!(matches!(request.credential, Credential::Anonymous));
    let request = from_query(
        "account=Ada",
        Some(&basic_of("ada", "pass:word ä")),
        Client::default(),
    )
    .unwrap();
    assert_eq!(shown(&request.credential), ("ada", "pass:word ä"));
}

#[test]
fn an_account_that_contradicts_the_credential_is_refused() {
    assert!(from_query("account=eve", Some(&basic_of("ada", "x")), Client::default()).is_err());
    // Without a credential it is a hint and nothing more.
    assert!(matches!(
        get("account=eve").unwrap().credential,
        Credential::Anonymous
    ));
}

#[test]
fn a_header_that_is_no_basic_credential_is_never_anonymous() {
    for text in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWRh",     // no colon
        "Basic /////w==", // no UTF-8
        "Bearer abc",
        "Digest username=\"ada\"",
        "ada:pass",
    ] {
        let refused = from_query("", Some(&header(text)), Client::default()).unwrap_err();
        assert!(refused.credential, "{text}");
    }
    let lower = format!("basic {}", STANDARD.encode("ada:x"));
    assert_eq!(
        shown(
            &from_query("", Some(&header(&lower)), Client::default())
                .unwrap()
                .credential
        ),
        ("ada", "x")
    );
    // An empty credential is one: it is wrong, not absent.
    assert!(matches!(
        from_query("", Some(&basic_of("", "")), Client::default())
            .unwrap()
            .credential,
        Credential::Password { .. }
    ));
}

#[test]
fn a_form_holds_a_password_or_a_refresh_token() {
    let form = "grant_type=password&username=ada&password=p%26w+d&service=s&client_id=c&access_type=offline\
                &scope=repository:a:pull%20repository:b:pull&scope=repository:c:pull";
    let request = post(form).unwrap();
    assert_eq!(shown(&request.credential), ("ada", "p&w d"));
    assert_eq!(scopes(&request).len(), 3);
    assert!(request.offline);
    let request = post("grant_type=refresh_token&refresh_token=r&client_id=c").unwrap();
    assert_eq!(shown(&request.credential), ("refresh", "r"));
    assert!(!request.offline && request.service.is_none());
}

#[test]
fn what_a_form_must_hold_is_required() {
    let full = "grant_type=password&username=ada&password=x&client_id=c";
    assert!(post(full).is_ok());
    for field in ["grant_type=password", "username=ada", "password=x", "client_id=c"] {
        assert!(post(&full.replace(field, "")).is_err(), "without {field}");
        assert!(
            post(&format!("{full}&{field}")).is_err() || field == "client_id=c",
            "twice {field}"
        );
    }
    assert!(post("grant_type=refresh_token&client_id=c").is_err());
    for (access_type, offline) in [("online", false), ("offline", true), ("", false)] {
        assert_eq!(
            post(&format!("{full}&access_type={access_type}"))
                .unwrap()
                .offline,
            offline
        );
    }
    assert!(post(&format!("{full}&access_type=always")).is_err());
}

#[test]
fn grants_that_are_not_offered_say_so() {
    for grant in [
        "authorization_code",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let refused = post(&format!("grant_type={grant}&client_id=c")).unwrap_err();
        assert_eq!(refused.code, "unsupported_grant_type");
    }
}

#[test]
fn what_a_client_says_of_itself_is_abridged() {
    assert_eq!(abridged("a\r\nb\u{7f}"), "ab");
    let long = abridged(&"ä".repeat(100));
    assert!(long.len() <= MAX_CLIENT_BYTES && long.chars().all(|c| c == 'ä'));
}

#[test]
fn at_most_fifty_resources_are_looked_at() {
    let query: Vec<String> = (0..80).map(|i| format!("scope=repository:a/r{i}:pull")).collect();
    assert_eq!(get(&query.join("&")).unwrap().scopes.len(), 50);
}
