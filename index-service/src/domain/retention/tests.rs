use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn rules(forms: Value) -> Vec<RetentionRule> {
    let forms: Vec<RuleForm> = serde_json::from_value(forms).unwrap();
    RetentionRules::new(forms, None, true).unwrap().rules
}

fn tag(name: &str, pushed_days: i64, pulled_days: Option<i64>) -> TagFacts {
    TagFacts {
        name: name.to_owned(),
        digest: format!("sha256:{name}"),
        pushed_at: NOW - pushed_days * DAY_MS,
        pulled_at: pulled_days.map(|days| NOW - days * DAY_MS),
    }
}

fn going(forms: Value, tags: &[TagFacts]) -> Vec<&str> {
    let verdicts = judge(&rules(forms), &"team/app".parse().unwrap(), tags, NOW);
    let goes = |verdict: &Verdict| matches!(verdict, Verdict::Goes(_));
    tags.iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| goes(verdict))
        .map(|(tag, _)| tag.name.as_str())
        .collect()
}

#[test]
fn a_tag_goes_when_a_rule_deletes_it_and_none_keeps_it() {
    let tags = [
        tag("v1", 400, None),
        tag("v2", 100, Some(1)),
        tag("dev-1", 40, None),
        tag("dev-2", 20, Some(100)),
        tag("dev-3", 2, None),
        tag("latest", 1, Some(0)),
    ];
    let all = json!({"action": "delete"});
    for (forms, expected) in [
        (json!([]), vec![]),
        (json!([{"action": "keep", "tags": ["v*"]}]), vec![]),
        (
            json!([all]),
            vec!["v1", "v2", "dev-1", "dev-2", "dev-3", "latest"],
        ),
        // A protected pattern, wherever it stands.
        (
            json!([{"action": "keep", "tags": ["v*", "latest"]}, all]),
            vec!["dev-1", "dev-2", "dev-3"],
        ),
        (
            json!([all, {"action": "keep", "newest": 2}]),
            vec!["v1", "v2", "dev-1", "dev-2"],
        ),
        // The newest of those that the rule is about.
        (
            json!([{"action": "delete", "tags": ["dev-*"]}, {"action": "keep", "tags": ["dev-*"], "newest": 1}]),
            vec!["dev-1", "dev-2"],
        ),
        (
            json!([{"action": "delete", "not_pushed_for_days": 30}]),
            vec!["v1", "v2", "dev-1"],
        ),
        // Pushed lately is used lately.
        (
            json!([{"action": "delete", "not_pulled_for_days": 30}]),
            vec!["v1", "dev-1"],
        ),
        (
            json!([all, {"action": "keep", "pulled_within_days": 7}]),
            vec!["v1", "dev-1", "dev-2", "dev-3"],
        ),
        (
            json!([all, {"action": "keep", "pushed_within_days": 30, "pulled_within_days": 365}]),
            vec!["v1", "v2", "dev-1", "dev-3"],
        ),
        (
            json!([{"action": "delete", "except": ["dev-*"]}]),
            vec!["v1", "v2", "latest"],
        ),
        (
            json!([{"action": "delete", "repositories": "team/other"}]),
            vec![],
        ),
        (
            json!([{"action": "delete", "repositories": "team/a*", "tags": ["v1"]}]),
            vec!["v1"],
        ),
    ] {
        assert_eq!(going(forms.clone(), &tags), expected, "{forms}");
    }
}

#[test]
fn a_signature_that_is_a_tag_is_judged_by_no_rule() {
    let name = format!("sha256-{}.sig", "a".repeat(64));
    let tags = [tag(&name, 400, None), tag("v1", 400, None)];
    let keep = json!([{"action": "delete"}, {"action": "keep", "newest": 1}]);
    assert_eq!(going(keep, &tags), Vec::<&str>::new());
    assert_eq!(
        subject_of_tag(&name).unwrap(),
        format!("sha256:{}", "a".repeat(64))
    );
    for other in [
        "sha256-abc",
        "v1",
        &format!("sha256-{}x", "a".repeat(64)),
        "sha256-é",
    ] {
        assert_eq!(subject_of_tag(other), None, "{other}");
    }
}

