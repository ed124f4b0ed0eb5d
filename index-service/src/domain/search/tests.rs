use super::*;

fn postings(name: &str, summary: &str, topics: &[&str], stars: i64) -> BTreeMap<String, i64> {
    let topics: Vec<Topic> = topics.iter().map(|topic| topic.parse().unwrap()).collect();
    let name = name.parse().unwrap();
    let document = Document {
        name: &name,
        summary,
        topics: &topics,
        categories: &[],
        star_count: stars,
        pull_count: 0,
        platforms: &[],
        labels: &[],
    };
    document.postings()
}

fn looked_for(query: &str) -> Vec<(String, bool)> {
    let terms = terms(query).into_iter().flatten();
    terms.map(|term| (term.word, term.is_prefix)).collect()
}

#[test]
fn a_repository_is_found_by_its_name_its_topics_and_its_summary() {
    let words = postings("team/web/nginx-proxy", "A proxy for 网站", &["Web Server"], 0);
    let words: Vec<&str> = words.keys().map(String::as_str).collect();
    assert_eq!(
        words,
        [
            "#web-server",
            "*",
            "a",
            "for",
            "nginx",
            "proxy",
            "server",
            "team",
            "web",
            "wz",
            "站",
            "网站"
        ]
    );
}

#[test]
fn what_is_called_so_comes_before_what_says_so_and_what_is_official_before_all() {
    let place = |name: &str, summary: &str, topics: &[&str], stars: i64| {
        postings(name, summary, topics, stars)["nginx"]
    };
    let places = [
        place("library/nginx", "", &[], 0),
        place("team/nginx", "", &[], 0),
        place("team/nginx-proxy", "", &[], 0),
        place("team/nginx/proxy", "", &[], 0).min(place("team/x/proxy", "", &["nginx"], 0)),
        place("team/proxy", "", &["nginx"], 0),
        place("nginx/proxy", "", &[], 0),
        place("team/proxy", "nginx", &[], 0),
    ];
    assert!(places.is_sorted(), "{places:?}");
    assert!(place("team/nginx-proxy", "", &[], 1000) < place("team/nginx", "", &[], 0));
    assert!(place("a/nginx", "", &[], 3) < place("a/nginx", "", &[], 2));
    assert!(postings("nginx", "", &[], i64::MAX)["nginx"] >= 0);
    assert!(postings("nginx", "", &[], 0).contains_key(OFFICIAL));
    assert!(!postings("team/library", "", &[], 0).contains_key(OFFICIAL));
}

#[test]
fn a_query_is_words_and_its_last_may_be_unfinished() {
    assert_eq!(looked_for("ngi"), [("ngi".to_owned(), true)]);
    assert_eq!(
        looked_for("Team/App"),
        [("team".to_owned(), false), ("app".to_owned(), true)]
    );
    assert_eq!(looked_for("库"), [("库".to_owned(), true)]);
    assert_eq!(
        looked_for("镜像仓"),
        [("镜像".to_owned(), false), ("像仓".to_owned(), false)]
    );
    assert_eq!(looked_for("a a"), [("a".to_owned(), false)]);
    assert_eq!(terms("\"*\" :&|!"), None);
    assert_eq!(terms(""), None);
    assert_eq!(looked_for(&"ab ".repeat(1000)), [("ab".to_owned(), false)]);
    let many: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
    assert_eq!(looked_for(&many.join(" ")).len(), MAX_TERMS);
}

proptest::proptest! {
    #[test]
    fn what_people_write_never_names_a_list_of_ours(query in "\\PC{0,60}") {
        for term in terms(&query).into_iter().flatten() {
            proptest::prop_assert!(term.word.chars().all(char::is_alphanumeric), "{:?}", term.word);
        }
    }

    #[test]
    fn a_repository_is_found_by_every_word_of_its_summary(summary in "\\PC{0,60}") {
        let postings = postings("a/b", &summary, &[], 0);
        for term in terms(&summary).into_iter().flatten() {
            let is_there = if term.is_prefix {
                postings.keys().any(|word| word.starts_with(&term.word))
            } else {
                postings.contains_key(&term.word)
            };
            proptest::prop_assert!(is_there, "{:?} of {:?}", term, summary);
        }
    }
}

#[test]
fn pulls_count_with_each_doubling_and_images_are_found_by_platform_and_label() {
    let name = "team/app".parse().unwrap();
    let (platforms, labels) = (["linux/arm64".to_owned()], ["a=b".to_owned()]);
    let postings = |pull_count| {
        Document {
            name: &name,
            summary: "",
            topics: &[],
            categories: &[],
            star_count: 0,
            pull_count,
            platforms: &platforms,
            labels: &labels,
        }
        .postings()
    };
    let (none, some) = (postings(0), postings(1_000));
    assert_eq!(none["app"] - some["app"], 9);
    assert_eq!(postings(1_001), some);
    assert!(some.contains_key("%linux/arm64") && some.contains_key("&a=b"));
    let filter = SearchFilter {
        platform: Some(" Linux/ARM64 ".to_owned()),
        label: Some("a=b".to_owned()),
        ..SearchFilter::default()
    };
    assert_eq!(filter.lists(), ["%linux/arm64", "&a=b"]);
}
