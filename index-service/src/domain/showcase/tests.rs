use serde_json::json;

use super::*;
use crate::domain::content::Part;

fn described(annotations: &Value, labels: &Value) -> Description {
    Description {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 1,
        content_size: Some(1),
        artifact_type: None,
        subject: None,
        platform: Some("linux/amd64".to_owned()),
        config: Some(json!({ "labels": labels }).to_string()),
        annotations: Some(annotations.to_string()),
        parts: Vec::new(),
    }
}

fn child(platform: &str) -> Part {
    Part {
        role: Role::Manifest,
        digest: String::new(),
        media_type: String::new(),
        size: 1,
        platform: Some(platform.to_owned()),
        command: None,
    }
}

#[test]
fn an_annotation_is_believed_before_a_label_and_the_specification_before_older_keys() {
    let manifest = described(
        &json!({"org.opencontainers.image.description": "  A web\tshop \n with a second line"}),
        &json!({"org.opencontainers.image.description": "of the label", "org.opencontainers.image.title": "Shop",
            "org.label-schema.url": "https://shop.example", "org.opencontainers.image.url": "https://other.example"}),
    );
    let showcase = Showcase::new("1", &manifest, None);
    assert_eq!(showcase.summary, "A web shop");
    assert_eq!(showcase.sayings["title"], "Shop");
    assert_eq!(showcase.sayings["url"], "https://other.example");
    let title_alone = described(&json!({}), &json!({"org.opencontainers.image.title": "Shop"}));
    assert_eq!(Showcase::new("1", &title_alone, None).summary, "Shop");
    let silent = described(&json!([]), &json!("x"));
    assert_eq!(Showcase::new("1", &silent, None).summary, "");
}

#[test]
fn what_an_image_says_is_no_markdown_and_links_nowhere_but_to_pages() {
    let manifest = described(
        &json!({"org.opencontainers.image.description": "# [x](javascript:alert(1)) <script> *b*",
            "org.opencontainers.image.source": "https://git.example/a", "org.opencontainers.image.url": "javascript:alert(1)",
            "org.opencontainers.image.documentation": "https://a> <script"}),
        &json!({}),
    );
    let text = Showcase::new("1", &manifest, None).text();
    assert_eq!(
        text,
        "\\# \\[x\\]\\(javascript:alert\\(1\\)\\) \\<script\\> \\*b\\*\n\n- Source: <https://git.example/a>\n"
    );
}

#[test]
fn a_long_description_is_cut_to_a_line() {
    let manifest = described(
        &json!({"org.opencontainers.image.description": "镜".repeat(5_000)}),
        &json!({}),
    );
    let showcase = Showcase::new("1", &manifest, None);
    assert_eq!(showcase.summary.chars().count(), LONGEST_LINE);
    assert!(showcase.text().chars().count() <= LONGEST_TEXT + 1);
}

#[test]
fn an_index_is_for_the_platforms_of_its_images_and_says_what_its_first_image_says() {
    let mut index = described(&json!({}), &json!({}));
    (index.platform, index.config) = (None, None);
    index.parts = vec![
        child("linux/amd64"),
        child("linux/arm64/v8"),
        child("unknown/unknown"),
        child("linux/amd64"),
    ];
    let image = described(
        &json!({}),
        &json!({"maintainer": "a b", "org.opencontainers.image.created": "now"}),
    );
    let showcase = Showcase::new("1", &index, Some(&image));
    assert_eq!(showcase.platforms, ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(
        showcase.platform_facets(),
        [
            "amd64",
            "arm64",
            "linux",
            "linux/amd64",
            "linux/arm64",
            "linux/arm64/v8"
        ]
    );
    assert_eq!(showcase.labels, ["maintainer=a_b"]);
    assert_eq!(showcase.label_facets(), ["maintainer", "maintainer=a_b"]);
}

#[test]
fn what_is_found_by_is_bounded() {
    let labels: Map<String, Value> = (0..200)
        .map(|n| (format!("k{n}"), Value::from("ä".repeat(300))))
        .collect();
    let manifest = described(&json!({}), &Value::Object(labels));
    let showcase = Showcase::new("1", &manifest, None);
    assert_eq!(showcase.labels.len(), MOST_LABELS);
    assert!(showcase.labels.iter().all(|label| label.len() <= LONGEST_FACET));
    assert_eq!(facet(" a\0b\nc d "), "a_b_c_d");
}
