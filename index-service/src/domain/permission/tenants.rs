//! Roles in an organisation, rules, tags, machines and former names.

use super::tests::{ADA, ALL, EVE, account, limited, namespace, repository};
use super::*;
use crate::domain::{OrganisationId, RepositoryId, RuleId, Target, TeamId};

/// An organisation's namespace with `member` in it, and these rules.
fn team_decision(
    member: Option<Membership>,
    rules: &[Rule],
    row: Option<&RepositoryFacts>,
    ceiling: Ceiling,
) -> Decision {
    let namespace = namespace("team", NamespaceOwner::Organisation(OrganisationId::from_i64(3)));
    let facts = Facts {
        namespace: Some(&namespace),
        repository: row,
        by_former_name: false,
        membership: member,
        rules,
        now_ms: 100,
    };
    let who = Principal::Account(AccountPrincipal {
        ceiling,
        ..account(ADA)
    });
    super::decide(&who, &facts, &"team/app".parse().unwrap(), Rights::ALL)
}

fn member(role: OrganisationRole, expires_at: Option<i64>) -> Membership {
    Membership {
        organisation_id: OrganisationId::from_i64(3),
        role,
        expires_at,
    }
}

fn rule(subject: Subject, pattern: &str, rights: Rights) -> Rule {
    Rule {
        rule_id: RuleId::from_i64(1),
        namespace_id: NamespaceId::from_i64(7),
        subject,
        target: Target::Pattern(pattern.parse().unwrap()),
        rights,
        push_tags: TagSet::Every,
        delete_tags: TagSet::Every,
        expires_at: None,
    }
}

