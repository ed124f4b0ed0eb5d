//! What must hold of the decision whoever asks, whatever the rules.

use proptest::prelude::*;
use shared::oci::Tag;

use super::*;
use crate::domain::explanation::{Missing, explain};
use crate::domain::id::{RepositoryId, TeamId};
use crate::domain::{OrganisationId, Target};

const NOW: i64 = 100;
const NAMES: [&str; 3] = ["team/app", "team/app-1", "team/web/api"];
const PATTERNS: [&str; 5] = ["team/*", "team/app", "team/app-*", "team/w*", "other/*"];
const TAGS: [&str; 4] = ["v1", "main", "1-dev", "v1-dev"];

fn rights() -> impl Strategy<Value = Rights> {
    proptest::sample::subsequence(Right::EVERY.to_vec(), 0..=5).prop_map(|list| list.into_iter().collect())
}

fn tags() -> impl Strategy<Value = TagSet> {
    proptest::option::of(proptest::sample::subsequence(vec!["v*", "main", "*-dev"], 0..=3)).prop_map(
        |patterns| {
            patterns.map_or(TagSet::Every, |patterns| {
                TagSet::only(patterns.iter().map(|text| text.parse().unwrap()).collect()).unwrap()
            })
        },
    )
}

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        (1_i64..=2).prop_map(|id| Subject::Account(AccountId::from_i64(id))),
        Just(Subject::Team(TeamId::from_i64(5))),
        Just(Subject::Robot(RobotId::from_i64(6))),
        Just(Subject::Members),
        Just(Subject::SignedIn),
        Just(Subject::Anyone),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let target = prop_oneof![
        Just(Target::Repository(RepositoryId::from_i64(9))),
        proptest::sample::select(&PATTERNS[..]).prop_map(|text| Target::Pattern(text.parse().unwrap())),
    ];
    let ends = prop_oneof![Just(None), Just(Some(NOW)), Just(Some(NOW + 1))];
    (subject(), target, rights(), tags(), tags(), ends).prop_map(
        |(subject, target, rights, push_tags, delete_tags, expires_at)| Rule {
            rule_id: RuleId::from_i64(1),
            namespace_id: NamespaceId::from_i64(7),
            subject,
            target,
            rights,
            push_tags,
            delete_tags,
            expires_at,
        },
    )
}

fn ceiling_strategy() -> impl Strategy<Value = Ceiling> {
    let limit = (rights(), proptest::sample::select(&PATTERNS[..]), tags(), tags()).prop_map(
        |(rights, pattern, push_tags, delete_tags)| crate::domain::Limit {
            rights,
            pattern: pattern.parse().unwrap(),
            push_tags,
            delete_tags,
        },
    );
    prop_oneof![
        Just(Ceiling::Full),
        proptest::collection::vec(limit, 1..=3).prop_map(|limits| Ceiling::Limited(limits.into())),
    ]
}

fn principal() -> impl Strategy<Value = Principal> {
    prop_oneof![
        1 => Just(Principal::Anonymous),
        4 => (1_i64..=2, any::<bool>(), proptest::bool::weighted(0.1), ceiling_strategy()).prop_map(
            |(id, is_admin, is_disabled, ceiling)| Principal::Account(AccountPrincipal {
                account_id: AccountId::from_i64(id), is_admin, is_disabled, ceiling,
            })
        ),
        2 => (7_i64..=8, proptest::bool::weighted(0.1), ceiling_strategy(), ceiling_strategy()).prop_map(
            |(home, is_disabled, own, ceiling)| Principal::Machine(Machine {
                namespace_id: NamespaceId::from_i64(home),
                robot_id: Some(RobotId::from_i64(6)),
                is_disabled,
                ceilings: vec![own],
                ceiling,
            })
        ),
    ]
}

/// A repository of `team` with who asks, what they are there and what the rules are.
#[derive(Debug, Clone)]
struct World {
    principal: Principal,
    name: RepositoryName,
    repository: Option<RepositoryFacts>,
    membership: Option<Membership>,
    rules: Vec<Rule>,
}

