use proptest::prelude::*;

use super::*;
use crate::domain::Limit;
use crate::domain::id::{NamespaceId, RepositoryId};

pub(super) const ADA: i64 = 1;

/// The actions that a token would hold, and whether the name is to be reserved: without members and rules.
fn decide(
    principal: &Principal,
    namespace: Option<&NamespaceFacts>,
    repository: Option<&RepositoryFacts>,
    name: &RepositoryName,
    requested: Actions,
) -> (Actions, bool) {
    let facts = Facts {
        namespace,
        repository,
        by_former_name: false,
        membership: None,
        rules: &[],
        now_ms: 0,
    };
    let decision = super::decide(principal, &facts, name, Rights::of_actions(requested));
    (decision.granted.actions(), decision.reserves)
}

const NOTHING: (Actions, bool) = (Actions::NONE, false);
pub(super) const EVE: i64 = 2;

pub(super) fn account(id: i64) -> AccountPrincipal {
    AccountPrincipal {
        account_id: AccountId::from_i64(id),
        is_admin: false,
        is_disabled: false,
        ceiling: Ceiling::Full,
    }
}

pub(super) fn namespace(name: &str, owner: NamespaceOwner) -> NamespaceFacts {
    NamespaceFacts {
        namespace_id: NamespaceId::from_i64(7),
        name: name.parse().unwrap(),
        owner,
        default_visibility: Visibility::Private,
    }
}

pub(super) fn repository(name: &str, visibility: Visibility, state: RepositoryState) -> RepositoryFacts {
    RepositoryFacts {
        repository_id: RepositoryId::from_i64(9),
        namespace_id: NamespaceId::from_i64(7),
        name: name.parse().unwrap(),
        stored_as: name.parse().unwrap(),
        visibility,
        state,
    }
}

const PENDING: RepositoryState = RepositoryState::Pending { expires_at: 5 };
pub(super) const ALL: Actions = Actions::OWNER;

pub(super) fn limited(actions: Actions, pattern: &str) -> Ceiling {
    Ceiling::limited(rights(actions), pattern.parse().unwrap())
}

/// What a credential that was made for these actions may do.
fn rights(actions: Actions) -> Rights {
    Rights::of_actions(actions)
}