#[test]
fn owners_and_managers_hold_everything_and_others_what_rules_give_while_they_are_members() {
    use OrganisationRole::{Guest, Manager, Member, Owner};
    let team = Subject::Team(TeamId::from_i64(5));
    let row = repository("team/app", Visibility::Private, RepositoryState::Active);
    let write = [rule(team, "team/a*", Rights::WRITE)];
    let members = [rule(Subject::Members, "team/*", Rights::READ)];
    let direct = [rule(
        Subject::Account(AccountId::from_i64(ADA)),
        "team/app",
        Rights::MAINTAIN,
    )];
    let mut elsewhere = member(Member, None);
    elsewhere.organisation_id = OrganisationId::from_i64(4);
    let mut guest_elsewhere = member(Guest, Some(100));
    guest_elsewhere.organisation_id = OrganisationId::from_i64(4);
    for (line, (who, rules, held)) in [
        (Some(member(Owner, None)), &[][..], Rights::ALL),
        (Some(member(Manager, None)), &[], Rights::ALL),
        (Some(member(Member, None)), &[], Rights::NONE),
        (Some(member(Guest, Some(101))), &[], Rights::NONE),
        (Some(member(Member, None)), &write, Rights::WRITE),
        (Some(member(Guest, Some(101))), &write, Rights::WRITE),
        (Some(member(Guest, Some(100))), &write, Rights::NONE),
        (None, &write, Rights::NONE),
        (Some(elsewhere), &write, Rights::NONE),
        (Some(member(Member, None)), &members, Rights::READ),
        (Some(member(Guest, Some(101))), &members, Rights::NONE),
        (
            None,
            &[rule(Subject::SignedIn, "team/*", Rights::READ)],
            Rights::READ,
        ),
        (None, &direct, Rights::MAINTAIN),
        (Some(member(Guest, Some(101))), &direct, Rights::MAINTAIN),
        (Some(member(Guest, Some(100))), &direct, Rights::NONE),
        (Some(guest_elsewhere), &direct, Rights::MAINTAIN),
        (
            None,
            &[rule(
                Subject::Account(AccountId::from_i64(EVE)),
                "team/app",
                Rights::MAINTAIN,
            )],
            Rights::NONE,
        ),
        (
            None,
            &[rule(
                Subject::Account(AccountId::from_i64(ADA)),
                "team/b*",
                Rights::MAINTAIN,
            )],
            Rights::NONE,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let decision = team_decision(who, rules, Some(&row), Ceiling::Full);
        assert_eq!(decision.granted, held, "line {line}");
    }
}

#[test]
fn a_rule_about_one_repository_follows_its_id_and_one_that_has_ended_gives_nothing() {
    let row = repository("team/app", Visibility::Private, RepositoryState::Active);
    let by_id = |id| Rule {
        target: Target::Repository(RepositoryId::from_i64(id)),
        ..rule(Subject::SignedIn, "team/*", Rights::READ)
    };
    let ended = |at| Rule {
        expires_at: Some(at),
        ..by_id(9)
    };
    for (rule, held) in [
        (by_id(9), Rights::READ),
        (by_id(8), Rights::NONE),
        (ended(101), Rights::READ),
        (ended(100), Rights::NONE),
    ] {
        assert_eq!(
            team_decision(None, &[rule], Some(&row), Ceiling::Full).granted,
            held
        );
    }
    assert_eq!(
        team_decision(None, &[by_id(9)], None, Ceiling::Full).granted,
        Rights::NONE
    );
}

#[test]
fn tags_unite_over_rules_and_narrow_over_the_credential() {
    let tag = |text: &str| text.parse().unwrap();
    let tags = |text: &str| TagSet::parse(Some(text)).unwrap();
    let row = repository("team/app", Visibility::Private, RepositoryState::Active);
    let bound = |text: &str| Rule {
        push_tags: tags(text),
        ..rule(Subject::SignedIn, "team/*", Rights::WRITE)
    };
    let rules = [bound("v*"), bound("main")];
    let full = team_decision(None, &rules, Some(&row), Ceiling::Full);
    for (name, may) in [("v1", true), ("main", true), ("dev", false)] {
        assert_eq!(full.push_tags.allow(&tag(name)), may, "{name}");
    }
    let narrow = Ceiling::parse(Some("pull,push team/* push:v1*,dev")).unwrap();
    let narrow = team_decision(None, &rules, Some(&row), narrow);
    for (name, may) in [("v1", true), ("v2", false), ("main", false), ("dev", false)] {
        assert_eq!(narrow.push_tags.allow(&tag(name)), may, "{name}");
    }
    let reads = [bound("v*"), rule(Subject::SignedIn, "team/*", Rights::READ)];
    assert!(
        !team_decision(None, &reads, Some(&row), Ceiling::Full)
            .push_tags
            .allow(&tag("dev")),
        "a rule to read widens no tags"
    );
    let every = [bound("v*"), rule(Subject::SignedIn, "team/*", Rights::WRITE)];
    assert!(
        team_decision(None, &every, Some(&row), Ceiling::Full)
            .push_tags
            .is_every()
    );
}

#[test]
fn a_machine_holds_what_every_ceiling_above_it_leaves_of_its_home_and_elsewhere_what_rules_give() {
    let home = namespace("team", NamespaceOwner::Organisation(OrganisationId::from_i64(3)));
    let ceiling = |text: &str| Ceiling::parse(Some(text)).unwrap();
    let machine = |ceilings: Vec<Ceiling>, secret: Ceiling| {
        Principal::Machine(Machine {
            namespace_id: NamespaceId::from_i64(7),
            robot_id: Some(RobotId::from_i64(6)),
            is_disabled: false,
            ceilings,
            ceiling: secret,
        })
    };
    let row = repository("team/app", Visibility::Internal, RepositoryState::Active);
    let held = |who: &Principal, namespace: &NamespaceFacts, rules: &[Rule]| {
        let facts = Facts {
            namespace: Some(namespace),
            repository: Some(&row),
            by_former_name: false,
            membership: None,
            rules,
            now_ms: 0,
        };
        super::decide(who, &facts, &"team/app".parse().unwrap(), Rights::ALL).granted
    };
    let child = machine(
        vec![ceiling("pull,push team/app"), ceiling("pull,delete team/*")],
        Ceiling::Full,
    );
    assert_eq!(held(&child, &home, &[]), Rights::READ);
    let wide = machine(vec![ceiling("pull,push team/*")], ceiling("push team/*"));
    assert_eq!(held(&wide, &home, &[]), Right::Push.into());
    let foreign = NamespaceFacts {
        namespace_id: NamespaceId::from_i64(8),
        ..home.clone()
    };
    assert_eq!(
        held(&wide, &foreign, &[]),
        Rights::NONE,
        "facts of another namespace"
    );
    let mut disabled = wide.clone();
    let Principal::Machine(machine) = &mut disabled else {
        unreachable!()
    };
    machine.is_disabled = true;
    assert_eq!(held(&disabled, &home, &[]), Rights::NONE);
    let about = |id| {
        [rule(
            Subject::Robot(RobotId::from_i64(id)),
            "team/*",
            Rights::MAINTAIN,
        )]
    };
    let guest = Principal::Machine(Machine {
        namespace_id: NamespaceId::from_i64(1),
        robot_id: Some(RobotId::from_i64(6)),
        is_disabled: false,
        ceilings: vec![ceiling("pull other/*")],
        ceiling: Ceiling::Full,
    });
    assert_eq!(held(&guest, &home, &about(6)), Rights::MAINTAIN);
    assert_eq!(held(&guest, &home, &about(5)), Rights::NONE);
    assert_eq!(held(&guest, &home, &[]), Rights::NONE, "internal is for accounts");
}

#[test]
fn a_machine_that_administers_the_whole_namespace_is_a_manager_of_its_organisation_and_no_other_is() {
    let ours = NamespaceOwner::Organisation(OrganisationId::from_i64(3));
    let (home, person) = (
        namespace("team", ours),
        namespace("team", NamespaceOwner::Account(AccountId::from_i64(ADA))),
    );
    let machine = |home: i64, ceilings: &[&str], secret: &str| {
        let ceiling = |text: &&str| Ceiling::parse(Some(text)).unwrap();
        Principal::Machine(Machine {
            namespace_id: NamespaceId::from_i64(home),
            robot_id: None,
            is_disabled: false,
            ceilings: ceilings.iter().map(ceiling).collect(),
            ceiling: ceiling(&secret),
        })
    };
    let all = "pull,administer team/*";
    for (line, (principal, namespace, is_manager)) in [
        (machine(7, &[all], all), &home, true),
        (
            machine(7, &[all, all], "pull,push,delete,manage,administer *"),
            &home,
            true,
        ),
        (machine(7, &[all, "pull team/*"], all), &home, false),
        (machine(7, &[all], "pull team/*"), &home, false),
        (machine(7, &["pull,administer team/a*"], all), &home, false),
        (machine(7, &["pull,push team/*"], all), &home, false),
        (machine(8, &[all], all), &home, false),
        (machine(7, &[all], all), &person, false),
        (Principal::Account(account(ADA)), &person, false),
        (Principal::Anonymous, &home, false),
    ]
    .into_iter()
    .enumerate()
    {
        let place = place_of_machine(&principal, namespace);
        assert_eq!(
            place,
            is_manager.then_some(OrganisationRole::Manager),
            "line {line}"
        );
        if let Principal::Machine(machine) = principal {
            let disabled = Principal::Machine(Machine {
                is_disabled: true,
                ..machine
            });
            assert_eq!(place_of_machine(&disabled, namespace), None, "line {line}");
        }
    }
}

#[test]
fn by_a_former_name_a_repository_is_pulled_and_nothing_else() {
    let owned = namespace("ada", NamespaceOwner::Account(AccountId::from_i64(ADA)));
    let row = repository("ada/new", Visibility::Private, RepositoryState::Active);
    let facts = |by_former_name| Facts {
        namespace: Some(&owned),
        repository: Some(&row),
        by_former_name,
        membership: None,
        rules: &[],
        now_ms: 0,
    };
    let ada = Principal::Account(account(ADA));
    let eve = Principal::Account(account(EVE));
    let old = "eve/old".parse().unwrap();
    assert_eq!(
        super::decide(&ada, &facts(true), &old, Rights::ALL).granted,
        Rights::READ
    );
    assert_eq!(
        super::decide(&eve, &facts(true), &old, Rights::ALL),
        Decision::NOTHING
    );
    assert_eq!(
        super::decide(&ada, &facts(false), &old, Rights::ALL),
        Decision::NOTHING
    );
    let narrow = |pattern| {
        Principal::Account(AccountPrincipal {
            ceiling: limited(ALL, pattern),
            ..account(ADA)
        })
    };
    assert_eq!(
        super::decide(&narrow("eve/*"), &facts(true), &old, Rights::ALL).granted,
        Rights::READ,
        "the name that is asked for counts"
    );
    assert_eq!(
        super::decide(&narrow("ada/*"), &facts(true), &old, Rights::ALL),
        Decision::NOTHING
    );
}
