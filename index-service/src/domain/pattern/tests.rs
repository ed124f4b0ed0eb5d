use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> RepositoryPattern {
    text.parse().unwrap()
}

#[test]
fn patterns_reach_what_they_say() {
    for (text, name, reached) in [
        ("*", "centos", true),
        ("*", "team/app/web", true),
        ("team/*", "team/app", true),
        ("team/*", "team/app/web", true),
        ("team/*", "team2/app", false),
        ("team/*", "team", false),
        ("team/app-*", "team/app-1", true),
        ("team/app-*", "team/app-1/x", true),
        ("team/app-*", "team/app", false),
        ("team/app*", "team/app", true),
        ("team/app*", "team/application", true),
        ("team/app", "team/app", true),
        ("team/app", "team/app/web", false),
        ("team/app", "team/app2", false),
        ("centos", "centos", true),
        ("centos", "centos/x", false),
        ("library/*", "centos", true),
        ("library/*", "library/centos", true),
        ("library/cent*", "centos", true),
        ("library/cent*", "debian", false),
        ("library/cent*", "cent/os", false),
        ("library/centos", "centos", false),
    ] {
        assert_eq!(
            pattern(text).matches(&name.parse().unwrap()),
            reached,
            "{text} {name}"
        );
    }
}

#[test]
fn malformed_patterns_are_refused() {
    use InvalidPattern::{Characters, Length, Namespace, Star};
    let long = format!("a/{}*", "b".repeat(254));
    for (text, reason) in [
        ("", Length),
        (long.as_str(), Length),
        ("**", Star),
        ("team/*/web", Star),
        ("*/web", Star),
        ("te*", Namespace),
        ("Team/*", Characters),
        ("team/App*", Characters),
        ("/*", Characters),
        ("team//*", Characters),
        ("team/../*", Characters),
        ("team/%*", Characters),
        ("team/a b*", Characters),
        ("team/a.-*", Characters),
        ("team/", Characters),
        ("team/_*", Characters),
        ("team/ä*", Characters),
    ] {
        assert_eq!(text.parse::<RepositoryPattern>(), Err(reason), "{text}");
    }
}

fn name() -> impl Strategy<Value = RepositoryName> {
    "(library|team|ab|a)?(/?[ab-]{1,3}){1,3}".prop_filter_map("a name", |text| text.parse().ok())
}

fn any_pattern() -> impl Strategy<Value = RepositoryPattern> {
    "(library|team|ab|a)?(/?[ab-]{1,3}){0,2}/?\\*?".prop_filter_map("a pattern", |text| text.parse().ok())
}

fn in_ranges(ranges: &PatternRanges, name: &str) -> bool {
    let inside = |(from, before): &(String, String)| from.as_str() <= name && name < before.as_str();
    inside(&ranges.names) || (!name.contains('/') && inside(&ranges.one_segment))
}

proptest! {
    #[test]
    fn a_pattern_reads_back_what_it_writes(pattern in any_pattern()) {
        prop_assert_eq!(pattern.to_string().parse::<RepositoryPattern>().unwrap(), pattern);
    }

    #[test]
    fn ranges_reach_the_same_names_as_matching(pattern in any_pattern(), name in name()) {
        prop_assert_eq!(in_ranges(&pattern.ranges(), name.as_str()), pattern.matches(&name));
    }

    #[test]
    fn every_name_is_reached_by_its_own_pattern_by_its_namespace_and_by_star(name in name()) {
        prop_assert!(pattern(name.as_str()).matches(&name));
        prop_assert!(RepositoryPattern::every().matches(&name));
        let namespace = pattern(&format!("{}/*", name.namespace()));
        prop_assert!(namespace.matches(&name));
    }

    #[test]
    fn a_pattern_with_a_namespace_reaches_no_other_namespace(pattern in any_pattern(), name in name()) {
        let text = pattern.to_string();
        if text != "*" && pattern.matches(&name) {
            let own = text.split_once('/').map_or("library", |(namespace, _)| namespace);
            prop_assert_eq!(own, name.namespace());
        }
    }
}