#[test]
fn each_principal_gets_what_the_rules_say() {
    use RepositoryState::Active;
    use Visibility::{Private, Public};

    let admin = AccountPrincipal {
        is_admin: true,
        ..account(3)
    };
    let disabled_owner = AccountPrincipal {
        is_disabled: true,
        ..account(ADA)
    };
    let with = |ceiling: Ceiling| {
        Principal::Account(AccountPrincipal {
            ceiling,
            ..account(ADA)
        })
    };
    let (ada, eve) = (Principal::Account(account(ADA)), Principal::Account(account(EVE)));
    let (admin, disabled) = (Principal::Account(admin), Principal::Account(disabled_owner));
    let anonymous = Principal::Anonymous;
    let star = Actions::NONE.with(Action::All);
    let none = Actions::NONE;
    let reader = with(limited(Actions::PULL, "ada/*"));
    let pusher = with(limited(Actions::PULL_PUSH, "ada/web"));
    let full_pat = with(limited(star, "*"));

    // principal, repository of ada (None: no row), requested → granted, reserves
    let private = Some((Private, Active));
    let public = Some((Public, Active));
    let pending = Some((Private, PENDING));
    let pending_public = Some((Public, PENDING));
    for (line, (principal, row, requested, granted, reserves)) in [
        (&ada, private, ALL, ALL, false),
        (&ada, private, Actions::PULL, Actions::PULL, false),
        (&ada, private, star, ALL, false),
        (&ada, pending, Actions::PULL_PUSH, Actions::PULL_PUSH, false),
        (&ada, None, Actions::PULL_PUSH, Actions::PULL_PUSH, true),
        (&ada, None, Actions::PULL, Actions::PULL, false),
        (&ada, None, star, ALL, true),
        (&ada, None, none.with(Action::Search), none, false),
        (&eve, private, ALL, none, false),
        (&eve, public, ALL, Actions::PULL, false),
        (&eve, public, star, Actions::PULL, false),
        (&eve, pending, ALL, none, false),
        (&eve, pending_public, ALL, none, false),
        (&eve, None, ALL, none, false),
        (&anonymous, private, ALL, none, false),
        (&anonymous, public, Actions::PULL_PUSH, Actions::PULL, false),
        (&anonymous, pending_public, Actions::PULL, none, false),
        (&anonymous, None, Actions::PULL, none, false),
        (&admin, private, ALL, none, false),
        (&admin, public, ALL, Actions::PULL, false),
        (&admin, None, ALL, none, false),
        (&disabled, private, ALL, none, false),
        (&disabled, public, Actions::PULL, none, false),
        (&disabled, None, ALL, none, false),
        (&reader, private, ALL, Actions::PULL, false),
        (&reader, None, ALL, Actions::PULL, false),
        (&pusher, private, star, Actions::PULL_PUSH, false),
        (&pusher, None, star, Actions::PULL_PUSH, true),
        (&full_pat, None, star, ALL, true),
    ]
    .into_iter()
    .enumerate()
    {
        let row = row.map(|(visibility, state)| repository("ada/web", visibility, state));
        let owned = namespace("ada", NamespaceOwner::Account(AccountId::from_i64(ADA)));
        let decision = decide(
            principal,
            Some(&owned),
            row.as_ref(),
            &"ada/web".parse().unwrap(),
            requested,
        );
        assert_eq!(
            decision,
            (granted, reserves),
            "line {line}: {principal:?} {row:?}"
        );
    }
}

#[test]
fn library_and_names_of_one_segment_belong_to_administrators() {
    let library = namespace("library", NamespaceOwner::Administrators);
    let admin = AccountPrincipal {
        is_admin: true,
        ..account(EVE)
    };
    for name in ["centos", "library/centos"] {
        let name = name.parse().unwrap();
        let decide = |principal: &Principal| decide(principal, Some(&library), None, &name, ALL);
        assert_eq!(decide(&Principal::Account(admin.clone())).0, ALL);
        assert_eq!(decide(&Principal::Account(account(ADA))), NOTHING);
        let narrow = AccountPrincipal {
            ceiling: limited(Actions::PULL_PUSH, "library/*"),
            ..admin.clone()
        };
        assert_eq!(decide(&Principal::Account(narrow)).0, Actions::PULL_PUSH);
        let elsewhere = AccountPrincipal {
            ceiling: limited(ALL, "ada/*"),
            ..admin.clone()
        };
        assert_eq!(decide(&Principal::Account(elsewhere)), NOTHING);
    }
}

#[test]
fn a_namespace_that_nobody_owns_grants_nothing() {
    let public = repository("ghost/web", Visibility::Public, RepositoryState::Active);
    let admin = Principal::Account(AccountPrincipal {
        is_admin: true,
        ..account(ADA)
    });
    for principal in [&Principal::Anonymous, &admin] {
        for row in [None, Some(&public)] {
            let name = "ghost/web".parse().unwrap();
            assert_eq!(decide(principal, None, row, &name, ALL), NOTHING);
        }
    }
}

#[test]
fn facts_of_another_name_grant_nothing() {
    let owned = namespace("ada", NamespaceOwner::Account(AccountId::from_i64(ADA)));
    let ada = Principal::Account(account(ADA));
    let other = repository("ada/other", Visibility::Public, RepositoryState::Active);
    let mut foreign = repository("ada/web", Visibility::Public, RepositoryState::Active);
    foreign.namespace_id = NamespaceId::from_i64(8);
    let name = "ada/web".parse().unwrap();
    assert_eq!(decide(&ada, Some(&owned), Some(&other), &name, ALL), NOTHING);
    assert_eq!(decide(&ada, Some(&owned), Some(&foreign), &name, ALL), NOTHING);
    let name = "eve/web".parse().unwrap();
    assert_eq!(decide(&ada, Some(&owned), None, &name, ALL), NOTHING);
}

