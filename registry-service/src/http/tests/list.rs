use super::*;

/// Follows `Link` from page to page; the items of each.
async fn pages(rig: &Rig, target: &str, key: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(target.to_owned());
    while let Some(target) = next {
        let answer = rig.get(&target).await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        let items = answer.json()[key].as_array().unwrap().clone();
        pages.push(
            items
                .iter()
                .map(|item| item.as_str().unwrap().to_owned())
                .collect(),
        );
        assert!(pages.len() < 20, "pages go on for ever");
        let link = answer.header("link").to_owned();
        next = link.strip_prefix('<').map(|link| {
            let (target, rest) = link.split_once('>').unwrap();
            assert_eq!(rest, "; rel=\"next\"");
            target.to_owned()
        });
    }
    pages
}

#[tokio::test]
async fn tags_are_listed_in_order_and_in_pages() {
    let rig = Rig::open();
    for tag in ["b", "a", "A", "c", "10", "2"] {
        rig.push_image("a/b", tag, "layer").await;
    }
    let all = rig.get("/v2/a/b/tags/list").await;
    assert_eq!(
        all.json(),
        json!({"name": "a/b", "tags": ["10", "2", "A", "a", "b", "c"]})
    );
    assert_eq!(all.header("link"), "");
    assert_eq!(
        pages(&rig, "/v2/a/b/tags/list?n=4", "tags").await,
        [vec!["10", "2", "A", "a"], vec!["b", "c"]]
    );
    assert_eq!(pages(&rig, "/v2/a/b/tags/list?n=3", "tags").await.len(), 2);
    for (query, tags) in [
        ("last=a", json!(["b", "c"])),
        ("last=aa", json!(["b", "c"])),
        ("last=c", json!([])),
        ("n=0", json!([])),
        ("n=1&last=2", json!(["A"])),
        ("last=", json!(["10", "2", "A", "a", "b", "c"])),
        ("n=9223372036854775808", json!(["10", "2", "A", "a", "b", "c"])),
        ("n=2147483648", json!(["10", "2", "A", "a", "b", "c"])),
    ] {
        let answer = rig.get(&format!("/v2/a/b/tags/list?{query}")).await;
        assert_eq!(answer.json()["tags"], tags, "{query}");
    }
    let unknown = rig.get("/v2/no/body/tags/list").await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().as_str()),
        (404, "NAME_UNKNOWN")
    );
}

#[tokio::test]
async fn a_malformed_page_size_is_refused_on_every_list() {
    let rig = Rig::open();
    rig.push_image("a/b", "t", "layer").await;
    let subject = Digest::of(Algorithm::Sha256, b"x");
    for path in [
        "/v2/a/b/tags/list",
        "/v2/_catalog",
        &format!("/v2/a/b/referrers/{subject}"),
    ] {
        for n in ["-1", "x", "", "1.5", "+1", "%31x"] {
            let answer = rig.get(&format!("{path}?n={n}")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (400, "PAGINATION_NUMBER_INVALID"),
                "{path} {n}"
            );
        }
        for n in [
            "0",
            "2147483648",
            "9223372036854775808",
            "99999999999999999999999999",
        ] {
            assert_eq!(rig.get(&format!("{path}?n={n}")).await.status, 200, "{path} {n}");
        }
    }
}

#[tokio::test]
async fn the_catalog_is_listed_in_order_and_in_pages() {
    let rig = Rig::open();
    assert_eq!(rig.get("/v2/_catalog").await.json(), json!({"repositories": []}));
    for name in ["a/b", "a-b", "a/b/c", "z", "a"] {
        rig.push_image(name, "t", "layer").await;
    }
    let all = ["a", "a-b", "a/b", "a/b/c", "z"];
    assert_eq!(rig.get("/v2/_catalog").await.json()["repositories"], json!(all));
    assert_eq!(
        pages(&rig, "/v2/_catalog?n=2", "repositories").await,
        [&all[..2], &all[2..4], &all[4..]]
    );
    let after = rig.get("/v2/_catalog?last=a%2Fb").await;
    assert_eq!(after.json()["repositories"], json!(["a/b/c", "z"]));
}

