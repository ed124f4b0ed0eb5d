use std::time::Duration;

use super::cloudfront::{Direct, Options, Unusable};
use super::*;

const PATH: &str = "/docker/registry/v2/blobs/sha256/ab/abcd/data";
const NOW_S: i64 = 1_800_000_000;

fn client(address: &str) -> Client {
    Client {
        address: address.parse().ok(),
        now_s: NOW_S,
    }
}

fn on_folder() -> Place<'static> {
    Place {
        path: PATH,
        bucket: None,
    }
}

fn in_bucket() -> Place<'static> {
    Place {
        path: PATH,
        bucket: Some(InBucket {
            key: &PATH[1..],
            url: "https://bucket.s3.example/prefix/docker/x?X-Amz-Signature=y",
        }),
    }
}

fn redirect(base: &str) -> Choice {
    Choice::Redirect(base.parse().unwrap())
}

fn rewrite(scheme: &str, host: &str, prefix: &str) -> Choice {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Choice::Rewrite(Rewrite {
        scheme: said(scheme),
        host: said(host),
        trim_path_prefix: said(prefix),
    })
}

fn vector(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/redirect/vectors")
        .join(name)
}

fn cloudfront(key: &str, direct: Option<Direct>) -> Options {
    Options {
        base_url: "d111111abcdef8.cloudfront.net".to_owned(),
        private_key: vector(key),
        key_pair_id: "K2JCJMDEHXQW5F".to_owned(),
        duration: Duration::from_mins(20),
        direct,
    }
}

fn sent(choices: &[Choice], place: &Place<'_>) -> Option<String> {
    Redirects::open(choices).unwrap().url(place, &client(""))
}

#[test]
fn a_base_url_is_put_before_the_path_as_go_joins_them() {
    for (base, expected) in [
        ("https://cdn.example", "https://cdn.example"),
        ("https://cdn.example/", "https://cdn.example"),
        ("http://CDN.example:8080/a//b/", "http://cdn.example:8080/a/b"),
        (
            "https://user:secret@cdn.example/x?token=y#z",
            "https://cdn.example/x",
        ),
        ("http://[2001:db8::1]:81/x", "http://[2001:db8::1]:81/x"),
    ] {
        assert_eq!(
            sent(&[redirect(base)], &on_folder()),
            Some(format!("{expected}{PATH}")),
            "{base}"
        );
    }
    for base in [
        "",
        "cdn.example",
        "/path",
        "https://",
        "ftp://cdn.example/",
        "cdn.example:80/x",
    ] {
        assert_eq!(base.parse::<BaseUrl>(), Err(InvalidBaseUrl), "{base}");
    }
}

#[test]
fn middlewares_work_on_what_the_one_before_says() {
    let base = redirect("https://cdn.example/x");
    for (choices, folder, bucket) in [
        (
            vec![],
            None,
            Some("https://bucket.s3.example/prefix/docker/x?X-Amz-Signature=y".to_owned()),
        ),
        (
            vec![rewrite("http", "mirror.example:81", "/prefix")],
            None,
            Some("http://mirror.example:81/docker/x?X-Amz-Signature=y".to_owned()),
        ),
        (
            vec![rewrite("", "", "/prefix/")],
            None,
            Some("https://bucket.s3.example/docker/x?X-Amz-Signature=y".to_owned()),
        ),
        (
            vec![rewrite("", "", "/other")],
            None,
            Some("https://bucket.s3.example/prefix/docker/x?X-Amz-Signature=y".to_owned()),
        ),
        (
            vec![base.clone(), rewrite("http", "", "/x/docker")],
            Some("http://cdn.example/registry/v2/blobs/sha256/ab/abcd/data".to_owned()),
            Some("http://cdn.example/registry/v2/blobs/sha256/ab/abcd/data".to_owned()),
        ),
        (
            vec![rewrite("http", "", ""), base.clone()],
            Some(format!("https://cdn.example/x{PATH}")),
            Some(format!("https://cdn.example/x{PATH}")),
        ),
    ] {
        assert_eq!(sent(&choices, &on_folder()), folder, "{choices:?}");
        assert_eq!(sent(&choices, &in_bucket()), bucket, "{choices:?}");
    }
    let effects = |choices: &[Choice]| effects_on_folder(choices).collect::<Vec<_>>();
    let unused = Choice::CloudFront(cloudfront("key.pem", None));
    assert_eq!(
        effects(&[rewrite("", "", ""), unused, base, rewrite("", "", "")]),
        [false, false, true, true]
    );
}

#[test]
fn a_url_of_cloudfront_is_signed_as_openssl_signs_it() {
    let signature = std::fs::read_to_string(vector("signature")).unwrap();
    let expected = format!(
        "https://d111111abcdef8.cloudfront.net{PATH}?Expires=1800001200&Signature={signature}\
         &Key-Pair-Id=K2JCJMDEHXQW5F&Hash-Algorithm=SHA256"
    );
    for key in ["key.pem", "key.pkcs8.pem"] {
        let choices = [Choice::CloudFront(cloudfront(key, None))];
        assert_eq!(sent(&choices, &in_bucket()).as_ref(), Some(&expected), "{key}");
        assert_eq!(sent(&choices, &on_folder()), None);
    }
}

#[test]
fn clients_in_amazons_networks_go_to_the_bucket_once_these_are_known() {
    let direct = Direct {
        regions: Vec::new(),
        url: String::new(),
        interval: Duration::from_hours(12),
    };
    let cloudfront = CloudFront::open(&cloudfront("key.pem", Some(direct))).unwrap();
    let place = in_bucket();
    let is_signed = |cloudfront: &CloudFront, address| {
        cloudfront
            .url(place.bucket.unwrap().key, &client(address))
            .is_some()
    };
    assert!(is_signed(&cloudfront, "52.1.2.3"));
    cloudfront.learn(br#"{"prefixes": [{"ip_prefix": "52.0.0.0/8"}]}"#);
    assert!(!is_signed(&cloudfront, "52.1.2.3"));
    assert!(is_signed(&cloudfront, "53.1.2.3"));
    assert!(is_signed(&cloudfront, "nobody knows"));
}

#[test]
fn a_key_that_is_none_is_said_by_its_path() {
    let of = |path: &std::path::Path| {
        CloudFront::open(&Options {
            private_key: path.to_owned(),
            ..cloudfront("key.pem", None)
        })
    };
    assert!(matches!(of(&vector("absent")), Err(Unusable::Unreadable(..))));
    assert!(matches!(of(&vector("signature")), Err(Unusable::Unreadable(..))));
    let folder = tempfile::tempdir().unwrap();
    let elliptic = folder.path().join("elliptic.pem");
    std::fs::write(&elliptic, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let refused = of(&elliptic).unwrap_err();
    assert!(refused.to_string().contains("elliptic.pem"), "{refused}");
}
