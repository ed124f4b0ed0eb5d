//! Storage drivers that this version does not have: their keys are checked whole, and then the start is refused.

use shared::runtime::config::Faults;

use super::Section;
use super::key::{Key, Kind, key};

const EXPECTED: &str = "another driver: this version has filesystem and inmemory";
const REMOVED: &str =
    "another driver: distribution 3 has removed it too; copy the tree to a folder with the vendor's tool";

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("storage.s3", Kind::Map, "", "Refused: comes with a later version. Its keys are checked."),
    key("storage.s3aws", Kind::AnySecret, "", "Another name of `storage.s3`, with the same keys."),
    key("storage.s3.accesskey", Kind::Secret, "", "With `secretkey`; without them the chain of the SDK."),
    key("storage.s3.secretkey", Kind::Secret, "", ""),
    key("storage.s3.sessiontoken", Kind::Secret, "", ""),
    key("storage.s3.region", Kind::Text, "", "Required without `regionendpoint`."),
    key("storage.s3.regionendpoint", Kind::Text, "", "The URL of another service than Amazon's."),
    key("storage.s3.redirectendpoint", Kind::Text, "", "The URL that clients are sent to."),
    key("storage.s3.forcepathstyle", Kind::Switch, "(true with `regionendpoint`)", ""),
    key("storage.s3.bucket", Kind::Text, "", "Required."),
    key("storage.s3.encrypt", Kind::Switch, "false", ""),
    key("storage.s3.keyid", Kind::Text, "", ""),
    key("storage.s3.secure", Kind::Switch, "true", ""),
    key("storage.s3.skipverify", Kind::Switch, "false", ""),
    key("storage.s3.v4auth", Kind::Switch, "true", ""),
    key("storage.s3.chunksize", Kind::Count, "10485760", "5 MiB to 5 GiB."),
    key("storage.s3.multipartcopychunksize", Kind::Count, "33554432", ""),
    key("storage.s3.multipartcopymaxconcurrency", Kind::Count, "100", ""),
    key("storage.s3.multipartcopythresholdsize", Kind::Count, "33554432", ""),
    key("storage.s3.rootdirectory", Kind::Text, "", ""),
    key("storage.s3.storageclass", Kind::OneOf(&["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "OUTPOSTS", "GLACIER_IR", "EXPRESS_ONEZONE", "NONE"]), "STANDARD", ""),
    key("storage.s3.useragent", Kind::Text, "", ""),
    key("storage.s3.objectacl", Kind::OneOf(&["private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control"]), "private", ""),
    key("storage.s3.usedualstack", Kind::Switch, "false", ""),
    key("storage.s3.accelerate", Kind::Switch, "false", ""),
    key("storage.s3.usefipsendpoint", Kind::Switch, "false", ""),
    key("storage.s3.loglevel", Kind::OneOf(&["off", "false", "debug", "debugwithsigning", "debugwithhttpbody", "debugwithrequestretries", "debugwithrequesterrors", "debugwitheventstreambody"]), "off", ""),
    key("storage.s3.pathstyle", Kind::Switch, "", "GitLab's."),
    key("storage.s3.parallelwalk", Kind::Switch, "", "GitLab's."),
    key("storage.s3.maxrequestspersecond", Kind::Count, "350", "GitLab's."),
    key("storage.s3.maxretries", Kind::Count, "", "GitLab's."),
    key("storage.azure", Kind::Map, "", "Refused: comes with a later version. Its keys are checked."),
    key("storage.azure.accountname", Kind::Text, "", "Required."),
    key("storage.azure.accountkey", Kind::Secret, "", ""),
    key("storage.azure.container", Kind::Text, "", "Required."),
    key("storage.azure.connectionstring", Kind::Secret, "", ""),
    key("storage.azure.credentials.type", Kind::OneOf(&["client_secret", "shared_key", "default_credentials"]), "", ""),
    key("storage.azure.credentials.clientid", Kind::Text, "", ""),
    key("storage.azure.credentials.tenantid", Kind::Text, "", ""),
    key("storage.azure.credentials.secret", Kind::Secret, "", ""),
    key("storage.azure.rootdirectory", Kind::Text, "", ""),
    key("storage.azure.realm", Kind::Text, "core.windows.net", ""),
    key("storage.azure.serviceurl", Kind::Text, "", ""),
    key("storage.azure.max_retries", Kind::Count, "5", ""),
    key("storage.azure.retry_delay", Kind::DurationText, "100ms", ""),
    key("storage.azure.skipverify", Kind::Switch, "false", ""),
    key("storage.azure.copy_status_poll_max_retry", Kind::Count, "", "Of distribution 2.8."),
    key("storage.azure.copy_status_poll_delay", Kind::DurationText, "", "Of distribution 2.8."),
    key("storage.gcs", Kind::Map, "", "Refused: comes with a later version. Its keys are checked."),
    key("storage.gcs.bucket", Kind::Text, "", "Required."),
    key("storage.gcs.keyfile", Kind::Text, "", ""),
    key("storage.gcs.credentials", Kind::AnySecret, "", ""),
    key("storage.gcs.rootdirectory", Kind::Text, "", ""),
    key("storage.gcs.chunksize", Kind::Count, "16777216", "A multiple of 256 KiB."),
    key("storage.gcs.maxconcurrency", Kind::Count, "50", ""),
    key("storage.gcs.useragent", Kind::Text, "", ""),
    key("storage.swift", Kind::AnySecret, "", "Refused: removed from distribution 3 too."),
    key("storage.oss", Kind::AnySecret, "", "Refused: removed from distribution 3 too."),
];

/// Checks the keys of a driver that this version does not have and refuses it; `false` when nobody has such a driver.
pub(super) fn refuse(faults: &mut Faults, root: &Section<'_>, driver: &str) -> bool {
    let expected = match driver {
        "s3" => {
            s3(faults, root);
            EXPECTED
        }
        "azure" => {
            root.required(faults, "storage.azure.accountname");
            root.required(faults, "storage.azure.container");
            EXPECTED
        }
        "gcs" => {
            root.required(faults, "storage.gcs.bucket");
            let is_whole = root.count("storage.gcs.chunksize").is_multiple_of(256 << 10);
            if !is_whole {
                root.refuse(faults, "storage.gcs.chunksize", "a multiple of 256 KiB");
            }
            EXPECTED
        }
        "swift" | "oss" => REMOVED,
        _ => return false,
    };
    faults.push("storage", expected, driver);
    true
}

fn s3(faults: &mut Faults, root: &Section<'_>) {
    root.required(faults, "storage.s3.bucket");
    if root.word("storage.s3.regionendpoint").is_none() {
        root.required(faults, "storage.s3.region");
    }
    if !(5 << 20..=5 << 30).contains(&root.count("storage.s3.chunksize")) {
        root.refuse(faults, "storage.s3.chunksize", "5 MiB to 5 GiB");
    }
}
