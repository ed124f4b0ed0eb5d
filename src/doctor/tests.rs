use super::super::finding::Outcome;
use super::*;

fn issued() -> Issued {
    Issued {
        text: String::new(),
        seen: Seen {
            key_id: "k".into(),
            issuer: "portolan".into(),
            audience: "a.example".into(),
            not_before: 1_000,
            expires: 1_300,
        },
    }
}

fn challenge() -> Challenge {
    Challenge {
        realm: "https://a.example/token".into(),
        service: "b.example".into(),
        registry_time: Some(1_010),
    }
}

#[test]
fn each_reason_of_the_registry_names_its_own_line() {
    for (message, check, line) in [
        (
            "the token was signed by a key that this registry does not know",
            "key",
            "auth.token.jwks",
        ),
        ("the token's signature is not valid", "key", "auth.token.jwks"),
        (
            "the token was issued by somebody else",
            "issuer",
            "auth.token.issuer: portolan",
        ),
        (
            "the token is for another service",
            "audience",
            "auth.token.service",
        ),
        ("the token has expired", "clock", "NTP"),
        (
            "the token is not valid yet; compare the clocks of the two services",
            "clock",
            "NTP",
        ),
        ("anything", "accepted", "log"),
    ] {
        let body = serde_json::json!({"errors": [{"message": message}]}).to_string();
        let finding = refusal_finding(StatusCode::UNAUTHORIZED, &body, &challenge(), &issued());
        assert_eq!(
            (finding.check, finding.outcome),
            (check, Outcome::Wrong),
            "{message}"
        );
        assert!(finding.change.unwrap().contains(line), "{message}");
    }
}

#[test]
fn clocks_that_are_apart_are_told_before_tokens_are_refused() {
    for (registry, index, outcome) in [
        (1_010, 1_010, Outcome::Well),
        (1_010, 1_030, Outcome::Doubtful),
        (1_010, 1_100, Outcome::Wrong),
        (1_500, 1_495, Outcome::Wrong),
        (900, 905, Outcome::Wrong),
    ] {
        let finding = clock_finding(Some(registry), Some(index), &issued().seen);
        assert_eq!(finding.outcome, outcome, "{registry} {index}");
    }
    assert_eq!(
        clock_finding(None, None, &issued().seen).outcome,
        Outcome::Skipped
    );
}

#[test]
fn a_realm_is_where_clients_may_send_a_password() {
    for (registry, realm, check, outcome) in [
        (
            "https://a.example",
            "https://a.example/token",
            "realm",
            Outcome::Well,
        ),
        (
            "https://a.example",
            "https://a.example:443/token",
            "realm",
            Outcome::Well,
        ),
        (
            "https://a.example",
            "http://a.example/token",
            "scheme",
            Outcome::Wrong,
        ),
        (
            "http://a.example",
            "https://a.example/token",
            "scheme",
            Outcome::Doubtful,
        ),
        (
            "https://a.example",
            "https://b.example/token",
            "realm",
            Outcome::Doubtful,
        ),
        ("https://a.example", "/token", "realm", Outcome::Wrong),
    ] {
        let finding = realm_finding(registry, realm);
        assert_eq!(
            (finding.check, finding.outcome),
            (check, outcome),
            "{registry} {realm}"
        );
    }
}
