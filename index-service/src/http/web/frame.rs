//! Areas with several pages: which of them is shown, what is wrong with the form on it, and how its lists are paged.

use http::StatusCode;
use serde::Deserialize;

use super::fault::PageError;
use super::view::View;
use crate::app::AppError;

/// Items on a page of a list.
pub(in crate::http) const PAGE: u32 = 25;
/// Longest key of a list that is looked for.
const MAX_KEY: usize = 300;

/// A page of an area.
#[derive(Debug, Clone)]
pub(in crate::http) struct Frame {
    /// Which page, by the word of its section.
    pub(in crate::http) section: &'static str,
    /// What is wrong with what was sent; empty for nothing.
    pub(in crate::http) problem: String,
}

impl Frame {
    /// The page of a section.
    pub(in crate::http) fn of(section: &'static str) -> Self {
        Self {
            section,
            problem: String::new(),
        }
    }

    /// The key of what the page is called.
    pub(in crate::http) fn title(&self, area: &str) -> String {
        format!("{area}-section-{}", self.section)
    }

    /// Why an account cannot be deleted yet, in the reader's language.
    #[expect(clippy::unused_self, reason = "templates reach it through the frame")]
    pub(in crate::http) fn obstacle(&self, view: &View, text: &str) -> String {
        let (what, names) = text.split_once(": ").unwrap_or((text, ""));
        let key = match what {
            "delete or transfer its repositories first" => "account-obstacle-repositories",
            "make somebody else an owner of these organisations first, or delete them" => {
                "account-obstacle-organisations"
            }
            _ if what.starts_with("the site would be left") => "account-obstacle-administrator",
            _ => return text.to_owned(),
        };
        view.ta(key, &[("names", names)])
    }

    /// Whether this is the page of that section.
    pub(in crate::http) fn is(&self, section: &str) -> bool {
        self.section == section
    }
}

/// What is wrong with a form, to be shown beside it. Whatever is not about what was typed is an error's own page.
pub(in crate::http) fn problem(error: AppError, view: &View) -> Result<(StatusCode, String), PageError> {
    let is_of_the_form = matches!(
        error,
        AppError::Invalid(_) | AppError::Conflict(_) | AppError::NotFound(_) | AppError::Braked { .. }
    );
    let error = PageError::from(error);
    if is_of_the_form {
        let text = error.text(view);
        return Ok((error.status, text));
    }
    Err(error)
}

/// What is wrong with a password that was typed, to be shown beside its form.
pub(in crate::http) fn refusal_of_password(
    error: AppError,
    view: &View,
) -> Result<(StatusCode, String), PageError> {
    let error = PageError::from(error);
    if !error.is_refusal() {
        return Err(error);
    }
    // 401 would have the browser ask for a password of its own.
    let status = match error.status {
        StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
        status => status,
    };
    Ok((status, error.text(view)))
}

/// Which page of a list is wished for.
#[derive(Debug, Default, Deserialize)]
pub(in crate::http) struct Place {
    /// What its items come behind.
    #[serde(default)]
    after: String,
}

impl Place {
    /// What the items come behind; empty for the first page.
    pub(in crate::http) fn after(&self) -> &str {
        // PostgreSQL takes no text with a NUL.
        if self.after.len() > MAX_KEY || self.after.contains('\0') {
            return "";
        }
        &self.after
    }

    /// The same for lists in the order of ids.
    pub(in crate::http) fn after_id(&self) -> i64 {
        self.after().parse().unwrap_or(i64::MIN)
    }

    /// The same for lists with the newest first.
    pub(in crate::http) fn before_id(&self) -> i64 {
        self.after().parse().unwrap_or(i64::MAX)
    }

    /// Whether it is not the first page.
    pub(in crate::http) fn is_later(&self) -> bool {
        !self.after().is_empty()
    }
}

/// One page of what was read, which is up to one item more, and where the pages before and behind it are.
#[derive(Debug)]
pub(in crate::http) struct Paged<T> {
    /// The items.
    pub(in crate::http) items: Vec<T>,
    /// The first page; empty when this is it.
    pub(in crate::http) previous: String,
    /// The next page; empty when there is none.
    pub(in crate::http) next: String,
}

impl<T> Paged<T> {
    /// The page of a path, which may have a query of its own.
    pub(in crate::http) fn new(
        place: &Place,
        path: &str,
        mut read: Vec<T>,
        limit: u32,
        key: impl Fn(&T) -> String,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = read.len() > limit;
        read.truncate(limit);
        let sign = if path.contains('?') { '&' } else { '?' };
        let behind = |last: &T| {
            let key: String = form_urlencoded::byte_serialize(key(last).as_bytes()).collect();
            format!("{path}{sign}after={key}")
        };
        Self {
            next: read.last().filter(|_| is_more).map(behind).unwrap_or_default(),
            previous: if place.is_later() {
                path.to_owned()
            } else {
                String::new()
            },
            items: read,
        }
    }
}

/// A query of these pairs, without those that are empty; nothing when all are.
pub(in crate::http) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    let text = text.finish();
    if text.is_empty() { text } else { format!("?{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_next_page_when_more_was_read_and_goes_back_to_its_beginning() {
        let first = Paged::new(&Place::default(), "/a?q=x", vec![1, 2, 3], 2, |n| format!("{n}&"));
        assert_eq!(first.items, [1, 2]);
        assert_eq!(first.next, "/a?q=x&after=2%26");
        assert_eq!(first.previous, "");
        let place = Place {
            after: "2".to_owned(),
        };
        let last = Paged::new(&place, "/a", vec![3], 2, ToString::to_string);
        assert_eq!((last.next.as_str(), last.previous.as_str()), ("", "/a"));
    }

    #[test]
    fn a_key_that_no_list_has_begins_at_the_beginning() {
        for after in ["a\0b".to_owned(), "x".repeat(301)] {
            let place = Place { after };
            assert!(!place.is_later());
            assert_eq!((place.after_id(), place.before_id()), (i64::MIN, i64::MAX));
        }
    }

    #[test]
    fn a_query_holds_what_is_not_empty() {
        assert_eq!(query(&[("a", ""), ("b", "")]), "");
        assert_eq!(query(&[("a", "x y"), ("b", ""), ("c", "&")]), "?a=x+y&c=%26");
    }
}
