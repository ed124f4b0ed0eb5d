//! The rules of a policy as a form holds them: each field with the number of its rule before it.

use crate::app::AppError;
use crate::app::retention::PolicyWish;
use crate::domain::retention::{MAX_RULES, RetentionAction, RetentionRule, RuleForm};
use crate::http::web::settings::fields::Fields;

/// A rule in a form.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct RuleRow {
    /// Its number, from 1 on.
    pub(super) number: usize,
    /// `keep`, `delete`, or nothing for a rule that is not there.
    pub(super) action: String,
    pub(super) repositories: String,
    pub(super) tags: String,
    pub(super) except: String,
    pub(super) newest: String,
    pub(super) pushed_within_days: String,
    pub(super) pulled_within_days: String,
    pub(super) not_pushed_for_days: String,
    pub(super) not_pulled_for_days: String,
}

impl RuleRow {
    /// Whether it has a condition.
    pub(super) fn has_conditions(&self) -> bool {
        let conditions = [
            &self.newest,
            &self.pushed_within_days,
            &self.pulled_within_days,
            &self.not_pushed_for_days,
            &self.not_pulled_for_days,
        ];
        conditions.iter().any(|text| !text.is_empty())
    }
}

/// The policy that a form asks for.
pub(super) fn wish(fields: &Fields) -> Result<PolicyWish, AppError> {
    let mut rules = Vec::new();
    for number in 1..=MAX_RULES {
        rules.extend(rule(fields, number)?);
    }
    Ok(PolicyWish {
        is_enabled: fields.is_ticked("enabled", "yes"),
        rules,
        untagged_days: fields.number("untagged_days")?,
        every_days: fields.number("every_days")?,
        at_hour: fields.number("at_hour")?.unwrap_or(3),
    })
}

/// The rule of a number; none where its action says nothing.
fn rule(fields: &Fields, number: usize) -> Result<Option<RuleForm>, AppError> {
    let of = |name: &str| format!("{name}_{number}");
    let action = match fields.get(&of("action")) {
        "keep" => RetentionAction::Keep,
        "delete" => RetentionAction::Delete,
        _ => return Ok(None),
    };
    Ok(Some(RuleForm {
        action,
        repositories: fields.some(&of("repositories")).map(str::to_owned),
        tags: fields.words(&of("tags")),
        except: fields.words(&of("except")),
        newest: fields.number(&of("newest"))?,
        pushed_within_days: fields.number(&of("pushed_within_days"))?,
        pulled_within_days: fields.number(&of("pulled_within_days"))?,
        not_pushed_for_days: fields.number(&of("not_pushed_for_days"))?,
        not_pulled_for_days: fields.number(&of("not_pulled_for_days"))?,
    }))
}

/// What a form held, and one rule more to fill in.
pub(super) fn sent(fields: &Fields) -> Vec<RuleRow> {
    let rows = (1..=MAX_RULES).map(|number| {
        let of = |name: &str| fields.get(&format!("{name}_{number}")).to_owned();
        RuleRow {
            number,
            action: of("action"),
            repositories: of("repositories"),
            tags: of("tags"),
            except: of("except"),
            newest: of("newest"),
            pushed_within_days: of("pushed_within_days"),
            pulled_within_days: of("pulled_within_days"),
            not_pushed_for_days: of("not_pushed_for_days"),
            not_pulled_for_days: of("not_pulled_for_days"),
        }
    });
    numbered(rows.filter(|row| !row.action.is_empty()).collect())
}

/// The rules of a policy, and one more to fill in.
pub(super) fn present(rules: &[RetentionRule]) -> Vec<RuleRow> {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let rows = rules.iter().map(|rule| {
        let form = &rule.form;
        RuleRow {
            number: 0,
            action: form.action.as_str().to_owned(),
            repositories: form.repositories.clone().unwrap_or_default(),
            tags: form.tags.join(" "),
            except: form.except.join(" "),
            newest: number(form.newest),
            pushed_within_days: number(form.pushed_within_days),
            pulled_within_days: number(form.pulled_within_days),
            not_pushed_for_days: number(form.not_pushed_for_days),
            not_pulled_for_days: number(form.not_pulled_for_days),
        }
    });
    numbered(rows.collect())
}

fn numbered(mut rows: Vec<RuleRow>) -> Vec<RuleRow> {
    if rows.len() < MAX_RULES {
        rows.push(RuleRow::default());
    }
    for (row, number) in rows.iter_mut().zip(1..) {
        row.number = number;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_from_its_form_and_a_rule_without_action_is_none() {
        let text = "enabled=yes&action_1=&tags_1=x&action_2=delete&tags_2=dev-*%20pr-*&not_pushed_for_days_2=30&every_days=1";
        let fields: Fields = serde_json::from_value(serde_json::json!(
            form_urlencoded::parse(text.as_bytes()).collect::<Vec<_>>()
        ))
        .unwrap();
        let wish = wish(&fields).unwrap();
        assert_eq!((wish.rules.len(), wish.is_enabled, wish.at_hour), (1, true, 3));
        assert_eq!(wish.rules[0].tags, ["dev-*", "pr-*"]);
        assert_eq!(wish.rules[0].not_pushed_for_days, Some(30));
        let rows = sent(&fields);
        assert_eq!((rows.len(), rows[0].number, rows[1].number), (2, 1, 2));
        assert_eq!(
            (rows[0].tags.as_str(), rows[1].action.as_str()),
            ("dev-* pr-*", "")
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let fields: Fields = serde_json::from_str(r#"[["action_1","keep"],["newest_1","many"]]"#).unwrap();
        assert!(wish(&fields).is_err());
    }
}
