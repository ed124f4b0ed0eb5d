//! Ids of rows, made by the application: milliseconds since 2024-01-01 above 22 random bits, so that they grow with
//! time, are positive and fit the integers that clients of Docker Hub's API decode.

use std::fmt;

/// 2024-01-01T00:00:00Z in milliseconds since 1970-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_704_067_200_000;
const RANDOM_BITS: u32 = 22;
/// 41 bits of milliseconds: up to the year 2093.
const MAX_MS: i64 = (1 << 41) - 1;

fn compose(now_ms: i64, random: u32) -> i64 {
    let ms = now_ms.saturating_sub(EPOCH_MS).clamp(0, MAX_MS);
    (ms << RANDOM_BITS) | i64::from(random & ((1 << RANDOM_BITS) - 1))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// A new id at `now_ms` (milliseconds since 1970) with the low 22 bits of `random`.
            pub fn new(now_ms: i64, random: u32) -> Self {
                Self(compose(now_ms, random))
            }

            /// The least id of a time: ids made at `now_ms` or later are not below it.
            pub fn first_of(now_ms: i64) -> Self {
                Self(compose(now_ms, 0))
            }

            /// When it was made, in milliseconds since 1970.
            pub fn made_at_ms(self) -> i64 {
                (self.0 >> RANDOM_BITS) + EPOCH_MS
            }

            /// An id that was stored before.
            pub fn from_i64(id: i64) -> Self {
                Self(id)
            }

            /// The id as it is stored.
            pub fn as_i64(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

ids! {
    /// An account.
    AccountId;
    /// A namespace.
    NamespaceId;
    /// A repository.
    RepositoryId;
    /// A personal access token.
    TokenId;
    /// A device: one refresh token.
    DeviceId;
    /// An organisation.
    OrganisationId;
    /// A team of an organisation.
    TeamId;
    /// A robot: a machine's account in a namespace.
    RobotId;
    /// A secret of an access token or a robot.
    SecretId;
    /// A rule about repositories.
    RuleId;
    /// An invitation.
    InvitationId;
    /// An event of the audit log.
    EventId;
    /// A category of repositories.
    CategoryId;
    /// A webhook.
    WebhookId;
    /// A delivery to a webhook.
    DeliveryId;
    /// A policy of retention.
    PolicyId;
    /// Its being carried out once.
    RunId;
    /// What was deleted of a repository.
    DeletionId;
    /// A comment on a repository.
    CommentId;
    /// What administrators tell everybody.
    AnnouncementId;
    /// What an account is told.
    NoticeId;
    /// Work that takes long.
    WorkId;
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn ids_are_positive_and_grow_with_time(ms in 0_i64..=MAX_MS, later in 1_i64..1000, a: u32, b: u32) {
            let now = EPOCH_MS + ms.min(MAX_MS - later);
            let first = AccountId::new(now, a).as_i64();
            let second = AccountId::new(now + later, b).as_i64();
            proptest::prop_assert!(first >= 0 && first < second);
            proptest::prop_assert_eq!(first >> RANDOM_BITS, now - EPOCH_MS);
        }
    }

    #[test]
    fn a_clock_outside_the_range_still_makes_ids_that_are_not_negative() {
        for now in [i64::MIN, -1, 0, i64::MAX] {
            assert!(AccountId::new(now, u32::MAX).as_i64() >= 0, "{now}");
        }
    }
}
