//! Rows: the columns of a statement as fields, read from either driver.

/// What [`super::reader`] reads a row with: values by their place.
pub(super) trait Row: Sized {
    /// The names of the columns, in the order of the fields.
    fn columns() -> Vec<&'static str>;

    /// Reads the fields from the columns at `place` and behind it, and moves `place` past them.
    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self>;
}

/// Declares a row: a struct whose fields are a statement's columns, by name and in order.
macro_rules! row {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident {
        $($(#[$of_meta:meta])* $of_field:vis $field:ident: $kind:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(sqlx::FromRow)]
        $visibility struct $name {
            $($(#[$of_meta])* $of_field $field: $kind,)*
        }

        impl $crate::store::row::Row for $name {
            fn columns() -> Vec<&'static str> {
                vec![$(stringify!($field)),*]
            }

            fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
                Ok(Self {
                    $($field: $crate::store::row::next(row, place)?,)*
                })
            }
        }
    };
}
pub(super) use row;

/// The value at `place`, which moves on by one.
pub(super) fn next<T: rusqlite::types::FromSql>(
    row: &rusqlite::Row<'_>,
    place: &mut usize,
) -> rusqlite::Result<T> {
    let value = row.get(*place);
    *place += 1;
    value
}
