//! What a registry answers to who has not signed in: `WWW-Authenticate` (RFC 9110, section 11.6.1).

/// How to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The account with each request.
    Basic,
    /// With a token, from here.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// `None` for what is neither.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters = parameters(rest);
        let mut take = |name: &str| {
            let place = parameters
                .iter()
                .position(|(known, _)| known.eq_ignore_ascii_case(name))?;
            Some(parameters.swap_remove(place).1)
        };
        Some(Self::Bearer {
            realm: take("realm")?,
            service: take("service"),
            scope: take("scope").filter(|scope| !scope.is_empty()),
        })
    }
}

/// What a challenge says to people of why it is there (RFC 6750, section 3).
pub(super) fn description(challenge: &str) -> Option<String> {
    let (_, rest) = challenge.trim().split_once(' ')?;
    let mut found = parameters(rest)
        .into_iter()
        .filter(|(name, _)| name == "error_description");
    found.next().map(|(_, text)| text)
}

/// `name=value` and `name="value"`, separated by commas, of which values may hold some.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_owned();
        let mut value = String::new();
        let mut characters = after.char_indices();
        let mut end = after.len();
        if after.starts_with('"') {
            characters.next();
            while let Some((at, c)) = characters.next() {
                match c {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => value.extend(characters.next().map(|(_, c)| c)),
                    c => value.push(c),
                }
            }
        } else {
            end = after.find(',').unwrap_or(after.len());
            after[..end].trim().clone_into(&mut value);
        }
        found.push((name, value));
        rest = &after[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_as_registries_write_them() {
        for (text, meant) in [
            (
                r#"Bearer realm="https://a/token",service="a",scope="repository:x:pull,push""#,
                Some(bearer(
                    "https://a/token",
                    Some("a"),
                    Some("repository:x:pull,push"),
                )),
            ),
            (
                r#"bearer service=a.example , realm="https://a/t?x=1""#,
                Some(bearer("https://a/t?x=1", Some("a.example"), None)),
            ),
            (
                r#"Bearer realm="h\"x\\",scope="""#,
                Some(bearer(r#"h"x\"#, None, None)),
            ),
            (r#"Basic realm="Registry, of tests""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            ("Bearer", None),
            (r#"Bearer service="a""#, None),
            ("Negotiate", None),
            ("", None),
            (
                r#"Bearer realm="never ends"#,
                Some(bearer("never ends", None, None)),
            ),
        ] {
            assert_eq!(Challenge::parse(text), meant, "{text}");
        }
    }

    #[test]
    fn a_challenge_may_say_why_it_is_there() {
        let text = r#"Bearer realm="h",error="insufficient_scope",error_description="not yours, ada""#;
        assert_eq!(description(text).as_deref(), Some("not yours, ada"));
        assert_eq!(description("Basic"), None);
    }
}
