//! The OCI distribution-spec, clause by clause and over HTTP: each clause of its endpoint table (end-1 to end-14) and
//! each demand of its conformance suite that registries are known to miss is a check of this folder.
//!
//! A check is a function over a [`target::Target`]; `checks!` runs it against the registry alone (`open`), the same
//! with sha512 for all content (`open_sha512`), and both services with tokens (`tokens`).

use harness::Suite;

/// Adds each check for each target, named `conformance::<target>::<chapter>::<check>`.
macro_rules! checks {
    (@each $suite:ident, $chapter:literal, [$($target:ident),+], $check:ident) => {$(
        $suite.add(
            concat!("conformance::", stringify!($target), "::", $chapter),
            stringify!($check),
            &[],
            |journey| $check(&$crate::conformance::target::Target::$target(journey)?),
        );
    )+};
    ($suite:ident, $chapter:literal, $targets:tt, $($check:ident),+ $(,)?) => {
        $( checks!(@each $suite, $chapter, $targets, $check); )+
    };
}

mod base;
mod catalog;
mod chunked_upload;
mod delete;
mod manifest_content;
mod mount;
mod multi_tag;
mod open_registry;
mod pull;
mod push_manifest;
mod range;
mod referrers;
mod tag_list;
mod target;
mod upload;
mod warning;
mod wrong_digest;

pub(crate) fn add(suite: &mut Suite) {
    base::add(suite);
    pull::add(suite);
    range::add(suite);
    upload::add(suite);
    chunked_upload::add(suite);
    wrong_digest::add(suite);
    mount::add(suite);
    push_manifest::add(suite);
    manifest_content::add(suite);
    multi_tag::add(suite);
    tag_list::add(suite);
    delete::add(suite);
    referrers::add(suite);
    catalog::add(suite);
}
