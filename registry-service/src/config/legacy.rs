//! Sections of distribution 2.8 and of GitLab's registry that nothing here needs

use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("reporting.bugsnag", Kind::AnySecret, "", "Of 2.8.").not_yet(),
    key("reporting.newrelic", Kind::AnySecret, "", "Of 2.8.").not_yet(),
    key("reporting.sentry", Kind::AnySecret, "", "GitLab's.").not_yet(),
    key("compatibility.schema1.signingkeyfile", Kind::Text, "", "Of 2.8: images of schema 1 are not served.").not_yet(),
    key("compatibility.schema1.enabled", Kind::Switch, "false", "Of 2.8: images of schema 1 are not served.").not_yet(),
    key("database", Kind::AnySecret, "", "GitLab's.").not_yet(),
    key("gc", Kind::Any, "", "GitLab's.").not_yet(),
    key("profiling", Kind::AnySecret, "", "GitLab's.").not_yet(),
    key("migration", Kind::Any, "", "GitLab's.").not_yet(),
    key("rate_limiter", Kind::Any, "", "GitLab's.").not_yet(),
];
