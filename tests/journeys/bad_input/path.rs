//! Malformed names, digests, tags and upload ids; slashes and dots that are encoded.

use harness::{Journey, Need, Result, Suite, ensure};

use harness::bad_request::Ground;
use harness::bad_request::{Reply, Request};

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan];
    suite.add(
        "bad_input::path",
        "a_malformed_repository_name_is_refused_on_every_route",
        &needs,
        names,
    );
    suite.add(
        "bad_input::path",
        "encoded_slashes_and_dots_never_reach_another_path",
        &needs,
        encoded,
    );
    suite.add(
        "bad_input::path",
        "a_malformed_digest_is_refused_on_every_route",
        &needs,
        digests,
    );
    suite.add("bad_input::path", "a_malformed_tag_is_refused", &needs, tags);
    suite.add(
        "bad_input::path",
        "a_malformed_upload_id_is_refused",
        &needs,
        upload_ids,
    );
    suite.add(
        "bad_input::path",
        "a_malformed_page_size_is_refused_on_every_list",
        &needs,
        page_sizes,
    );
}

/// Each route with a name in it, as method and what follows the name.
fn routes(ground: &Ground) -> Vec<(&'static str, String)> {
    let layer = &ground.layer;
    vec![
        ("GET", "tags/list".to_owned()),
        ("GET", "manifests/good".to_owned()),
        ("HEAD", "manifests/good".to_owned()),
        ("PUT", "manifests/good".to_owned()),
        ("DELETE", "manifests/good".to_owned()),
        ("GET", format!("blobs/{layer}")),
        ("HEAD", format!("blobs/{layer}")),
        ("DELETE", format!("blobs/{layer}")),
        ("GET", format!("referrers/{layer}")),
        ("POST", "blobs/uploads/".to_owned()),
        ("POST", format!("blobs/uploads/?digest={layer}")),
        (
            "POST",
            format!("blobs/uploads/?mount={layer}&from={}", ground.repository()),
        ),
        (
            "PATCH",
            "blobs/uploads/0b0a77e4-6fd1-4c8e-9b1f-2f1b7d6b0c9a".to_owned(),
        ),
        (
            "PUT",
            format!("blobs/uploads/0b0a77e4-6fd1-4c8e-9b1f-2f1b7d6b0c9a?digest={layer}"),
        ),
    ]
}

/// That a request with and without a token is refused: with one for the right reason, without one for that or for the
/// missing token.
fn refused(ground: &Ground, request: &Request, statuses: &[u16], codes: &[&str]) -> Result<()> {
    let bare = ground.send_bare(request)?;
    ensure!(
        [400, 401, 404].contains(&bare.status),
        "{request:?} without a token: {bare}"
    );
    let reply = ground.send(request.clone())?;
    if request.method == "HEAD" {
        ensure!(
            statuses.contains(&reply.status),
            "{request:?} should have been {statuses:?}: {reply}"
        );
        return Ok(());
    }
    bare.error_code()?;
    reply
        .refuses(statuses, codes)
        .map_err(|error| error.context(format!("{request:?}")))
}

fn names(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let own = ground.account.name.clone();
    let long = format!("{own}/{}", "x".repeat(256));
    let deep = format!("{own}{}", "/x".repeat(40));
    let names = [
        "UPPER",
        "-a",
        "a-",
        "a..b",
        "a.",
        ".a",
        "a_",
        "_a",
        "a___b",
        "a._b",
        "a:b",
        "a@b",
        "a~b",
        "a;b",
        "a,b",
        "a+b",
        "a=b",
        "a!b",
        "a$b",
        "a*b",
        "a'b",
        "a(b)",
        "%20",
        "a%00b",
        "a%0d%0aX-Injected:%20y",
        "%C3%BC",
        "%FF",
        "%E2%80%AE",
        "%",
        "%4",
        "%zz",
        "a%",
    ];
    let mut all: Vec<String> = names.iter().map(|name| format!("{own}/{name}")).collect();
    all.extend(names.iter().map(ToString::to_string));
    all.extend([
        long,
        deep,
        format!("{own}//kept"),
        format!("/{own}/kept"),
        format!("{own}/kept/"),
    ]);
    for name in all {
        for (method, rest) in routes(&ground) {
            let request = Request::new(method, format!("/v2/{name}/{rest}"));
            refused(&ground, &request, &[400], &["NAME_INVALID"])?;
        }
    }
    ground.is_unharmed()
}

