use axum::body::Body;

use super::*;
use crate::http::OfRequest;

/// Where an upload that is begun goes on, up to the path of the repository.
async fn location(rig: &Rig, prefix: &str, headers: &[&str]) -> String {
    let target = format!("{prefix}/v2/a/b/blobs/uploads/");
    let answer = rig.send("POST", &target, headers, Body::empty()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let location = answer.headers["location"].to_str().unwrap();
    location.split("/v2/").next().unwrap().to_owned()
}

#[tokio::test]
async fn locations_are_under_the_url_that_the_client_uses() {
    let forwarded = &[
        "Host: in",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: out, in",
    ];
    let rfc = &[
        "Host: in",
        "Forwarded: for=1.2.3.4;proto=https;host=\"out:8443\", for=x;host=y",
        "X-Forwarded-Host: z",
    ];
    let plain = &["Host: in:5000"];
    let wrong: &[&str] = &["Host: in", "X-Forwarded-Proto: javascript"];
    let evil: &[&str] = &["Host: in", "X-Forwarded-Host: out/@evil?"];
    for (base, by_request, prefix, headers, expected) in [
        ("", false, "", plain.as_slice(), ""),
        ("", false, "", forwarded, ""),
        ("", false, "/r", forwarded, "/r"),
        ("", true, "", plain, "http://in:5000"),
        ("", true, "/r", plain, "http://in:5000/r"),
        ("", true, "", forwarded, "https://out"),
        ("", true, "/r/s", forwarded, "https://out/r/s"),
        ("", true, "", rfc, "https://out:8443"),
        (
            "",
            true,
            "",
            &["Host: in", "X-Forwarded-Proto: https,http"],
            "https://in",
        ),
        ("", true, "", wrong, ""),
        ("", true, "/r", evil, "/r"),
        ("https://h", false, "", forwarded, "https://h"),
        ("https://h/p", false, "/r", forwarded, "https://h/p"),
        ("https://h", true, "", rfc, "https://h"),
    ] {
        let rig = Rig::with(|builder| {
            base.clone_into(&mut builder.http.base_url);
            prefix.clone_into(&mut builder.http.prefix);
            builder.http.of_request = by_request.then(OfRequest::default);
        });
        let found = location(&rig, prefix, headers).await;
        assert_eq!(found, expected, "{base} {by_request} {prefix} {headers:?}");
    }
}

#[tokio::test]
async fn only_proxies_that_are_trusted_say_where_the_registry_is() {
    let rig = Rig::with(|builder| {
        let trusted = vec!["10.0.0.0/8".parse().unwrap()];
        builder.http.of_request = Some(OfRequest { trusted });
    });
    // Requests of these tests come from no address.
    let found = location(&rig, "", &["Host: in", "X-Forwarded-Host: out"]).await;
    assert_eq!(found, "http://in");
}

#[tokio::test]
async fn below_a_prefix_there_is_a_registry_and_beside_it_a_probe_alone() {
    let rig = Rig::with(|builder| "/r".clone_into(&mut builder.http.prefix));
    for (path, status) in [
        ("/r/v2/", 200),
        ("/", 200),
        ("/v2/", 404),
        ("/rv2/", 404),
        ("/r", 404),
    ] {
        assert_eq!(rig.get(path).await.status, status, "{path}");
    }
}
