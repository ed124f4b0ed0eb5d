//! The `WWW-Authenticate` answer (Docker token authentication specification, "How to authenticate"; RFC 6750,
//! section 3).

use std::fmt;

use super::Scope;

/// What was wrong with the token that was shown (RFC 6750, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeError {
    /// Expired, malformed, not signed by a known key, or for somebody else.
    InvalidToken,
    /// Valid, but it does not hold the access that the request needs.
    InsufficientScope,
}

impl ChallengeError {
    /// The value of `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// A Bearer challenge: where to get a token, for which service, with which scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// The URL of the token endpoint, from configuration.
    pub realm: &'a str,
    /// The service to ask a token for, from configuration.
    pub service: &'a str,
    /// What the request needs; none for `/v2/`.
    pub scopes: &'a [Scope],
    /// What was wrong with the token, if one was shown.
    pub error: Option<ChallengeError>,
    /// The same for people (RFC 6750, section 3): engines show it instead of words of their own.
    pub description: Option<&'a str>,
}

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Bearer realm=\"{}\",service=\"{}\"",
            Quoted(self.realm),
            Quoted(self.service)
        )?;
        for (i, scope) in self.scopes.iter().enumerate() {
            // One parameter, items separated by a space.
            f.write_str(if i == 0 { ",scope=\"" } else { " " })?;
            write!(f, "{scope}")?;
        }
        if !self.scopes.is_empty() {
            f.write_str("\"")?;
        }
        if let Some(error) = self.error {
            write!(f, ",error=\"{}\"", error.as_str())?;
        }
        if let Some(description) = self.description {
            write!(f, ",error_description=\"{}\"", Quoted(description))?;
        }
        Ok(())
    }
}

/// A quoted-string's inside (RFC 9110, section 5.6.4).
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().filter(|c| !c.is_control()) {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Actions;

    #[test]
    fn a_challenge_is_written_as_the_clients_read_it() {
        let scope = |name: &str, actions| Scope::repository(name.parse().unwrap(), actions);
        let challenge = |scopes: &[Scope], error| {
            Challenge {
                realm: "http://localhost:5000/token",
                service: "localhost:5000",
                scopes,
                error,
                description: None,
            }
            .to_string()
        };
        let base = "Bearer realm=\"http://localhost:5000/token\",service=\"localhost:5000\"";
        assert_eq!(challenge(&[], None), base);
        assert_eq!(
            challenge(
                &[scope("a/b", Actions::PULL_PUSH), scope("c", Actions::PULL)],
                None
            ),
            format!("{base},scope=\"repository:a/b:pull,push repository:c:pull\"")
        );
        assert_eq!(
            challenge(
                &[scope("a/b", Actions::PULL)],
                Some(ChallengeError::InsufficientScope)
            ),
            format!("{base},scope=\"repository:a/b:pull\",error=\"insufficient_scope\"")
        );
    }

    #[test]
    fn quotes_cannot_leave_their_parameter() {
        let challenge = Challenge {
            realm: "x\"\r\n,error=\"y",
            service: "s",
            scopes: &[],
            error: None,
            description: Some("a \"b\"\n,scope=\"c"),
        };
        assert_eq!(
            challenge.to_string(),
            "Bearer realm=\"x\\\",error=\\\"y\",service=\"s\",error_description=\"a \\\"b\\\",scope=\\\"c\""
        );
    }
}
