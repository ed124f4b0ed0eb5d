//! E-mail addresses of accounts.

use std::fmt;
use std::str::FromStr;

/// Longest address in bytes (RFC 5321, section 4.5.3.1.3, without the brackets).
pub const MAX_EMAIL_LENGTH: usize = 254;
/// Longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_LENGTH: usize = 64;

/// A text is no e-mail address that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address is written as name@example.com, in ASCII, with at most 254 characters")]
pub struct InvalidEmail;

/// An e-mail address: a dot-atom, `@` and a domain with a dot. Quoted names, comments, bare addresses of hosts and letters
/// outside ASCII, which look like others, are refused. Folded to lower case: two addresses that differ in case are one.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(Box<str>);

impl EmailAddress {
    /// The address, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        if text.len() > MAX_EMAIL_LENGTH || local.len() > MAX_LOCAL_LENGTH {
            return Err(InvalidEmail);
        }
        let is_atom = |atom: &str| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let has_name = domain
            .rsplit_once('.')
            .is_some_and(|(_, last)| last.len() > 1 && !last.bytes().all(|b| b.is_ascii_digit()));
        if !local.split('.').all(is_atom) || !domain.split('.').all(is_label) || !has_name {
            return Err(InvalidEmail);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Personal: the log does not show it.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[e-mail address]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded() {
        let one: EmailAddress = " Ada.Lovelace+docker@Example.COM ".parse().unwrap();
        assert_eq!(one.as_str(), "ada.lovelace+docker@example.com");
        assert!(!format!("{one:?}").contains("ada"));
        for text in ["a@b.co", "o'neil@mail.example", "x_y-z@a-b.example.org"] {
            assert!(text.parse::<EmailAddress>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", ["a".repeat(60).as_str(); 5].join("."));
        for text in [
            "",
            "a",
            "@example.com",
            "a@",
            "a@localhost",
            "a@b@c.com",
            "a b@c.com",
            "a..b@c.com",
            ".a@c.com",
            "a.@c.com",
            "a@-c.com",
            "a@c-.com",
            "a@c..com",
            "a@.com",
            "a@1.2.3.4",
            "a@[1.2.3.4]",
            "\"a\"@c.com",
            "a@c.com\nBcc: x@y.com",
            "a@c.com,b@c.com",
            "<a@c.com>",
            "ä@c.com",
            "a@ç.com",
            "а@c.com",
            &long_local,
            &long,
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(InvalidEmail), "{text:?}");
        }
    }
}