fn encoded(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let (own, layer) = (ground.account.name.clone(), ground.layer.clone());
    let targets = [
        format!("/v2/{own}%2Fkept/manifests/good"),
        format!("/v2/{own}%2fkept/tags/list"),
        format!("/v2/{own}/kept%2Fmanifests%2Fgood"),
        format!("/v2/{own}/kept/manifests%2Fgood"),
        format!("/v2/{own}/kept%2Fblobs/{layer}"),
        format!("/v2/{own}/%2e%2e/{own}/kept/manifests/good"),
        format!("/v2/{own}/../{own}/kept/manifests/good"),
        format!("/v2/{own}/./kept/manifests/good"),
        format!("/v2/{own}/%2E/kept/manifests/good"),
        format!("/v2/{own}/kept/manifests/..%2f..%2fetc%2fpasswd"),
        format!("/v2/{own}/kept/manifests/../manifests/good"),
        format!("/v2/{own}/kept/manifests/%2e%2e"),
        format!("/v2/{own}/kept/blobs/..%2F..%2Fdata"),
        format!("/v2/{own}/kept/blobs/{layer}%2F..%2F{layer}"),
        format!("/v2/{own}/kept/blobs/{}", layer.replace(':', "/")),
        format!("/v2/../v2/{own}/kept/manifests/good"),
        format!("/v2//{own}/kept/manifests/good"),
        format!("//v2/{own}/kept/manifests/good"),
        format!("/v2/{own}/kept//manifests/good"),
        format!("/v2/{own}/kept/manifests//good"),
        format!("/v2/{own}/kept/manifests/good/"),
        format!("/v2/{own}/kept/manifests/good%00"),
        format!("/v2/{own}/kept/manifests/good;x=y"),
        format!("/v2/{own}%5Ckept/manifests/good"),
        format!("/v2/{own}%252Fkept/manifests/good"),
        format!("/%76%32/{own}/kept/manifests/good"),
        format!("/V2/{own}/kept/manifests/good"),
        "/v2/..%2f..%2f..%2fetc%2fpasswd".to_owned(),
        "/v2/%2e%2e%2f%2e%2e%2fkeys/current".to_owned(),
        "/..%2f..%2finitial-admin-password".to_owned(),
        "/%2e%2e/initial-admin-password".to_owned(),
        "/../initial-admin-password".to_owned(),
    ];
    for target in targets {
        for request in [
            Request::new("GET", &target),
            Request::new("PUT", &target),
            Request::new("DELETE", &target),
        ] {
            let (bare, reply) = (ground.send_bare(&request)?, ground.send(request.clone())?);
            for reply in [&bare, &reply] {
                ensure!(
                    (400..500).contains(&reply.status),
                    "{request:?} should have been refused: {reply}"
                );
            }
            if target.starts_with("/v2/") {
                reply
                    .error_code()
                    .map_err(|error| error.context(format!("{request:?}")))?;
            }
        }
    }
    ground.is_unharmed()
}

fn digests(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let (name, hex) = (ground.repository(), ground.layer.replace("sha256:", ""));
    let malformed = [
        "sha256:".to_owned(),
        "sha256".to_owned(),
        "sha256:baddigeststring".to_owned(),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}0"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{}g", &hex[1..]),
        format!("SHA256:{hex}"),
        format!("sha512:{hex}"),
        format!("sha1:{}", &hex[..40]),
        format!("md5:{}", &hex[..32]),
        format!("sha256:{hex}:{hex}"),
        format!(":{hex}"),
        format!("sha256+b64:{hex}"),
        format!("sha256:{hex}%20"),
        format!("sha256:{hex}%00"),
        format!("sha256:%2e%2e{}", &hex[2..]),
        format!("sha256:{}", "0".repeat(4000)),
        "%C3%BC".to_owned(),
    ];
    for digest in malformed {
        let of = |method: &str, rest: String| Request::new(method, format!("/v2/{name}/{rest}"));
        let requests = [
            of("GET", format!("blobs/{digest}")),
            of("HEAD", format!("blobs/{digest}")),
            of("DELETE", format!("blobs/{digest}")),
            of("GET", format!("referrers/{digest}")),
            of("POST", format!("blobs/uploads/?digest={digest}")).body("content"),
            of("POST", format!("blobs/uploads/?mount={digest}&from={name}")),
        ];
        for request in requests {
            // An escape is refused before anybody asks what it stands for.
            refused(&ground, &request, &[400], &["DIGEST_INVALID", "NAME_INVALID"])?;
        }
        // `sha256` alone is a legal tag: then the body is at fault.
        let put = of("PUT", format!("manifests/{digest}"))
            .header("Content-Type", "application/json")
            .body("{}");
        refused(
            &ground,
            &put,
            &[400],
            &[
                "DIGEST_INVALID",
                "TAG_INVALID",
                "NAME_INVALID",
                "MANIFEST_INVALID",
            ],
        )?;
    }
    ground.is_unharmed()
}