#[test]
fn a_policy_that_cannot_be_says_why() {
    for (forms, word) in [
        (json!([{"action": "keep", "not_pushed_for_days": 3}]), "to delete"),
        (json!([{"action": "delete", "newest": 3}]), "to keep"),
        (json!([{"action": "keep", "newest": 0}]), "newest"),
        (json!([{"action": "delete", "not_pulled_for_days": 0}]), "days"),
        (json!([{"action": "delete", "tags": ["-x"]}]), "tag pattern"),
        (
            json!([{"action": "delete", "repositories": "te*"}]),
            "repository pattern",
        ),
    ] {
        let parsed: Vec<RuleForm> = serde_json::from_value(forms.clone()).unwrap();
        let error = RetentionRules::new(parsed, None, true).unwrap_err().to_string();
        assert!(
            error.contains(word) && error.starts_with("rule 1"),
            "{forms}: {error}"
        );
    }
    let of_namespace: Vec<RuleForm> =
        serde_json::from_value(json!([{"action": "delete", "repositories": "team/*"}])).unwrap();
    assert!(RetentionRules::new(of_namespace.clone(), None, false).is_err());
    assert!(RetentionRules::new(of_namespace.clone(), Some(0), true).is_err());
    assert!(RetentionRules::new(vec![of_namespace[0].clone(); 21], None, true).is_err());
    assert!(Schedule::new(Some(0), 3).is_err() && Schedule::new(Some(1), 24).is_err());
}

#[test]
fn what_is_stored_is_read_again() {
    let forms: Vec<RuleForm> = serde_json::from_value(
        json!([{"action": "delete", "tags": ["dev-*"], "not_pulled_for_days": 30}, {"action": "keep", "newest": 5}]),
    )
    .unwrap();
    let rules = RetentionRules::new(forms, Some(7), true).unwrap();
    let read: Vec<RuleForm> = serde_json::from_str(&rules.to_json()).unwrap();
    assert_eq!(RetentionRules::new(read, Some(7), true).unwrap(), rules);
}

#[test]
fn a_schedule_keeps_its_hour() {
    let daily = Schedule::new(Some(1), 3).unwrap();
    let midnight = NOW.div_euclid(DAY_MS) * DAY_MS;
    let three = midnight + 3 * 3_600_000;
    assert_eq!(daily.first(midnight), Some(three));
    assert_eq!(daily.first(three), Some(three + DAY_MS));
    assert_eq!(daily.next(three, three + 5), Some(three + DAY_MS));
    // Three days nobody was there: it is carried out once, then at its hour.
    assert_eq!(
        daily.next(three, three + 3 * DAY_MS + 5),
        Some(three + 4 * DAY_MS)
    );
    assert_eq!(Schedule::new(None, 3).unwrap().first(midnight), None);
}

fn node(children: &[&str], subject: Option<&str>, idle_since: i64) -> Node {
    Node {
        children: children.iter().map(|child| (*child).to_owned()).collect(),
        subject: subject.map(str::to_owned),
        idle_since,
    }
}

fn graph() -> Graph {
    let mut graph = Graph::default();
    for (digest, node) in [
        ("index-1", node(&["amd", "arm-1"], None, 10)),
        ("index-2", node(&["amd", "arm-2"], None, 20)),
        ("amd", node(&[], None, 10)),
        ("arm-1", node(&[], None, 10)),
        ("arm-2", node(&[], None, 20)),
        ("sig-1", node(&[], Some("index-1"), 10)),
        ("sig-amd", node(&[], Some("amd"), 10)),
        ("lost", node(&[], Some("nothing"), 10)),
    ] {
        graph.add(digest.to_owned(), node);
    }
    graph
}

fn set(digests: &[&str]) -> BTreeSet<String> {
    digests.iter().map(|digest| (*digest).to_owned()).collect()
}

fn texts(digests: &[&str]) -> Vec<String> {
    digests.iter().map(|digest| (*digest).to_owned()).collect()
}

#[test]
fn a_child_of_a_kept_index_and_a_referrer_of_a_kept_subject_stay() {
    let graph = graph();
    let of_first = set(&["index-1", "amd", "arm-1", "sig-1", "sig-amd"]);
    // What the first index shares with the second stays, with its signature; its own signature goes with it.
    let loose = graph.loose(&of_first, &texts(&["index-2"]));
    assert_eq!(loose[0], "index-1", "an index goes before its manifests");
    assert_eq!(
        loose.into_iter().collect::<BTreeSet<_>>(),
        set(&["index-1", "arm-1", "sig-1"])
    );
    // An index that nobody tagged holds its manifests all the same, as long as it is no candidate.
    assert_eq!(
        graph.loose(&of_first, &[]).into_iter().collect::<BTreeSet<_>>(),
        set(&["index-1", "arm-1", "sig-1"])
    );
    assert_eq!(graph.loose(&of_first, &texts(&["index-1"])), Vec::<String>::new());
}

#[test]
fn untagged_manifests_go_by_their_age_unless_something_younger_needs_them() {
    let graph = graph();
    assert_eq!(
        graph.untagged(&[], 10).into_iter().collect::<BTreeSet<_>>(),
        set(&["index-1", "arm-1", "sig-1", "lost"])
    );
    assert_eq!(graph.untagged(&texts(&["index-1", "index-2"]), 99), ["lost"]);
    assert_eq!(graph.untagged(&[], 99).len(), graph.len());
    assert_eq!(graph.untagged(&[], 9), Vec::<String>::new());
}