#[test]
fn the_catalog_is_an_administrators_and_search_is_everybodys() {
    let (search, star) = (
        Actions::NONE.with(Action::Search),
        Actions::NONE.with(Action::All),
    );
    let both = search.union(star);
    let admin = AccountPrincipal {
        is_admin: true,
        ..account(ADA)
    };
    let narrow = AccountPrincipal {
        ceiling: limited(star, "*"),
        ..admin.clone()
    };
    let disabled = AccountPrincipal {
        is_disabled: true,
        ..admin.clone()
    };
    for (principal, requested, granted) in [
        (Principal::Account(admin.clone()), star, star),
        (Principal::Account(admin.clone()), both, both),
        (Principal::Account(admin), Actions::OWNER, Actions::NONE),
        (Principal::Account(narrow), both, search),
        (Principal::Account(disabled), both, Actions::NONE),
        (Principal::Account(account(ADA)), both, search),
        (Principal::Anonymous, both, search),
        (Principal::Anonymous, star, Actions::NONE),
    ] {
        assert_eq!(decide_catalog(&principal, requested), granted, "{principal:?}");
    }
}

const NAMES: [&str; 4] = ["ada/web", "ada/web/x", "centos", "library/x"];
const PATTERNS: [&str; 6] = ["*", "ada/*", "ada/web", "ada/w*", "library/*", "centos"];

fn actions() -> impl Strategy<Value = Actions> {
    proptest::sample::subsequence(Action::EVERY.to_vec(), 0..=5).prop_map(|list| list.into_iter().collect())
}

fn ceiling() -> impl Strategy<Value = Ceiling> {
    prop_oneof![
        Just(Ceiling::Full),
        (actions(), proptest::sample::select(&PATTERNS[..])).prop_map(|(a, p)| limited(a, p)),
    ]
}

fn principal() -> impl Strategy<Value = Principal> {
    prop_oneof![
        1 => Just(Principal::Anonymous),
        6 => (1_i64..=2, any::<bool>(), proptest::bool::weighted(0.2), ceiling()).prop_map(
            |(id, is_admin, is_disabled, ceiling)| Principal::Account(AccountPrincipal {
                is_admin, is_disabled, ceiling, ..account(id)
            })
        ),
    ]
}

/// A name with what the store would hold for it: its namespace owned as the rules say, or by nobody, and its row.
fn world() -> impl Strategy<Value = (RepositoryName, Option<NamespaceFacts>, Option<RepositoryFacts>)> {
    (
        proptest::sample::select(&NAMES[..]),
        proptest::bool::weighted(0.9),
        proptest::option::of((any::<bool>(), any::<bool>())),
    )
        .prop_map(|(name, exists, row)| {
            let parsed: RepositoryName = name.parse().unwrap();
            let owner = match parsed.namespace() {
                "library" => NamespaceOwner::Administrators,
                _ => NamespaceOwner::Account(AccountId::from_i64(ADA)),
            };
            let facts = exists.then(|| namespace(parsed.namespace(), owner));
            let row = row.map(|(public, pending)| {
                let visibility = if public {
                    Visibility::Public
                } else {
                    Visibility::Private
                };
                repository(
                    name,
                    visibility,
                    if pending { PENDING } else { RepositoryState::Active },
                )
            });
            (parsed, facts, row)
        })
}

