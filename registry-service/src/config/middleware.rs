//! `middleware`

use shared::runtime::config::Faults;

use super::Section;
use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("middleware", Kind::Map, "", "Middlewares by place: `registry`, `repository`, `storage`. Refused unless they are disabled or, on a folder, without effect."),
    key("middleware.*[].name", Kind::Text, "", "`storage`: `cloudfront`, `redirect`, `rewrite`, which change where clients are redirected to: a folder redirects nobody."),
    key("middleware.*[].disabled", Kind::Switch, "false", "Whether it is off."),
    key("middleware.*[].options", Kind::AnySecret, "", "Its options."),
];

/// What middlewares do not do here, one sentence each.
pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    for place in root.names("middleware") {
        if !["registry", "repository", "storage"].contains(&place) {
            faults.push("middleware", "registry, repository or storage", place);
        }
        for item in root.items(&format!("middleware.{place}")) {
            let name = item.required(faults, "name");
            if name.is_empty() || item.switch("disabled") {
                continue;
            }
            if place == "storage" && ["cloudfront", "redirect", "rewrite"].contains(&name.as_str()) {
                let path = item.full("name");
                remarks.push(format!(
                    "{path}: {name} has no effect on a folder, which redirects nobody"
                ));
            } else {
                item.refuse(
                    faults,
                    "name",
                    "no middleware, or a disabled one: this version does not have it",
                );
            }
        }
    }
    remarks
}