fn tags(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let name = ground.repository();
    let long = "t".repeat(129);
    for tag in [
        ".a", "-a", "a+b", "a~b", "a@b", "a*b", "%20", "a%00", "%2e%2e", "%0a", "%C3%BC", "%zz", &long,
    ] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let request = Request::new(method, format!("/v2/{name}/manifests/{tag}"));
            // Nothing can be found under such a tag; put it may not be.
            let statuses: &[u16] = if method == "PUT" { &[400] } else { &[400, 404] };
            refused(
                &ground,
                &request,
                statuses,
                &["TAG_INVALID", "NAME_INVALID", "MANIFEST_UNKNOWN"],
            )?;
        }
    }
    ground.is_unharmed()
}

fn upload_ids(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let (name, layer) = (ground.repository(), ground.layer.clone());
    let long = "a".repeat(300);
    let ids = [
        "x",
        ".",
        "..",
        "%2e%2e",
        "..%2f..%2fdata",
        "%00",
        "%zz",
        "a%20b",
        "0",
        "A-B",
        "~",
        &long,
        "*",
        "%C3%BC",
    ];
    for id in ids {
        let path = format!("/v2/{name}/blobs/uploads/{id}");
        for method in ["GET", "PATCH", "DELETE"] {
            let codes = ["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "NAME_INVALID"];
            refused(&ground, &Request::new(method, &path), &[400, 404], &codes)?;
        }
        let put = Request::new("PUT", format!("{path}?digest={layer}")).body(harness::bad_request::LAYER);
        refused(
            &ground,
            &put,
            &[400, 404],
            &["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "NAME_INVALID"],
        )?;
    }
    // A session's location whose signed state is not ours.
    let location = ground.begin()?;
    let bare = location.split('?').next().unwrap_or_default();
    for state in ["", "x", "%00", "AAAA", &"A".repeat(2000), "%zz"] {
        let path = format!("{bare}?_state={state}");
        let reply = ground.send(Request::new("PATCH", &path).body("stolen"))?;
        state_refused(&reply)?;
        state_refused(&ground.send(Request::new("PUT", format!("{path}&digest={layer}")).body("stolen"))?)?;
    }
    let reply = ground.send(Request::new("GET", &location))?;
    ensure!(
        reply.status == 204 && reply.header("range") == Some("0-0"),
        "the session changed: {reply}"
    );
    ground.cancel(&location)?;
    ground.is_unharmed()
}

fn state_refused(reply: &Reply) -> Result<()> {
    reply.refuses(&[400, 404], &["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"])
}

fn page_sizes(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let catalog = ground.token_for(&[])?;
    let repository = ground.repository();
    let lists = [
        format!("/v2/{repository}/tags/list"),
        format!("/v2/{repository}/referrers/{}", ground.layer),
        "/v2/_catalog".to_owned(),
    ];
    for list in lists {
        for query in [
            "n=-1",
            "n=0",
            "n=2147483648",
            "n=9223372036854775808",
            "n=99999999999999999999999999",
            "n=x",
            "n=%00",
            "n=",
            "n=1&n=2",
            "n",
            "last=%00",
            "last=%2e%2e%2f",
            "last=%FF",
            "last=%zz",
            "last=",
            "last=a&last=b",
            &format!("last={}", "x".repeat(3000)),
            "&&&=",
            "artifactType=%00",
            "artifactType=",
        ] {
            let request = Request::new("GET", format!("{list}?{query}"));
            let token = if list.ends_with("_catalog") {
                &catalog
            } else {
                &ground.token
            };
            let reply = request.clone().bearer(token).send(ground.server.port())?;
            ensure!([200, 400].contains(&reply.status), "{request:?}: {reply}");
            if reply.status == 400 {
                reply
                    .error_code()
                    .map_err(|error| error.context(format!("{request:?}")))?;
            }
        }
    }
    ground.is_unharmed()
}