/// The rules once more, one action at a time and in the words of the documentation.
fn oracle(
    who: &Principal,
    exists: bool,
    row: Option<&RepositoryFacts>,
    name: &RepositoryName,
    asked: Actions,
    action: Action,
) -> bool {
    if !exists || !matches!(action, Action::Pull | Action::Push | Action::Delete) {
        return false;
    }
    if !asked.contains(action) && !asked.contains(Action::All) {
        return false;
    }
    let is_library = !name.as_str().contains('/') || name.as_str().starts_with("library/");
    let is_open =
        row.is_some_and(|r| r.visibility == Visibility::Public && r.state == RepositoryState::Active);
    match who {
        Principal::Anonymous | Principal::Machine(_) => is_open && action == Action::Pull,
        Principal::Account(account) => {
            let is_owner = if is_library {
                account.is_admin
            } else {
                account.account_id.as_i64() == ADA
            };
            let within = match &account.ceiling {
                Ceiling::Full => true,
                Ceiling::Limited(limits) => limits
                    .iter()
                    .any(|limit| limit.rights.actions().contains(action) && limit.pattern.matches(name)),
            };
            !account.is_disabled && within && (is_owner || (is_open && action == Action::Pull))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_decision_agrees_with_the_rules_written_another_way(
        who in principal(), (name, namespace, row) in world(), asked in actions(),
    ) {
        let decision = decide(&who, namespace.as_ref(), row.as_ref(), &name, asked);
        for action in Action::EVERY {
            prop_assert_eq!(
                decision.0.contains(action),
                oracle(&who, namespace.is_some(), row.as_ref(), &name, asked, action),
                "{:?}", action
            );
        }
        prop_assert_eq!(decision.1, row.is_none() && decision.0.contains(Action::Push));
    }

    #[test]
    fn a_narrower_credential_never_grants_more(
        who in principal(), (name, namespace, row) in world(), asked in actions(),
        fewer in actions(), pattern in proptest::sample::select(&PATTERNS[..]),
    ) {
        let Principal::Account(account) = who else { return Ok(()) };
        let narrower = match &account.ceiling {
            Ceiling::Full => limited(fewer, pattern),
            Ceiling::Limited(limits) => Ceiling::Limited(
                limits
                    .iter()
                    .map(|limit| Limit {
                        rights: limit.rights.intersection(rights(fewer)),
                        ..limit.clone()
                    })
                    .collect(),
            ),
        };
        let narrow = Principal::Account(AccountPrincipal { ceiling: narrower, ..account.clone() });
        let wide = decide(&Principal::Account(account), namespace.as_ref(), row.as_ref(), &name, asked);
        let narrow = decide(&narrow, namespace.as_ref(), row.as_ref(), &name, asked);
        prop_assert!(wide.0.covers(narrow.0));
        prop_assert!(wide.1 || !narrow.1);
    }

    #[test]
    fn asking_for_more_never_grants_less(
        who in principal(), (name, namespace, row) in world(), asked in actions(), more in actions(),
    ) {
        let one = decide(&who, namespace.as_ref(), row.as_ref(), &name, asked);
        let both = decide(&who, namespace.as_ref(), row.as_ref(), &name, asked.union(more));
        prop_assert!(both.0.covers(one.0));
    }

    #[test]
    fn who_may_not_know_a_repository_cannot_tell_it_from_a_missing_one(
        who in principal(), (name, namespace, row) in world(), asked in actions(),
    ) {
        let is_owner = match (&who, &namespace) {
            (Principal::Account(a), Some(n)) => match n.owner {
                NamespaceOwner::Account(owner) => owner == a.account_id,
                NamespaceOwner::Administrators => a.is_admin,
                NamespaceOwner::Organisation(_) => false,
            },
            _ => false,
        };
        let is_open = row.as_ref()
            .is_some_and(|r| r.visibility == Visibility::Public && r.state == RepositoryState::Active);
        if !is_owner && !is_open {
            let with = decide(&who, namespace.as_ref(), row.as_ref(), &name, asked);
            let without = decide(&who, namespace.as_ref(), None, &name, asked);
            let nowhere = decide(&who, None, None, &name, asked);
            prop_assert_eq!(with, without);
            prop_assert_eq!(with, nowhere);
        }
    }
}
