//! Many places at once: a repository and the name of something in it, as rows that a statement walks. PostgreSQL would read all of
//! a repository for a list of names behind `in`, as is well with one of average size.

use super::value::Value;
use crate::domain::RepositoryId;

/// [`AT_ONCE`] rows of a repository and a name, `walk.column1` and `walk.column2`.
macro_rules! walked_places {
    () => {
        "(values (cast($1 as bigint), $2), (cast($3 as bigint), $4), (cast($5 as bigint), $6), (cast($7 as bigint), $8),
          (cast($9 as bigint), $10), (cast($11 as bigint), $12), (cast($13 as bigint), $14), (cast($15 as bigint), $16),
          (cast($17 as bigint), $18), (cast($19 as bigint), $20), (cast($21 as bigint), $22), (cast($23 as bigint), $24),
          (cast($25 as bigint), $26), (cast($27 as bigint), $28), (cast($29 as bigint), $30), (cast($31 as bigint), $32),
          (cast($33 as bigint), $34), (cast($35 as bigint), $36), (cast($37 as bigint), $38), (cast($39 as bigint), $40),
          (cast($41 as bigint), $42), (cast($43 as bigint), $44), (cast($45 as bigint), $46), (cast($47 as bigint), $48),
          (cast($49 as bigint), $50), (cast($51 as bigint), $52), (cast($53 as bigint), $54), (cast($55 as bigint), $56),
          (cast($57 as bigint), $58), (cast($59 as bigint), $60), (cast($61 as bigint), $62), (cast($63 as bigint), $64)) as walk"
    };
}
pub(super) use walked_places;

/// Places that one statement asks about.
pub(super) const AT_ONCE: usize = 32;

/// The values for [`walked_places`]: of these places, and of none up to as many as a statement takes.
pub(super) fn values<'a>(places: impl Iterator<Item = (RepositoryId, &'a str)>) -> Vec<Value> {
    places
        .map(|(id, name)| (id.as_i64(), name))
        .chain(std::iter::repeat((-1, "")))
        .take(AT_ONCE)
        .flat_map(|(id, name)| [Value::Integer(Some(id)), Value::Text(Some(name.to_owned()))])
        .collect()
}
