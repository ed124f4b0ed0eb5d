use super::super::testing::{image, index as index_of};
use super::*;

fn digest(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

fn referring_to(subject: &Digest, artifact_type: &str) -> String {
    let blob = digest("blob");
    image(
        &blob,
        &blob,
        &format!(
            r#","artifactType":"{artifact_type}","subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":1}}"#
        ),
    )
}

fn filled() -> ReferrerIndex {
    let mut index = ReferrerIndex::default();
    let long = "x/".repeat(200);
    for (name, body) in [
        ("one", referring_to(&digest("s"), "a/sig")),
        ("two", referring_to(&digest("s"), "a\\nb\\\"c")),
        ("three", referring_to(&digest("t"), "a/sig")),
        ("long", referring_to(&digest("s"), &long)),
        ("plain", index_of(&[], "")),
        ("odd", "not a manifest".to_owned()),
    ] {
        index.learn(digest(name), Some(body.as_bytes()));
    }
    index.learn(
        Digest::of(Algorithm::Sha512, b"big"),
        Some(referring_to(&digest("s"), "a/sig").as_bytes()),
    );
    index.learn(digest("absent"), None);
    index.set_stamp(Algorithm::Sha512, "7.8".parse().ok());
    index
}

fn sorted(digests: &[Digest]) -> Vec<Digest> {
    let mut digests = digests.to_vec();
    digests.sort();
    digests
}

fn check(index: &ReferrerIndex) {
    let big = Digest::of(Algorithm::Sha512, b"big");
    let of_s = sorted(&[digest("one"), digest("two"), digest("long"), big.clone()]);
    assert_eq!(index.find(&digest("s"), None, None, 9), of_s);
    assert_eq!(index.find(&digest("s"), None, None, 2), of_s[..2]);
    assert_eq!(index.find(&digest("s"), None, Some(&of_s[1]), 9), of_s[2..]);
    assert_eq!(index.find(&digest("t"), None, None, 9), [digest("three")]);
    assert!(index.find(&digest("u"), None, None, 9).is_empty());
    // The type of the long one is not known here, so it has to be looked at.
    let signatures = sorted(&[digest("one"), digest("long"), big]);
    assert_eq!(index.find(&digest("s"), Some("a/sig"), None, 9), signatures);
    let escaped = sorted(&[digest("two"), digest("long")]);
    assert_eq!(index.find(&digest("s"), Some("a\nb\"c"), None, 9), escaped);
    for known in ["one", "plain", "odd", "absent"] {
        assert!(index.knows(&digest(known)), "{known}");
    }
    assert!(!index.knows(&digest("other")));
    assert_eq!(index.absent().collect::<Vec<_>>(), [&digest("absent")]);
    assert_eq!(
        index.stamp(Algorithm::Sha512).map(ToString::to_string).as_deref(),
        Some("7.8")
    );
    assert_eq!(index.stamp(Algorithm::Sha256), None);
    assert_eq!(index.len(), 8);
}

#[test]
fn an_index_finds_what_it_learned_also_after_it_was_stored() {
    let mut index = filled();
    check(&index);
    let stored = index.store();
    check(&ReferrerIndex::parse(&stored).unwrap());
}

#[test]
fn a_torn_or_altered_index_is_refused() {
    let stored = filled().store();
    for length in 0..stored.len() {
        assert!(
            ReferrerIndex::parse(&stored[..length]).is_none(),
            "{length} bytes"
        );
    }
    for at in 0..stored.len() {
        let mut altered = stored.to_vec();
        altered[at] ^= 1;
        assert!(ReferrerIndex::parse(&altered).is_none(), "byte {at}");
    }
    let other = "portolan referrers 0\n";
    let sealed = format!("{other}{}\n", Digest::of(Algorithm::Sha256, other.as_bytes()));
    assert!(ReferrerIndex::parse(sealed.as_bytes()).is_none());
}

#[test]
fn what_is_no_longer_listed_is_forgotten() {
    let mut index = filled();
    index.retain(Algorithm::Sha256, &[digest("one"), digest("plain")]);
    let big = Digest::of(Algorithm::Sha512, b"big");
    assert_eq!(
        index.find(&digest("s"), None, None, 9),
        sorted(&[digest("one"), big])
    );
    assert_eq!(index.len(), 3);
    for gone in ["two", "three", "odd", "absent"] {
        assert!(!index.knows(&digest(gone)), "{gone}");
    }
}

#[test]
fn an_absent_manifest_is_learned_when_its_content_comes() {
    let mut index = filled();
    index.learn(
        digest("absent"),
        Some(referring_to(&digest("u"), "a/b").as_bytes()),
    );
    assert_eq!(index.absent().count(), 0);
    assert_eq!(index.find(&digest("u"), None, None, 9), [digest("absent")]);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reader_of_indexes(
        lines in proptest::collection::vec("(stamp|plain|referrer|absent|) ?[ -~]{0,90}", 0..6),
    ) {
        let content = format!("{FORMAT}\n{}\n", lines.join("\n"));
        let checksum = Digest::of(Algorithm::Sha256, content.as_bytes());
        let _ = ReferrerIndex::parse(format!("{content}{checksum}\n").as_bytes());
        let _ = ReferrerIndex::parse(content.as_bytes());
    }
}
