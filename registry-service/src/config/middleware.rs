//! `middleware`

use std::time::Duration;

use shared::runtime::config::Faults;

use super::Section;
use super::auth::web_url;
use super::key::{Key, Kind, key};
use crate::redirect::cloudfront::{Direct, Options};
use crate::redirect::{Choice, Rewrite, effects_on_folder};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("middleware", Kind::Map, "", "Middlewares by place: `registry`, `repository`, `storage`. Those of `storage` are applied in their order; of the others there are none, and one that is not disabled is refused."),
    key("middleware.storage[].name", Kind::Text, "", "`redirect`: clients fetch blobs from the tree of the storage under `baseurl`, to which `/docker/registry/v2/…` is added, also of a folder. `rewrite`: changes the URL that clients are sent to so far. `cloudfront`: sends them to signed URLs before a bucket. The last two do nothing by themselves on a folder, which sends nobody anywhere, and the start says so."),
    key("middleware.storage[].disabled", Kind::Switch, "false", "Whether it is off. (Distribution reads this and does not heed it.)"),
    key("middleware.storage[].options", Kind::Map, "", "Its options."),
    key("middleware.storage[].options.baseurl", Kind::Text, "", "`redirect`, `cloudfront`: required, the URL, perhaps with a path."),
    key("middleware.storage[].options.scheme", Kind::Text, "", "`rewrite`: another scheme."),
    key("middleware.storage[].options.host", Kind::Text, "", "`rewrite`: another host, perhaps with a port."),
    key("middleware.storage[].options.trimpathprefix", Kind::Text, "", "`rewrite`: taken off the beginning of the path."),
    key("middleware.storage[].options.privatekey", Kind::Text, "", "`cloudfront`: required, the file of an RSA key (PEM)."),
    key("middleware.storage[].options.keypairid", Kind::Text, "", "`cloudfront`: required, what the CDN calls the key."),
    key("middleware.storage[].options.duration", Kind::Duration, "20m", "`cloudfront`: how long a URL is good."),
    key("middleware.storage[].options.ipfilteredby", Kind::Text, "none", "`cloudfront`: `aws` sends clients in Amazon's networks to the bucket itself, `awsregion` those in `awsregion`."),
    key("middleware.storage[].options.awsregion", Kind::Text, "", "`cloudfront`: regions, with commas between them."),
    key("middleware.storage[].options.updatefrequency", Kind::Duration, "12h", "`cloudfront`: how often Amazon's networks are fetched."),
    key("middleware.storage[].options.updatefrenquency", Kind::Duration, "", "`cloudfront`: the same, as distribution once spelled it."),
    key("middleware.storage[].options.iprangesurl", Kind::Text, "https://ip-ranges.amazonaws.com/ip-ranges.json", "`cloudfront`: where they are published."),
    key("middleware.*[].name", Kind::Text, "", "Refused in other places than `storage`."),
    key("middleware.*[].disabled", Kind::Switch, "false", "Whether it is off."),
    key("middleware.*[].options", Kind::AnySecret, "", "Its options."),
];

/// The storage's middlewares, and what is to be said of them, one sentence each.
pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> (Vec<Choice>, Vec<String>) {
    let (mut choices, mut paths) = (Vec::new(), Vec::new());
    for place in root.names("middleware") {
        if !["registry", "repository", "storage"].contains(&place) {
            faults.push("middleware", "registry, repository or storage", place);
        }
        for item in root.items(&format!("middleware.{place}")) {
            let name = item.required(faults, "name");
            if name.is_empty() || item.switch("disabled") {
                continue;
            }
            if place != "storage" {
                let expected = "no middleware, or a disabled one: this version does not have it";
                item.refuse(faults, "name", expected);
            } else if let Some(choice) = choice(faults, &item, &name) {
                choices.push(choice);
                paths.push(format!("{}: {name}", item.full("name")));
            }
        }
    }
    let mut remarks = Vec::new();
    if root.switch("storage.redirect.disable") {
        if !choices.is_empty() {
            remarks.push(
                "storage.redirect.disable: clients are sent nowhere, whatever middleware says".to_owned(),
            );
        }
        choices.clear();
    }
    for (path, has_effect) in paths.iter().zip(effects_on_folder(&choices)) {
        if !has_effect {
            remarks.push(format!(
                "{path} has no effect on this storage, which sends clients nowhere"
            ));
        }
    }
    (choices, remarks)
}

fn choice(faults: &mut Faults, item: &Section<'_>, name: &str) -> Option<Choice> {
    match name {
        "redirect" => {
            let text = item.required(faults, "options.baseurl");
            let base = text.parse();
            if base.is_err() && !text.is_empty() {
                item.refuse(
                    faults,
                    "options.baseurl",
                    "a URL such as https://downloads.example/registry",
                );
            }
            base.ok().map(Choice::Redirect)
        }
        "rewrite" => Some(Choice::Rewrite(Rewrite {
            scheme: item.word("options.scheme"),
            host: item.word("options.host"),
            trim_path_prefix: item.word("options.trimpathprefix"),
        })),
        "cloudfront" => Some(Choice::CloudFront(cloudfront(faults, item))),
        _ => {
            item.refuse(faults, "name", "cloudfront, redirect or rewrite");
            None
        }
    }
}

fn cloudfront(faults: &mut Faults, item: &Section<'_>) -> Options {
    let base_url = item.required(faults, "options.baseurl");
    let full = if base_url.contains("://") {
        base_url.clone()
    } else {
        format!("https://{base_url}")
    };
    if !base_url.is_empty() && web_url(&full).is_none() {
        item.refuse(
            faults,
            "options.baseurl",
            "a URL such as https://d111111abcdef8.cloudfront.net",
        );
    }
    Options {
        base_url,
        private_key: item.required(faults, "options.privatekey").into(),
        key_pair_id: item.required(faults, "options.keypairid"),
        duration: item.duration("options.duration"),
        direct: direct(faults, item),
    }
}

fn direct(faults: &mut Faults, item: &Section<'_>) -> Option<Direct> {
    let filter = item.text("options.ipfilteredby").unwrap_or_default();
    let regions = match filter.trim().to_lowercase().as_str() {
        "" | "none" => return None,
        "aws" => Vec::new(),
        "awsregion" => {
            let regions = item.required(faults, "options.awsregion");
            regions
                .split(',')
                .map(|region| region.trim().to_owned())
                .collect()
        }
        _ => {
            item.refuse(faults, "options.ipfilteredby", "none, aws or awsregion");
            return None;
        }
    };
    let url = item.required(faults, "options.iprangesurl");
    if web_url(&url).is_none() {
        item.refuse(faults, "options.iprangesurl", "an http or https URL");
    }
    let misspelled = item.duration("options.updatefrenquency");
    let interval = if misspelled == Duration::ZERO {
        item.duration("options.updatefrequency")
    } else {
        misspelled
    };
    Some(Direct {
        regions,
        url,
        interval,
    })
}
