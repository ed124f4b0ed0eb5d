//! The cases, with what each has to reach.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Result;
use tokio::sync::Semaphore;

use crate::client::Endpoint;
use crate::content::{Content, IMAGES, TAGGED, tag};
use crate::payload::Series;
use crate::private;
use crate::report::{Target, Unit};
use crate::work::{MANIFEST, Pushing, Work};

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    pub(crate) way: Way,
    /// Both servers as people run them for themselves: one configuration file, accounts in a file of Apache's.
    pub(crate) accounts: bool,
    pub(crate) unit: Unit,
    pub(crate) target: Option<Target>,
    /// Seconds of one round, in proportion to the others.
    pub(crate) weight: f64,
    /// Most operations of one round.
    pub(crate) most: u64,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    ManifestByTag,
    ManifestByDigest,
    BlobHead,
    GetSmall,
    GetMiddle,
    GetLarge,
    PushMiddle,
    PushLarge,
    PushImage,
    Token,
    Tags,
    Catalog,
    Mixed,
}

/// How connections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Kept,
    KeptTls,
    /// One for each request, as docker's engine and old releases of skopeo do.
    Fresh,
    FreshTls,
}

impl Way {
    pub(crate) fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh | Self::FreshTls)
    }

    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::KeptTls | Self::FreshTls)
    }
}

pub(crate) const fn ratio(of_peer: f64) -> Target {
    Target {
        ratio: Some(of_peer),
        ..NO_TARGET
    }
}

const NO_TARGET: Target = Target {
    ratio: None,
    rate: None,
    cost: None,
    p50: None,
};

pub(crate) const fn case(
    id: &'static str,
    kind: Kind,
    connections: usize,
    unit: Unit,
    target: Option<Target>,
) -> Case {
    Case {
        id,
        kind,
        connections,
        way: Way::Kept,
        accounts: false,
        unit,
        target,
        weight: 1.0,
        most: 1_000_000,
    }
}

use Unit::{Gigabyte, Thousand};

/// All of them, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(private::CASES)
}

/// Each server as it is meant to be measured: ours with tokens, the peer without authentication.
static CASES: &[Case] = &[
    case("ping", Kind::Ping, 64, Thousand, Some(ratio(1.0 / 35.0))),
    case(
        "manifest-tag",
        Kind::ManifestByTag,
        64,
        Thousand,
        Some(ratio(1.0 / 25.0)),
    ),
    case(
        "manifest-digest",
        Kind::ManifestByDigest,
        64,
        Thousand,
        Some(ratio(1.0 / 25.0)),
    ),
    case("blob-head", Kind::BlobHead, 64, Thousand, Some(ratio(1.0 / 30.0))),
    case(
        "get-1KiB",
        Kind::GetSmall,
        32,
        Thousand,
        Some(Target {
            ratio: Some(1.0 / 45.0),
            p50: Some(3.0),
            ..NO_TARGET
        }),
    ),
    case("get-1MiB", Kind::GetMiddle, 32, Gigabyte, Some(ratio(1.0 / 5.0))),
    case("get-1MiB-8", Kind::GetMiddle, 8, Gigabyte, Some(ratio(1.0 / 5.0))),
    Case {
        most: 8,
        ..case("get-1GiB", Kind::GetLarge, 8, Gigabyte, Some(ratio(0.75)))
    },
    case("push-1MiB", Kind::PushMiddle, 8, Gigabyte, Some(ratio(1.0 / 3.0))),
    Case {
        most: 1,
        ..case("push-1GiB", Kind::PushLarge, 1, Gigabyte, Some(ratio(1.0 / 3.0)))
    },
    Case {
        weight: 1.5,
        ..case(
            "push-image",
            Kind::PushImage,
            16,
            Thousand,
            Some(Target {
                ratio: Some(1.0 / 8.0),
                rate: Some(5.0),
                ..NO_TARGET
            }),
        )
    },
    case(
        "token",
        Kind::Token,
        16,
        Thousand,
        Some(Target {
            cost: Some(100.0),
            ..NO_TARGET
        }),
    ),
    case(
        "tags-100",
        Kind::Tags,
        8,
        Thousand,
        Some(Target {
            cost: Some(1_000.0),
            ..NO_TARGET
        }),
    ),
    case("catalog-100", Kind::Catalog, 8, Thousand, None),
    Case {
        way: Way::Fresh,
        ..case("ping-fresh", Kind::Ping, 16, Thousand, None)
    },
    Case {
        way: Way::Fresh,
        ..case("manifest-fresh", Kind::ManifestByTag, 16, Thousand, None)
    },
    Case {
        way: Way::FreshTls,
        ..case("ping-tls", Kind::Ping, 16, Thousand, None)
    },
    Case {
        way: Way::FreshTls,
        ..case("manifest-tls", Kind::ManifestByTag, 16, Thousand, None)
    },
];

