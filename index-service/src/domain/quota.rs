//! How much a namespace may hold.

use std::str::FromStr;

use shared::token::quota::{Bytes, Share};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Bytes of its repositories together: what they share counts for each.
    Bytes,
    /// Bytes, what its repositories share counted once.
    StorageBytes,
    /// Repositories.
    Repositories,
    /// Tags of all its repositories.
    Tags,
}

impl Resource {
    /// Every one.
    pub const EVERY: [Self; 4] = [Self::Bytes, Self::StorageBytes, Self::Repositories, Self::Tags];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::StorageBytes => "storage_bytes",
            Self::Repositories => "repositories",
            Self::Tags => "tags",
        }
    }

    /// So many of it, as people read it: `1.5 GB`, `3 tags`.
    pub fn describe(self, count: u64) -> String {
        match self {
            Self::Bytes => Bytes(count).to_string(),
            Self::StorageBytes => format!("{} of storage", Bytes(count)),
            Self::Repositories => format!("{count} repositories"),
            Self::Tags => format!("{count} tags"),
        }
    }
}

/// A number for each resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerResource<T> {
    /// Of [`Resource::Bytes`].
    pub bytes: T,
    /// Of [`Resource::StorageBytes`].
    pub storage_bytes: T,
    /// Of [`Resource::Repositories`].
    pub repositories: T,
    /// Of [`Resource::Tags`].
    pub tags: T,
}

impl<T: Copy> PerResource<T> {
    /// The number of one.
    pub fn of(&self, resource: Resource) -> T {
        match resource {
            Resource::Bytes => self.bytes,
            Resource::StorageBytes => self.storage_bytes,
            Resource::Repositories => self.repositories,
            Resource::Tags => self.tags,
        }
    }

    /// The same numbers, each as `change` makes it.
    pub fn map<U>(&self, change: impl Fn(Resource, T) -> U) -> PerResource<U> {
        PerResource {
            bytes: change(Resource::Bytes, self.bytes),
            storage_bytes: change(Resource::StorageBytes, self.storage_bytes),
            repositories: change(Resource::Repositories, self.repositories),
            tags: change(Resource::Tags, self.tags),
        }
    }
}

/// How much is used.
pub type Usage = PerResource<u64>;
/// How much may be; `None` for no limit.
pub type Limits = PerResource<Option<u64>>;

/// What was decided about one resource of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decided {
    /// Nothing: what the site's configuration says.
    #[default]
    Default,
    /// No limit.
    Unlimited,
    /// At most so many.
    AtMost(u64),
}

impl Decided {
    /// The largest limit, so that every database and token holds it.
    pub const MOST: u64 = 1 << 62;

    /// The limit, where the site's is `default`.
    pub fn limit(self, default: Option<u64>) -> Option<u64> {
        match self {
            Self::Default => default,
            Self::Unlimited => None,
            Self::AtMost(limit) => Some(limit),
        }
    }

    /// As it is stored.
    pub fn to_stored(self) -> Option<i64> {
        match self {
            Self::Default => None,
            Self::Unlimited => Some(-1),
            Self::AtMost(limit) => Some(i64::try_from(limit).unwrap_or(i64::MAX)),
        }
    }

    /// What [`Decided::to_stored`] writes; whatever is below zero is no limit.
    pub fn of_stored(stored: Option<i64>) -> Self {
        stored.map_or(Self::Default, |limit| {
            u64::try_from(limit).map_or(Self::Unlimited, Self::AtMost)
        })
    }
}

/// What was decided about a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NamespaceQuota {
    /// About each resource.
    pub decided: PerResource<Decided>,
    /// Whether the registry asks before each manifest; `None` for what the site's configuration says.
    pub is_strict: Option<bool>,
}

/// What the operator says about namespaces of which nothing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaDefaults {
    /// The limits.
    pub limits: Limits,
    /// From how many percent on clients are warned, and the audit log tells.
    pub warn_percent: u8,
    /// Whether the registry asks before each manifest.
    pub is_strict: bool,
}

impl Default for QuotaDefaults {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            warn_percent: 80,
            is_strict: false,
        }
    }
}

/// The quota that holds for a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limits.
    pub limits: Limits,
    /// From how many percent on clients are warned.
    pub warn_percent: u8,
    /// Whether the registry asks before each manifest.
    pub is_strict: bool,
}

