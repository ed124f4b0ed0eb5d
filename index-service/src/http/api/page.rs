//! Lists of the API: pages by key, so that what is added or removed meanwhile moves no page.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Items on a page when the client does not say.
const DEFAULT: u32 = 50;
/// Most items on a page; a larger wish gets this many.
pub(super) const MAX: u32 = 200;
/// Longest `after` that is looked for.
const MAX_AFTER: usize = 300;

/// Which page is wished for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wish {
    /// Items on the page, 1 to 200. Default: 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before; absent for the first page.
    #[param(max_length = 300)]
    after: Option<String>,
}

impl Wish {
    /// How many items: one more is read, which tells whether there is a next page.
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT).clamp(1, MAX)
    }

    /// What the items wished for come behind; empty for the first page.
    pub(super) fn after(&self) -> &str {
        self.after
            .as_deref()
            // PostgreSQL takes no text with a NUL.
            .filter(|after| after.len() <= MAX_AFTER && !after.contains('\0'))
            .unwrap_or_default()
    }

    /// The same for lists in the order of ids.
    pub(super) fn after_id(&self) -> i64 {
        self.after().parse().unwrap_or(i64::MIN)
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items in their order.
    pub(super) items: Vec<T>,
    /// What `after` takes for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// A page of what was read: up to one item more than was wished for.
    pub(super) fn new<U>(
        wish: &Wish,
        mut read: Vec<U>,
        key: impl Fn(&U) -> String,
        show: impl Fn(U) -> T,
    ) -> Self {
        let limit = usize::try_from(wish.limit()).unwrap_or(usize::MAX);
        let more = read.len() > limit;
        read.truncate(limit);
        let next = read.last().filter(|_| more).map(key);
        Self {
            items: read.into_iter().map(show).collect(),
            next,
        }
    }
}