/// What many clients at once do: no line of the table, but a gauge.
pub(crate) static BUSY: Case = Case {
    weight: 3.0,
    ..case("busy", Kind::Mixed, 256, Thousand, None)
};

/// Of those many, so many push at the same time; a registry admits a bounded number.
const PUSHES: usize = 64;

/// Sizes of what is pushed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) middle: u64,
    pub(crate) large: u64,
    pub(crate) layer: u64,
}

/// What the operations of all cases are made from.
pub(crate) struct Supply<'a> {
    pub(crate) content: &'a Content,
    pub(crate) sizes: Sizes,
    pub(crate) seed: u64,
    pub(crate) next: Arc<AtomicU64>,
}

impl Kind {
    /// The repository that a token is wanted for, with the actions; `None` when nothing is asked of the registry.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Catalog => "registry:catalog:*",
            Self::Tags => "repository:bench/tags:pull,push",
            _ => "repository:bench/app:pull,push",
        }
    }

    /// Whether it fills the disk.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Self::PushMiddle | Self::PushLarge | Self::PushImage | Self::Mixed
        )
    }

    /// The operation, for requests to this endpoint.
    pub(crate) fn work(self, endpoint: &Endpoint, supply: &Supply<'_>) -> Result<Work> {
        let content = supply.content;
        let get = |path: &str| endpoint.prepare("GET", path, "");
        let blobs = |method: &str, digests: &[String]| -> Vec<Vec<u8>> {
            let path = |digest| format!("/v2/{IMAGES}/blobs/{digest}");
            digests
                .iter()
                .map(|digest| endpoint.prepare(method, &path(digest), ""))
                .collect()
        };
        let manifest = |reference: &str| {
            let accept = format!("Accept: {MANIFEST}\r\n");
            endpoint.prepare("GET", &format!("/v2/{IMAGES}/manifests/{reference}"), &accept)
        };
        let pushing = |size: u64| Pushing {
            repository: IMAGES.to_owned(),
            series: Series::new(supply.seed ^ 3, size),
            next: Arc::clone(&supply.next),
        };
        Ok(match self {
            Self::Ping => Work::Read(vec![get("/v2/")]),
            Self::ManifestByTag => Work::Read(
                (0..content.manifests.len())
                    .map(|number| manifest(&tag(number)))
                    .collect(),
            ),
            Self::ManifestByDigest => {
                Work::Read(content.manifests.iter().map(|digest| manifest(digest)).collect())
            }
            Self::BlobHead => Work::Read(blobs("HEAD", &content.small)),
            Self::GetSmall => Work::Read(blobs("GET", &content.small)),
            Self::GetMiddle => Work::Read(blobs("GET", &content.middle)),
            Self::GetLarge => Work::Read(blobs("GET", &content.large)),
            Self::PushMiddle => Work::PushWhole(pushing(supply.sizes.middle)),
            Self::PushLarge => Work::PushStreamed(pushing(supply.sizes.large)),
            Self::PushImage => Work::PushImage(pushing(supply.sizes.layer)),
            Self::Token => Work::Read(vec![get(
                "/token?service=bench&scope=repository%3Abench%2Fapp%3Apull%2Cpush",
            )]),
            Self::Tags => Work::Read(vec![get(&format!("/v2/{TAGGED}/tags/list?n=100&last=tag-05000"))]),
            Self::Catalog => Work::Read(vec![get("/v2/_catalog?n=100&last=bench/repository-0500")]),
            Self::Mixed => Work::Mixed(
                vec![
                    Work::Read(blobs("GET", &content.middle)),
                    Self::ManifestByTag.work(endpoint, supply)?,
                    Work::PushWhole(pushing(supply.sizes.middle)),
                    Work::Read(blobs("GET", &content.small)),
                ],
                Semaphore::new(PUSHES),
            ),
        })
    }
}
