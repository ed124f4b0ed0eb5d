//! What a form or an address says, by names, and how a form that was refused shows itself again.

use std::fmt::Display;
use std::str::FromStr;

use http::StatusCode;
use serde::Deserialize;
use time::{Date, Month};

use crate::app::AppError;
use crate::http::web::fault::PageError;
use crate::http::web::view::View;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Most words of a field that holds several.
const MAX_WORDS: usize = 200;

/// The fields of a form, or of a query, in their order; a name may be there several times.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::http) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What a field says; empty where it is absent.
    pub(in crate::http) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The same without spaces around it, unless nothing is left.
    pub(in crate::http) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty())
    }

    /// Everything that fields of this name say.
    pub(in crate::http) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(key, _)| key == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name and value is ticked.
    pub(in crate::http) fn is_ticked(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|one| one == value)
    }

    /// What a field lists, separated by spaces, commas or lines.
    pub(in crate::http) fn words(&self, name: &str) -> Vec<String> {
        self.get(name)
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、'))
            .filter(|word| !word.is_empty())
            .take(MAX_WORDS)
            .map(str::to_owned)
            .collect()
    }

    /// What a field says, as something that has a grammar; `None` where it says nothing.
    pub(in crate::http) fn parse<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, AppError> {
        let parsed = self.some(name).map(str::parse::<T>).transpose();
        parsed.map_err(|error| AppError::Invalid(error.to_string()))
    }

    /// A whole number.
    pub(in crate::http) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, AppError> {
        let parsed = self.some(name).map(str::parse::<T>).transpose();
        parsed.map_err(|_| AppError::Invalid(format!("{:?} is no such number", self.get(name))))
    }

    /// The id of what an address or a form is about; what can be none is the id of nothing.
    pub(in crate::http) fn id(&self, name: &str) -> Option<i64> {
        self.some(name).map(|text| text.parse().unwrap_or(i64::MIN))
    }

    /// Behind which id a list goes on.
    pub(in crate::http) fn after_id(&self) -> i64 {
        self.some("after")
            .and_then(|text| text.parse().ok())
            .unwrap_or(i64::MIN)
    }

    /// Before which id a list goes on that has the newest first.
    pub(in crate::http) fn before_id(&self) -> i64 {
        self.some("after")
            .and_then(|text| text.parse().ok())
            .unwrap_or(i64::MAX)
    }

    /// Behind which name a list goes on; PostgreSQL takes no text with a NUL.
    pub(in crate::http) fn after(&self) -> &str {
        Some(self.get("after"))
            .filter(|after| after.len() <= 300 && !after.contains('\0'))
            .unwrap_or_default()
    }

    /// The end of a day (UTC) that a field of the kind `date` names, in milliseconds since 1970.
    pub(in crate::http) fn end_of_day(&self, name: &str) -> Result<Option<i64>, AppError> {
        Ok(self.day(name)?.map(|start| start + DAY_MS - 1))
    }

    /// The beginning of that day.
    pub(in crate::http) fn day(&self, name: &str) -> Result<Option<i64>, AppError> {
        let Some(text) = self.some(name) else {
            return Ok(None);
        };
        let start = day_of(text)
            .ok_or_else(|| AppError::Invalid(format!("{text:?} is no day such as 2030-12-31")))?;
        Ok(Some(start))
    }
}

/// When a day such as `2030-12-31` begins (UTC).
fn day_of(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp() * 1000)
}

/// A time as a field of the kind `date` takes it.
pub(in crate::http) fn as_day(at_ms: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000));
    at.map_or_else(
        |_| String::new(),
        |at| format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day()),
    )
}

/// What a page is asked for, and what of a form was refused.
#[derive(Default)]
pub(in crate::http) struct Draft {
    /// What the form, or the address, says.
    pub(in crate::http) fields: Fields,
    /// The form whose fields these are; empty for an address.
    form: String,
    error: Option<String>,
    status: StatusCode,
}

impl Draft {
    /// What an address asks for.
    pub(in crate::http) fn asked(fields: Fields) -> Self {
        Self {
            fields,
            ..Self::default()
        }
    }

    /// A form that shows itself again with what it holds, though nothing is wrong.
    pub(in crate::http) fn again(form: &str, fields: Fields) -> Self {
        Self {
            fields,
            form: form.to_owned(),
            ..Self::default()
        }
    }

    /// A form that was refused; what is no fault of the form stays an error.
    pub(in crate::http) fn refused(
        form: &str,
        fields: Fields,
        error: AppError,
        view: &View,
    ) -> Result<Self, PageError> {
        let status = match error {
            AppError::Invalid(_) => StatusCode::BAD_REQUEST,
            AppError::NotFound(_) => StatusCode::NOT_FOUND,
            AppError::Forbidden(_) => StatusCode::FORBIDDEN,
            AppError::Conflict(_) => StatusCode::CONFLICT,
            AppError::Unauthenticated(_)
            | AppError::TooManyAttempts
            | AppError::Braked { .. }
            | AppError::Unavailable(_)
            | AppError::Internal(_) => return Err(error.into()),
        };
        Ok(Self {
            fields,
            form: form.to_owned(),
            error: Some(PageError::from(error).text(view)),
            status,
        })
    }

    /// What is said above the form.
    pub(in crate::http) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The status of the page.
    pub(in crate::http) fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether it is this form that was sent.
    pub(in crate::http) fn is_of(&self, form: &str) -> bool {
        self.form == form
    }

    /// What a field of a form shows: what was sent, or what is so at present.
    pub(in crate::http) fn text(&self, form: &str, name: &str, present: &str) -> String {
        if self.is_of(form) {
            self.fields.get(name).to_owned()
        } else {
            present.to_owned()
        }
    }

    /// Whether a box of a form is ticked.
    pub(in crate::http) fn ticked(&self, form: &str, name: &str, value: &str, present: bool) -> bool {
        if self.is_of(form) {
            self.fields.is_ticked(name, value)
        } else {
            present
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Fields(pairs.collect())
    }

    #[test]
    fn days_are_read_and_written_alike() {
        let form = fields(&[
            ("a", "2030-12-31"),
            ("b", "2030-02-30"),
            ("c", "soon"),
            ("d", " "),
        ]);
        let end = form.end_of_day("a").unwrap().unwrap();
        assert_eq!((as_day(end), end % 1000), ("2030-12-31".to_owned(), 999));
        assert!(form.end_of_day("b").is_err() && form.day("c").is_err());
        assert_eq!((form.day("d").unwrap(), form.day("e").unwrap()), (None, None));
        assert_eq!(as_day(i64::MAX), "");
    }

    #[test]
    fn lists_are_separated_as_people_separate_them() {
        let form = fields(&[("a", "v*, w*\n x，y、z "), ("t", "1"), ("t", "2")]);
        assert_eq!(form.words("a"), ["v*", "w*", "x", "y", "z"]);
        assert!(form.is_ticked("t", "2") && !form.is_ticked("t", "3"));
        assert_eq!((form.id("a"), form.id("none")), (Some(i64::MIN), None));
    }

    #[test]
    fn a_form_shows_what_was_sent_and_others_what_is_so() {
        let draft = Draft::again("one", fields(&[("name", "new")]));
        assert_eq!(draft.text("one", "name", "old"), "new");
        assert_eq!(draft.text("two", "name", "old"), "old");
        assert!(draft.ticked("two", "name", "x", true) && !draft.ticked("one", "name", "x", true));
    }
}