#[tokio::test]
async fn referrers_of_what_nobody_knows_are_an_empty_index() {
    let rig = Rig::open();
    let known = rig.push_image("a/b", "t", "layer").await;
    let unknown = Digest::of(Algorithm::Sha512, b"x");
    for target in [
        format!("no/body/referrers/{unknown}"),
        format!("a/b/referrers/{unknown}"),
        format!("a/b/referrers/{known}"),
    ] {
        let answer = rig.get(&format!("/v2/{target}")).await;
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.header("content-type"), OCI_INDEX);
        assert_eq!(
            answer.json(),
            json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
        );
        assert_eq!(answer.header("oci-filters-applied"), "");
    }
    let malformed = rig.get("/v2/a/b/referrers/sha256:x").await;
    assert_eq!(
        (malformed.status.as_u16(), malformed.code().as_str()),
        (400, "DIGEST_INVALID")
    );
}

#[tokio::test]
async fn referrers_are_listed_with_types_and_annotations_filtered_and_paged() {
    let rig = Rig::open();
    let subject = rig.push_image("a/b", "t", "layer").await;
    let config = Digest::of(Algorithm::Sha256, b"{}");
    let link = json!({"mediaType": OCI_MANIFEST, "digest": subject, "size": 1});
    for i in 0..3 {
        let more = json!({"subject": link, "artifactType": "application/x.sbom+json", "annotations": {"n": i.to_string()}});
        let body = image(&config, 2, &[], &more);
        let digest = Digest::of(Algorithm::Sha256, &body).to_string();
        assert_eq!(
            rig.put_manifest("a/b", &digest, OCI_MANIFEST, &body).await.status,
            201
        );
    }
    let plain = image(&config, 2, &[], &json!({"subject": link}));
    assert_eq!(
        rig.put_manifest("a/b", "plain", OCI_MANIFEST, &plain)
            .await
            .status,
        201
    );
    let target = format!("/v2/a/b/referrers/{subject}");
    let all = rig.get(&target).await.json()["manifests"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(all.len(), 4);
    let types: Vec<&str> = all
        .iter()
        .map(|it| it["artifactType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types
            .iter()
            .filter(|it| **it == "application/vnd.oci.image.config.v1+json")
            .count(),
        1
    );
    let filtered = rig
        .get(&format!("{target}?artifactType=application%2Fx.sbom%2Bjson"))
        .await;
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    let filtered = filtered.json()["manifests"].as_array().unwrap().clone();
    assert_eq!(filtered.len(), 3);
    assert!(filtered.iter().all(|it| it["annotations"]["n"].is_string()));
    let mut found = Vec::new();
    let mut next = Some(format!("{target}?artifactType=application%2Fx.sbom%2Bjson&n=2"));
    while let Some(target) = next {
        let answer = rig.get(&target).await;
        assert_eq!(answer.header("oci-filters-applied"), "artifactType", "{target}");
        found.extend(answer.json()["manifests"].as_array().unwrap().clone());
        let link = answer
            .header("link")
            .strip_prefix('<')
            .and_then(|link| link.split_once('>'));
        next = link.map(|(target, _)| target.to_owned());
    }
    assert_eq!(found, filtered);
}

#[tokio::test]
async fn a_next_page_is_absolute_when_the_external_url_is_configured() {
    let rig = Rig::with(|builder| "https://r.example".clone_into(&mut builder.http.base_url));
    for tag in ["a", "b"] {
        rig.push_image("a/b", tag, "layer").await;
    }
    let answer = rig.get("/v2/a/b/tags/list?n=1").await;
    assert_eq!(
        answer.header("link"),
        "<https://r.example/v2/a/b/tags/list?last=a&n=1>; rel=\"next\""
    );
}