impl World {
    fn ask<T>(
        &self,
        principal: &Principal,
        rules: &[Rule],
        answer: impl Fn(&Principal, &Facts<'_>) -> T,
    ) -> T {
        let namespace = NamespaceFacts {
            namespace_id: NamespaceId::from_i64(7),
            name: "team".parse().unwrap(),
            owner: NamespaceOwner::Organisation(OrganisationId::from_i64(3)),
            default_visibility: Visibility::Private,
        };
        let facts = Facts {
            namespace: Some(&namespace),
            repository: self.repository.as_ref(),
            by_former_name: false,
            membership: self.membership,
            rules,
            now_ms: NOW,
        };
        answer(principal, &facts)
    }

    fn decide(&self, principal: &Principal, rules: &[Rule]) -> Decision {
        self.ask(principal, rules, |principal, facts| {
            decide(principal, facts, &self.name, Rights::ALL)
        })
    }
}

fn world() -> impl Strategy<Value = World> {
    let role = proptest::sample::select(&OrganisationRole::EVERY[..]);
    let membership = proptest::option::of((role, prop_oneof![Just(NOW), Just(NOW + 1)]));
    let visibility = proptest::sample::select(vec![
        Visibility::Public,
        Visibility::Internal,
        Visibility::Private,
    ]);
    (
        principal(),
        proptest::sample::select(&NAMES[..]),
        proptest::option::of((visibility, any::<bool>())),
        membership,
        proptest::collection::vec(rule(), 0..=4),
    )
        .prop_map(|(principal, name, row, membership, rules)| World {
            principal,
            name: name.parse().unwrap(),
            repository: row.map(|(visibility, is_active)| RepositoryFacts {
                repository_id: RepositoryId::from_i64(9),
                namespace_id: NamespaceId::from_i64(7),
                name: name.parse().unwrap(),
                stored_as: name.parse().unwrap(),
                visibility,
                state: if is_active {
                    RepositoryState::Active
                } else {
                    RepositoryState::Pending { expires_at: NOW + 9 }
                },
            }),
            membership: membership.map(|(role, end)| Membership {
                organisation_id: OrganisationId::from_i64(3),
                role,
                expires_at: (role == OrganisationRole::Guest).then_some(end),
            }),
            rules,
        })
}

/// Everything that the decision lets somebody do, tag by tag.
fn reach(decision: &Decision) -> Vec<(Right, Option<&'static str>)> {
    let allow = |limits: &TagLimits, tag: &str| limits.allow(&tag.parse::<Tag>().unwrap());
    let mut reach = Vec::new();
    for right in decision.granted.iter() {
        let limits = match right {
            Right::Push => &decision.push_tags,
            Right::Delete => &decision.delete_tags,
            Right::Pull | Right::Manage | Right::Administer => {
                reach.push((right, None));
                continue;
            }
        };
        reach.extend(
            TAGS.into_iter()
                .filter(|tag| allow(limits, tag))
                .map(|tag| (right, Some(tag))),
        );
    }
    reach
}

fn holds(outer: &Decision, inner: &Decision) -> bool {
    let outer = reach(outer);
    reach(inner).iter().all(|one| outer.contains(one))
}

proptest! {
    #[test]
    fn one_rule_more_takes_nothing_away(world in world(), more in rule()) {
        let before = world.decide(&world.principal, &world.rules);
        let mut rules = world.rules.clone();
        rules.push(more);
        let after = world.decide(&world.principal, &rules);
        prop_assert!(holds(&after, &before), "{before:?} {after:?}");
    }

    #[test]
    fn a_rule_that_has_ended_or_is_of_another_namespace_gives_nothing(world in world(), more in rule()) {
        let before = world.decide(&world.principal, &world.rules);
        let ended = Rule { expires_at: Some(NOW), ..more.clone() };
        let foreign = Rule { namespace_id: NamespaceId::from_i64(8), ..more };
        for rule in [ended, foreign] {
            let mut rules = world.rules.clone();
            rules.push(rule);
            prop_assert_eq!(&world.decide(&world.principal, &rules), &before);
        }
    }

    #[test]
    fn a_guest_holds_from_its_end_on_what_a_stranger_without_rules_holds(world in world()) {
        let ended = World {
            membership: Some(Membership {
                organisation_id: OrganisationId::from_i64(3),
                role: OrganisationRole::Guest,
                expires_at: Some(NOW),
            }),
            ..world
        };
        let stranger = World { membership: None, ..ended.clone() };
        let for_all: Vec<Rule> = ended
            .rules
            .iter()
            .filter(|rule| !matches!(rule.subject, Subject::Account(_)))
            .cloned()
            .collect();
        let who = &ended.principal;
        prop_assert_eq!(ended.decide(who, &ended.rules), stranger.decide(who, &for_all));
        prop_assert_eq!(
            ended.ask(who, &ended.rules, decide_namespace),
            stranger.ask(who, &for_all, decide_namespace)
        );
    }

    #[test]
    fn a_credential_only_narrows(world in world()) {
        let narrow = world.decide(&world.principal, &world.rules);
        let mut unlimited = world.principal.clone();
        match &mut unlimited {
            Principal::Account(account) => account.ceiling = Ceiling::Full,
            Principal::Machine(machine) => machine.ceiling = Ceiling::Full,
            Principal::Anonymous => {}
        }
        let whole = world.decide(&unlimited, &world.rules);
        prop_assert!(holds(&whole, &narrow), "{narrow:?} {whole:?}");
    }

    #[test]
    fn whoever_is_disabled_may_nothing(world in world()) {
        let mut disabled = world.principal.clone();
        match &mut disabled {
            Principal::Account(account) => account.is_disabled = true,
            Principal::Machine(machine) => machine.is_disabled = true,
            Principal::Anonymous => return Ok(()),
        }
        prop_assert!(world.decide(&disabled, &world.rules).granted.is_empty());
    }

    #[test]
    fn what_reaches_a_whole_namespace_reaches_each_of_its_repositories(world in world()) {
        let everywhere = world.ask(&world.principal, &world.rules, decide_namespace);
        let here = world.decide(&world.principal, &world.rules);
        prop_assert!(here.granted.covers(everywhere), "{everywhere:?} {here:?}");
        for (right, limits) in [(Right::Push, &here.push_tags), (Right::Delete, &here.delete_tags)] {
            if everywhere.contains(right) {
                for tag in TAGS {
                    prop_assert!(limits.allow(&tag.parse::<Tag>().unwrap()));
                }
            }
        }
    }

    #[test]
    fn the_explanation_says_what_the_decision_says(world in world()) {
        let decision = world.decide(&world.principal, &world.rules);
        for right in Right::EVERY {
            let said = world.ask(&world.principal, &world.rules, |principal, facts| {
                explain(principal, facts, &world.name, right)
            });
            prop_assert_eq!(said.allowed, decision.granted.contains(right));
            prop_assert_eq!(said.allowed, said.missing.is_none());
            prop_assert_eq!(said.allowed && said.because.is_empty(), false);
            if said.missing == Some(Missing::Credential) {
                prop_assert!(!said.because.is_empty());
            }
        }
    }

    #[test]
    fn no_other_spelling_of_a_name_or_a_pattern_is_one(
        at in 0_usize..8,
        trick in proptest::sample::select(vec!["A", "%2f", "%2F", "\u{ff0f}", "\u{430}", "\u{200b}", " ", "..", "//", "\\", "\u{0}", "\n", "?"]),
    ) {
        let name = format!("{}{trick}{}", &"team/app"[..at], &"team/app"[at..]);
        // One dot or slash more at most is a grammar's question; none of these is inside it.
        prop_assert!(name.parse::<RepositoryName>().is_err(), "{name:?}");
        prop_assert!(name.parse::<super::super::RepositoryPattern>().is_err(), "{name:?}");
        prop_assert!(format!("{name}*").parse::<super::super::RepositoryPattern>().is_err(), "{name:?}*");
    }
}
