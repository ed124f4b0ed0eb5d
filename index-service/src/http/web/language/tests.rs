use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;

#[test]
fn the_language_is_the_readers_first_choice_of_the_two() {
    for (header, expected) in [
        ("", None),
        ("de", None),
        ("zh", Some(Language::Chinese)),
        ("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Chinese)),
        ("en-US,en;q=0.9,zh-CN;q=0.8", Some(Language::English)),
        ("en;q=0.5, ZH-Hans;q=0.7", Some(Language::Chinese)),
        ("zh;q=0", None),
        ("zh;q=x, en;q=0.1", Some(Language::English)),
        ("fr, zh, en", Some(Language::Chinese)),
        (";;,,;q=", None),
    ] {
        assert_eq!(Language::accepted(header), expected, "{header}");
    }
}

/// The keys of a file with the values that they show.
fn keys(area: &str, text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = FluentResource::try_new(text.to_owned())
        .unwrap_or_else(|(_, errors)| panic!("{area} does not parse: {errors:?}"));
    assert!(resource.get_entry(0).is_some(), "{area} is empty");
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ')
            && let Some((key, _)) = line.split_once(" =")
        {
            key.clone_into(&mut current);
            let is_new = keys.insert(current.clone(), BTreeSet::new()).is_none();
            assert!(is_new, "{area} has {current} twice");
            assert!(current.starts_with(&format!("{area}-")), "{area} has {current}");
        }
        let shown = line.split('$').skip(1).map(|rest| {
            rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        keys.entry(current.clone()).or_default().extend(shown);
    }
    keys.remove("");
    keys
}

#[test]
fn both_languages_have_the_same_keys_and_show_the_same_values() {
    for (area, english, chinese) in AREAS {
        let (english, chinese) = (keys(area, english), keys(area, chinese));
        let missing: Vec<_> = english.keys().filter(|key| !chinese.contains_key(*key)).collect();
        let extra: Vec<_> = chinese.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{area}: missing {missing:?}, extra {extra:?}"
        );
        for (key, values) in &english {
            assert_eq!(values, &chinese[key], "{key}");
        }
    }
}

#[test]
fn areas_stand_in_order_and_have_all_the_files_there_are() {
    let listed: Vec<&str> = AREAS.iter().map(|(area, ..)| *area).collect();
    assert!(listed.is_sorted(), "{listed:?}");
    for language in ["en", "zh-CN"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("locales")
            .join(language);
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let area = name.strip_suffix(".ftl").unwrap();
            assert!(listed.contains(&area), "{language}/{name} is not listed");
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn templates() -> Vec<(PathBuf, String)> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"))
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// What stands in `{{ … }}` and `{% … %}` of a template, and what stands outside of them.
fn parted(template: &str) -> (String, String) {
    let (mut code, mut text) = (String::new(), String::new());
    let mut rest = template;
    while let Some(start) = rest.find(['{']) {
        let (before, from) = rest.split_at(start);
        text.push_str(before);
        let end = match from.as_bytes().get(1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                text.push('{');
                rest = &from[1..];
                continue;
            }
        };
        let (inside, after) = from.split_once(end).unwrap_or((from, ""));
        if end != "#}" {
            code.push_str(inside);
            code.push('\n');
        }
        // What stands there is something, whatever it is.
        text.push(' ');
        rest = after;
    }
    text.push_str(rest);
    (code, text)
}

#[test]
fn every_key_that_a_page_names_has_a_text() {
    let areas: Vec<String> = AREAS.iter().map(|(area, ..)| format!("{area}-")).collect();
    let mut named: Vec<(PathBuf, String)> = Vec::new();
    for (path, template) in templates() {
        let (code, _) = parted(&template);
        named.extend(
            code.split('"')
                .skip(1)
                .step_by(2)
                .map(|text| (path.clone(), text.to_owned())),
        );
    }
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/web")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for call in [".t(\"", ".tn(\"", ".ta(\"", ".tna(\""] {
            for rest in text.split(call).skip(1) {
                let key = rest.split('"').next().unwrap_or_default();
                named.push((path.clone(), key.to_owned()));
            }
        }
        for rest in text.split("done(").skip(1) {
            let call = rest.split(';').next().unwrap_or_default();
            let said = call.split('"').skip(1).step_by(2);
            named.extend(said.map(|key| (path.clone(), key.to_owned())));
        }
    }
    let is_key = |text: &str| {
        areas
            .iter()
            .any(|area| text.starts_with(area.as_str()) && text.len() > area.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.ends_with('-')
    };
    let mut count = 0;
    for (path, key) in named.iter().filter(|(_, text)| is_key(text)) {
        count += 1;
        for language in Language::EVERY {
            assert!(language.has(key), "{}: {key} has no text", path.display());
        }
    }
    assert!(count > 100, "the test looks at too little: {count}");
}

#[test]
fn no_visible_text_stands_in_a_template() {
    for (path, template) in templates() {
        let (_, text) = parted(&template);
        // What is shown as it is: commands, drawings, names of things.
        let mut visible = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find('<') {
            visible.push_str(&rest[..start]);
            visible.push(' ');
            let from = &rest[start..];
            let tag = from[1..]
                .split(|letter: char| !letter.is_ascii_alphanumeric())
                .next();
            let end = match tag {
                Some(tag @ ("code" | "svg" | "kbd" | "option")) if from.contains(&format!("</{tag}>")) => {
                    format!("</{tag}>")
                }
                _ => ">".to_owned(),
            };
            rest = from.split_once(&end).map_or("", |(_, after)| after);
        }
        visible.push_str(rest);
        let words = visible
            .replace("Portolan", "")
            .replace("English", "")
            .replace("简体中文", "");
        let words: String = strip_entities(&words);
        assert!(
            !words.chars().any(char::is_alphabetic),
            "{} says {:?}",
            path.display(),
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        for attribute in ["placeholder=\"", "aria-label=\"", "alt=\"", "title=\""] {
            for value in text.split(attribute).skip(1) {
                let value = value.split('"').next().unwrap_or_default();
                let is_text = value.chars().any(char::is_alphabetic) && !value.contains('/');
                assert!(!is_text, "{}: {attribute}{value}", path.display());
            }
        }
    }
}

fn strip_entities(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        kept.push_str(before);
        match after.split_once(';') {
            Some((name, later)) if name.len() < 10 && !name.contains(' ') => rest = later,
            _ => rest = after,
        }
    }
    kept.push_str(rest);
    kept
}

#[test]
fn numbers_in_texts_are_grouped_and_chosen_by() {
    let mut arguments = FluentArgs::new();
    arguments.set("n", 1_i64);
    assert_eq!(Language::English.text("base-stars", Some(&arguments)), "1 star");
    arguments.set("n", 12_345_i64);
    assert_eq!(
        Language::English.text("base-stars", Some(&arguments)),
        "12,345 stars"
    );
    assert_eq!(
        Language::Chinese.text("base-stars", Some(&arguments)),
        "12,345 个星标"
    );
}