impl Quota {
    /// What holds where this was decided.
    pub fn new(decided: &NamespaceQuota, defaults: &QuotaDefaults) -> Self {
        Self {
            limits: decided
                .decided
                .map(|resource, one| one.limit(defaults.limits.of(resource))),
            warn_percent: defaults.warn_percent,
            is_strict: decided.is_strict.unwrap_or(defaults.is_strict),
        }
    }

    /// Whether nothing is limited.
    pub fn is_unlimited(&self) -> bool {
        self.limits == Limits::default()
    }

    /// What is used of a resource and its limit, where it has one.
    pub fn share(&self, resource: Resource, usage: &Usage) -> Option<Share> {
        let limit = self.limits.of(resource)?;
        Some(Share(usage.of(resource), limit))
    }

    /// The last step that is reached: 100 percent, what clients are warned from on, or 0.
    pub fn step(&self, resource: Resource, usage: &Usage) -> u8 {
        let Some(Share(used, limit)) = self.share(resource, usage) else {
            return 0;
        };
        let percent = u128::from(used) * 100;
        if percent >= u128::from(limit) * 100 {
            100
        } else if percent >= u128::from(limit) * u128::from(self.warn_percent) {
            self.warn_percent
        } else {
            0
        }
    }
}

/// A text is no number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number such as 5000000000, 5GB or 5GiB")]
pub struct InvalidAmount;

/// A number, which may be written with a unit of bytes: `5GB`, `512MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(
    /// How many.
    pub u64,
);

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "t" | "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(InvalidAmount),
        };
        let number: u64 = number.parse().map_err(|_| InvalidAmount)?;
        let amount = number
            .checked_mul(factor)
            .filter(|amount| *amount <= Decided::MOST);
        amount.map(Self).ok_or(InvalidAmount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_units_of_bytes() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("5000000000", Ok(5_000_000_000)),
            ("5GB", Ok(5_000_000_000)),
            ("5 gib", Ok(5 << 30)),
            ("1k", Ok(1_000)),
            ("7tb", Ok(7_000_000_000_000)),
            ("", Err(InvalidAmount)),
            ("GB", Err(InvalidAmount)),
            ("-1", Err(InvalidAmount)),
            ("1.5GB", Err(InvalidAmount)),
            ("5 lb", Err(InvalidAmount)),
            ("99999999999999999999", Err(InvalidAmount)),
            ("9999999999TB", Err(InvalidAmount)),
        ] {
            assert_eq!(
                text.parse::<Amount>().map(|amount| amount.0),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_was_decided_goes_before_what_the_site_says() {
        let defaults = QuotaDefaults {
            limits: Limits {
                bytes: Some(10),
                tags: Some(3),
                ..Limits::default()
            },
            ..QuotaDefaults::default()
        };
        let decided = NamespaceQuota {
            decided: PerResource {
                bytes: Decided::Unlimited,
                repositories: Decided::AtMost(0),
                ..PerResource::default()
            },
            is_strict: Some(true),
        };
        let quota = Quota::new(&decided, &defaults);
        assert_eq!(
            quota.limits,
            Limits {
                bytes: None,
                storage_bytes: None,
                repositories: Some(0),
                tags: Some(3),
            }
        );
        assert!(quota.is_strict && !quota.is_unlimited());
        assert!(Quota::new(&NamespaceQuota::default(), &QuotaDefaults::default()).is_unlimited());
        for one in [Decided::Default, Decided::Unlimited, Decided::AtMost(7)] {
            assert_eq!(Decided::of_stored(one.to_stored()), one);
        }
    }

    #[test]
    fn a_step_is_reached_with_its_percentage() {
        let quota = |limit| Quota {
            limits: Limits {
                bytes: limit,
                ..Limits::default()
            },
            warn_percent: 80,
            is_strict: false,
        };
        for (used, limit, step) in [
            (0, Some(10), 0),
            (7, Some(10), 0),
            (8, Some(10), 80),
            (9, Some(10), 80),
            (10, Some(10), 100),
            (u64::MAX, Some(u64::MAX), 100),
            (0, Some(0), 100),
            (u64::MAX, None, 0),
        ] {
            let usage = Usage {
                bytes: used,
                ..Usage::default()
            };
            assert_eq!(
                quota(limit).step(Resource::Bytes, &usage),
                step,
                "{used} of {limit:?}"
            );
        }
    }
}
