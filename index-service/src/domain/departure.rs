//! What ends with an account, a membership or an organisation, as it is told before.

/// Most names in a [`Listed`].
pub const MAX_NAMES: u32 = 100;

/// How many there are of something, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// How many.
    pub count: i64,
    /// The first [`MAX_NAMES`], as people know them.
    pub names: Vec<String>,
}

impl Listed {
    /// What to do first, with the names of some that stand in the way.
    pub fn first(&self, what: &str) -> String {
        const SHOWN: usize = 10;
        let names: Vec<&str> = self.names.iter().take(SHOWN).map(String::as_str).collect();
        let more = usize::try_from(self.count).unwrap_or_default() > names.len();
        format!("{what}: {}{}", names.join(", "), if more { ", …" } else { "" })
    }
}

impl From<Vec<String>> for Listed {
    /// All of them.
    fn from(names: Vec<String>) -> Self {
        Self {
            count: i64::try_from(names.len()).unwrap_or(i64::MAX),
            names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_is_named_and_bounded() {
        let two = Listed::from(vec!["a/b".to_owned(), "a/c".to_owned()]);
        assert_eq!(two.first("delete these first"), "delete these first: a/b, a/c");
        let many = Listed {
            count: 20,
            names: (0..20).map(|i| i.to_string()).collect(),
        };
        assert!(many.first("x").ends_with("9, …"), "{}", many.first("x"));
    }
}
