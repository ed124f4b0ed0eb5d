use http::Method;
use serde_json::json;

use super::key_ring::KeySet;
use super::test_token::{KID, NOW_S, Signer, authenticator, claims, repository, verifier};
use super::*;
use crate::endpoint::Endpoint;

fn everything() -> serde_json::Value {
    json!([repository("a/b", &["*"])])
}

#[test]
fn tokens_of_every_kind_of_key_are_verified() {
    for signer in Signer::every_kind() {
        let ring = KeyRing::from_jwks(&signer.jwks(KID)).unwrap();
        let verified = verifier(&ring)
            .verify(&signer.token(everything()), NOW_S)
            .unwrap();
        assert_eq!(verified.subject(), "alice", "{}", signer.alg());
    }
}

#[test]
fn a_key_is_found_by_its_own_id_and_signs_by_its_own_algorithm_alone() {
    let signers = Signer::every_kind();
    let keys: Vec<_> = signers
        .iter()
        .enumerate()
        .map(|(i, signer)| signer.jwk(&i.to_string()))
        .collect();
    let ring = KeyRing::from_jwks(json!({"keys": keys}).to_string().as_bytes()).unwrap();
    let verifier = verifier(&ring);
    for (i, signer) in signers.iter().enumerate() {
        for kid in 0..signers.len() {
            for alg in ["ES256", "ES384", "EdDSA", "RS256"] {
                let header = json!({"alg": alg, "kid": kid.to_string()});
                let token = signer.sign(&header, &claims(everything()));
                let is_good = kid == i && alg == signer.alg();
                assert_eq!(verifier.verify(&token, NOW_S).is_ok(), is_good, "{i} {kid} {alg}");
            }
        }
    }
}

#[test]
fn an_algorithm_that_is_not_allowed_is_refused_whatever_the_key_can() {
    for signer in Signer::every_kind() {
        let ring = KeyRing::from_jwks(&signer.jwks(KID)).unwrap();
        let token = signer.token(everything());
        for algorithm in algorithm::SignatureAlgorithm::ALL {
            let rules = Rules {
                algorithms: vec![algorithm],
                ..Rules::default()
            };
            let verified = verifier(&ring).with_rules(rules).verify(&token, NOW_S);
            assert_eq!(
                verified.is_ok(),
                algorithm.as_str() == signer.alg(),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn a_foreign_token_may_lack_what_distribution_does_not_need_and_nothing_else() {
    let signer = Signer::es256();
    let ring = KeyRing::from_jwks(&signer.jwks(KID)).unwrap();
    let rules = Rules {
        foreign: true,
        ..Rules::default()
    };
    let foreign = verifier(&ring).with_rules(rules);
    let verified = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut claims = claims(everything());
        change(&mut claims);
        foreign
            .verify(&signer.sign(&signer.header(), &claims), NOW_S)
            .map(|claims| claims.subject().to_owned())
    };
    for (claim, expected) in [
        ("iss", Err(InvalidToken::Claims)),
        ("aud", Err(InvalidToken::Claims)),
        ("exp", Err(InvalidToken::Claims)),
        ("sub", Ok(String::new())),
        ("nbf", Ok("alice".to_owned())),
        ("iat", Ok("alice".to_owned())),
        ("jti", Ok("alice".to_owned())),
        ("access", Ok("alice".to_owned())),
    ] {
        let without = verified(&|claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert_eq!(without, expected, "{claim}");
        // A claim of a wrong type is not an absent one.
        let wrong = verified(&|claims| claims[claim] = json!({}));
        assert_eq!(wrong, Err(InvalidToken::Claims), "{claim}");
    }
    for (aud, expected) in [
        (json!([test_token::SERVICE, "other"]), Ok("alice".to_owned())),
        (json!(["other", test_token::SERVICE]), Ok("alice".to_owned())),
        (json!(["other"]), Err(InvalidToken::Audience)),
        (json!([]), Err(InvalidToken::Audience)),
        (json!([1, test_token::SERVICE]), Err(InvalidToken::Claims)),
    ] {
        assert_eq!(verified(&|claims| claims["aud"] = aud.clone()), expected, "{aud}");
    }
}

#[test]
fn a_time_is_good_to_the_second_with_sixty_of_leeway() {
    let signer = Signer::es256();
    let ring = KeyRing::from_jwks(&signer.jwks(KID)).unwrap();
    let verifier = verifier(&ring);
    for (claim, offset, expected) in [
        ("exp", -59, Ok(())),
        ("exp", -60, Err(InvalidToken::Expired)),
        ("nbf", 60, Ok(())),
        ("nbf", 61, Err(InvalidToken::NotYetValid)),
        ("iat", 60, Ok(())),
        ("iat", 61, Err(InvalidToken::NotYetValid)),
    ] {
        let mut claims = claims(everything());
        claims[claim] = json!(NOW_S + offset);
        let token = signer.sign(&signer.header(), &claims);
        assert_eq!(
            verifier.verify(&token, NOW_S).map(|_| ()),
            expected,
            "{claim} {offset}"
        );
    }
}

#[test]
fn a_remembered_token_falls_when_it_expires_and_when_its_key_does() {
    let (signer, next) = (Signer::es256(), Signer::es256());
    let ring = KeyRing::from_jwks(&signer.jwks(KID)).unwrap();
    let verifier = verifier(&ring);
    let token = signer.token(everything());
    assert!(verifier.verify(&token, NOW_S).is_ok());
    assert!(verifier.verify(&token, NOW_S + 359).is_ok());
    assert_eq!(
        verifier.verify(&token, NOW_S + 360).unwrap_err(),
        InvalidToken::Expired
    );
    assert!(
        verifier.verify(&token, NOW_S).is_ok(),
        "it is good again when the clock was wrong"
    );
    let both = json!({"keys": [signer.jwk(KID), next.jwk("key-2")]}).to_string();
    ring.replace_jwks(both.as_bytes()).unwrap();
    assert!(verifier.verify(&token, NOW_S).is_ok(), "its key is still there");
    assert!(ring.replace_jwks(b"{}").is_err());
    assert!(
        verifier.verify(&token, NOW_S).is_ok(),
        "a set that cannot be taken changes nothing"
    );
    ring.replace_jwks(&next.jwks("key-2")).unwrap();
    assert_eq!(
        verifier.verify(&token, NOW_S).unwrap_err(),
        InvalidToken::UnknownKey
    );
    // Another key under the same id is another key.
    ring.replace_jwks(&next.jwks(KID)).unwrap();
    assert_eq!(
        verifier.verify(&token, NOW_S).unwrap_err(),
        InvalidToken::Signature
    );
    ring.replace_jwks(both.as_bytes()).unwrap();
    assert!(verifier.verify(&token, NOW_S).is_ok(), "it may come back");
}

fn get(path: &str) -> Endpoint {
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    let method = if query.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    Endpoint::parse(&method, path, query).unwrap()
}

async fn authorized(signer: &Signer, access: serde_json::Value, path: &str) -> Authorized {
    let value = format!("Bearer {}", signer.token(access));
    authenticator(signer)
        .authorize(get(path), Some(value.as_bytes()), NOW_S)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_token_says_under_which_name_a_repository_is_stored() {
    let signer = Signer::es256();
    let name = "a/b".parse().unwrap();
    let moved = json!([{"type": "repository", "name": "a/b", "actions": ["pull"], "stored_as": "s/1"}]);
    let plain = json!([repository("a/b", &["pull"])]);
    for (access, stored_as) in [(moved, "s/1"), (plain, "a/b")] {
        let authorized = authorized(&signer, access, "/v2/a/b/tags/list").await;
        assert_eq!(authorized.stored_as(&name).as_str(), stored_as);
        assert_eq!(authorized.subject(), "alice");
    }
}

#[tokio::test]
async fn a_mount_looks_where_the_token_may_read_and_nowhere_else() {
    let signer = Signer::es256();
    let digest = format!("sha256:{}", "0".repeat(64));
    let access = json!([
        repository("a/b", &["pull", "push"]),
        {"type": "repository", "name": "c/d", "actions": ["pull"], "stored_as": "s/7"},
        repository("e/f", &["push"]),
    ]);
    for (query, sources) in [
        ("&from=c/d", vec!["s/7", "a/b"]),
        ("&from=e/f", vec!["a/b"]),
        ("&from=x/y", vec!["a/b"]),
        // The stored name of somebody else's repository is no name of it.
        ("&from=s/7", vec!["a/b"]),
        ("&from=a/b", vec!["a/b"]),
        ("", vec!["a/b", "s/7"]),
    ] {
        let path = format!("/v2/a/b/blobs/uploads/?mount={digest}{query}");
        let authorized = authorized(&signer, access.clone(), &path).await;
        let found: Vec<_> = authorized
            .mount_sources()
            .iter()
            .map(shared::oci::RepositoryName::as_str)
            .collect();
        assert_eq!(found, sources, "{query}");
    }
}

#[tokio::test]
async fn the_catalog_lists_what_the_token_may_read_unless_it_may_list_everything() {
    let signer = Signer::es256();
    let mut access = json!([
        repository("z", &["pull"]),
        {"type": "repository", "name": "a/b", "actions": ["*"], "stored_as": "s/7"},
        repository("no/pull", &["push"]),
    ]);
    let name = |text: &str| text.parse().unwrap();
    let listed = authorized(&signer, access.clone(), "/v2/_catalog").await.listed();
    assert_eq!(
        listed,
        Listed::Only(vec![(name("a/b"), name("s/7")), (name("z"), name("z"))])
    );
    access
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "registry", "name": "catalog", "actions": ["*"]}));
    assert_eq!(
        authorized(&signer, access, "/v2/_catalog").await.listed(),
        Listed::Everything
    );
}

mod certificates {
    use base64::Engine as _;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    };
    use time::OffsetDateTime;

    use super::*;

    fn params(name: &str, is_ca: bool, from_s: i64, to_s: i64) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = OffsetDateTime::from_unix_timestamp(from_s).unwrap();
        params.not_after = OffsetDateTime::from_unix_timestamp(to_s).unwrap();
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }
        params
    }

    fn issuer(name: &str, is_ca: bool) -> CertifiedIssuer<'static, KeyPair> {
        let key = KeyPair::generate().unwrap();
        CertifiedIssuer::self_signed(params(name, is_ca, NOW_S - 1_000, NOW_S + 100_000), key).unwrap()
    }

    fn leaf(signer: &Signer, params: &CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>) -> String {
        let key = KeyPair::try_from(signer.pkcs8()).unwrap();
        let leaf = params.signed_by(&key, issuer).unwrap();
        base64::engine::general_purpose::STANDARD.encode(leaf.der())
    }

    fn ring(pem: &str) -> KeyRing {
        let ring = KeyRing::default();
        ring.replace(KeySet::parse(Some(pem.as_bytes()), &[]).unwrap());
        ring
    }

    fn token(signer: &Signer, chain: &[&str]) -> String {
        signer.sign(
            &json!({"alg": "ES256", "typ": "JWT", "x5c": chain}),
            &claims(everything()),
        )
    }

    #[test]
    fn a_certificate_up_to_a_configured_root_is_believed_and_no_other() {
        let (root, stranger, namesake) = (
            issuer("root", true),
            issuer("stranger", true),
            issuer("root", true),
        );
        let signer = Signer::es256();
        let now = params("leaf", false, NOW_S - 10, NOW_S + 300);
        let good = leaf(&signer, &now, &root);
        let not_for_tokens = {
            let mut params = now.clone();
            params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
            leaf(&signer, &params, &root)
        };
        let verifier = verifier(&ring(&root.pem()));
        for (name, chain, is_good) in [
            ("leaf", vec![good.as_str()], true),
            ("leaf and rest", vec![&good, "AA"], true),
            (
                "expired",
                vec![&leaf(
                    &signer,
                    &params("leaf", false, NOW_S - 10, NOW_S - 1),
                    &root,
                )],
                false,
            ),
            (
                "to come",
                vec![&leaf(
                    &signer,
                    &params("leaf", false, NOW_S + 1, NOW_S + 9),
                    &root,
                )],
                false,
            ),
            ("of a stranger", vec![&leaf(&signer, &now, &stranger)], false),
            ("of a namesake", vec![&leaf(&signer, &now, &namesake)], false),
            ("not for tokens", vec![&not_for_tokens], false),
            (
                "another leaf first",
                vec![&leaf(&Signer::es256(), &now, &root), &good],
                false,
            ),
            ("too long a chain", vec![&good; 5], false),
            ("none", vec![], false),
        ] {
            let verified = verifier.verify(&token(&signer, &chain), NOW_S);
            assert_eq!(verified.is_ok(), is_good, "{name}: {verified:?}");
        }
    }

    #[test]
    fn certificates_in_between_lead_to_a_root_when_each_may_issue_the_next() {
        let between = |name: &str, is_ca: bool, path: u8, issuer: &CertifiedIssuer<'static, KeyPair>| {
            let mut params = params(name, is_ca, NOW_S - 10, NOW_S + 200);
            if is_ca {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path));
            }
            CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), issuer).unwrap()
        };
        let text = |issuer: &CertifiedIssuer<'static, KeyPair>| {
            base64::engine::general_purpose::STANDARD.encode(issuer.der())
        };
        let root = {
            let mut params = params("root", true, NOW_S - 1_000, NOW_S + 100_000);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        let (one, short) = (between("one", true, 1, &root), between("one", true, 0, &root));
        let (two, below_short) = (between("two", true, 0, &one), between("two", true, 0, &short));
        let no_authority = between("no authority", false, 0, &one);
        let signer = Signer::es256();
        let now = params("leaf", false, NOW_S - 10, NOW_S + 300);
        let verifier = verifier(&ring(&root.pem()));
        for (name, issuer, rest, is_good) in [
            ("in order", &two, vec![text(&two), text(&one)], true),
            ("in another order", &two, vec![text(&one), text(&two)], true),
            (
                "and the root",
                &two,
                vec![text(&two), text(&one), text(&root)],
                true,
            ),
            ("one missing", &two, vec![text(&two)], false),
            ("the other missing", &two, vec![text(&one)], false),
            (
                "no authority",
                &no_authority,
                vec![text(&no_authority), text(&one)],
                false,
            ),
            (
                "deeper than allowed",
                &below_short,
                vec![text(&below_short), text(&short)],
                false,
            ),
        ] {
            let leaf = leaf(&signer, &now, issuer);
            let chain: Vec<&str> = std::iter::once(leaf.as_str())
                .chain(rest.iter().map(String::as_str))
                .collect();
            let token = token(&signer, &chain);
            assert_eq!(verifier.verify(&token, NOW_S).is_ok(), is_good, "{name}");
            assert!(
                verifier.verify(&token, NOW_S + 201).is_err(),
                "{name}: a certificate in between is over"
            );
        }
    }

    #[test]
    fn without_a_bundle_no_certificate_is_believed() {
        let (root, signer) = (issuer("root", true), Signer::es256());
        let good = leaf(&signer, &params("leaf", false, NOW_S - 10, NOW_S + 300), &root);
        let ring = KeyRing::from_jwks(&Signer::es256().jwks(KID)).unwrap();
        assert!(verifier(&ring).verify(&token(&signer, &[&good]), NOW_S).is_err());
    }

    #[test]
    fn a_configured_certificate_that_is_no_authority_vouches_for_itself_alone() {
        let signer = Signer::es256();
        let key = KeyPair::try_from(signer.pkcs8()).unwrap();
        let own = CertifiedIssuer::self_signed(params("own", false, NOW_S - 10, NOW_S + 300), key).unwrap();
        let verifier = verifier(&ring(&own.pem()));
        let itself = base64::engine::general_purpose::STANDARD.encode(own.der());
        assert!(verifier.verify(&token(&signer, &[&itself]), NOW_S).is_ok());
        let other = Signer::es256();
        let child = leaf(&other, &params("child", false, NOW_S - 10, NOW_S + 300), &own);
        assert!(verifier.verify(&token(&other, &[&child]), NOW_S).is_err());
    }

    #[test]
    fn a_token_falls_with_its_certificate_and_with_its_root() {
        let (root, signer) = (issuer("root", true), Signer::es256());
        let good = leaf(&signer, &params("leaf", false, NOW_S - 10, NOW_S + 100), &root);
        let ring = ring(&root.pem());
        let verifier = verifier(&ring);
        let token = token(&signer, &[&good]);
        assert!(verifier.verify(&token, NOW_S).is_ok());
        assert!(
            verifier.verify(&token, NOW_S + 101).is_err(),
            "the certificate is over before the token"
        );
        assert!(verifier.verify(&token, NOW_S).is_ok());
        ring.replace(KeySet::parse(Some(issuer("other", true).pem().as_bytes()), &[]).unwrap());
        assert!(verifier.verify(&token, NOW_S).is_err());
    }

    #[test]
    fn a_key_of_the_bundle_is_found_by_its_thumbprint_and_by_its_libtrust_fingerprint() {
        let signer = Signer::es256();
        let key = KeyPair::try_from(signer.pkcs8()).unwrap();
        let own = CertifiedIssuer::self_signed(params("own", false, NOW_S - 10, NOW_S + 300), key).unwrap();
        let verifier = verifier(&ring(&own.pem()));
        let public = key::Key::from_point(signer.public_bytes()).unwrap();
        for kid in [public.thumbprint(), public.libtrust()] {
            let token = signer.sign(&json!({"alg": "ES256", "kid": kid}), &claims(everything()));
            assert!(verifier.verify(&token, NOW_S).is_ok(), "{kid}");
        }
    }

    #[test]
    fn a_bundle_is_read_for_its_certificates_and_refused_without_any() {
        use super::super::key::InvalidKey;
        let own = issuer("own", true);
        let parse = |pem: String| KeySet::parse(Some(pem.as_bytes()), &[]).map(|_| ());
        assert_eq!(parse(String::new()), Err(InvalidKey::Empty));
        assert_eq!(parse(own.pem() + &own.key().serialize_pem()), Ok(()));
        assert_eq!(parse(own.key().serialize_pem()), Err(InvalidKey::Empty));
        assert!(parse(own.pem().replace("CERTIFICATE", "PUBLIC KEY")).is_err());
        assert!(parse(own.pem().replace("MII", "MIIA")).is_err());
        assert_eq!(parse(own.pem().repeat(2)), Ok(()));
    }
}
