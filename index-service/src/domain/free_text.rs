//! Texts that people write about themselves and about what is theirs.

/// What kind of text: what it is called, how long it may be, and whether it may have several lines.
#[derive(Debug, Clone, Copy)]
pub struct FreeText {
    noun: &'static str,
    max: usize,
    has_lines: bool,
}

/// What a repository is, in one line.
pub const SUMMARY: FreeText = FreeText::line("a short description", 100);
/// An organisation's name as people write it.
pub const DISPLAY_NAME: FreeText = FreeText::line("a display name", 100);
/// What administrators tell everybody.
pub const ANNOUNCEMENT: FreeText = FreeText::line("an announcement", 300);
/// What the site is called.
pub const SITE_NAME: FreeText = FreeText::line("the site's name", 40);
/// What visitors of the site read first.
pub const GREETING: FreeText = FreeText::lines("a greeting", 500);
/// What a webhook is called.
pub const HOOK_LABEL: FreeText = FreeText::line("the name of a webhook", 100);
/// A person's name.
pub const FULL_NAME: FreeText = FreeText::line("a full name", 100);
/// Where a person is.
pub const LOCATION: FreeText = FreeText::line("a location", 100);
/// What a person says about themselves.
pub const BIOGRAPHY: FreeText = FreeText::lines("a biography", 1000);
/// What an organisation or a team is.
pub const DESCRIPTION: FreeText = FreeText::lines("a description", 1000);

/// A text is too long, or holds what cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{noun} has at most {max} characters, and none that steers a terminal or the direction of writing")]
pub struct InvalidFreeText {
    noun: &'static str,
    max: usize,
}

impl FreeText {
    const fn line(noun: &'static str, max: usize) -> Self {
        Self {
            noun,
            max,
            has_lines: false,
        }
    }

    const fn lines(noun: &'static str, max: usize) -> Self {
        Self {
            noun,
            max,
            has_lines: true,
        }
    }

    /// The text without outer white space; an empty one is allowed.
    pub fn check(self, text: &str) -> Result<String, InvalidFreeText> {
        let text = text.trim();
        let is_fine = |c: char| !(c.is_control() || turns(c)) || (self.has_lines && matches!(c, '\n' | '\t'));
        if text.chars().count() > self.max || !text.chars().all(is_fine) {
            return Err(InvalidFreeText {
                noun: self.noun,
                max: self.max,
            });
        }
        Ok(text.to_owned())
    }
}

/// Whether a character turns the direction of what follows, so that a text shows as something else.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// A text is no address of a web page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a website is an address such as https://example.com, with at most 200 characters")]
pub struct InvalidWebsite;

/// An `http` or `https` address without a user name; an empty one is allowed. It is shown as a link, so nothing else
/// (`javascript:`) may pass.
pub fn check_website(text: &str) -> Result<String, InvalidWebsite> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .ok_or(InvalidWebsite)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`' | b'\'');
    if text.len() > 200
        || authority.is_empty()
        || authority.starts_with(':')
        || authority.contains('@')
        || !text.bytes().all(is_plain)
    {
        return Err(InvalidWebsite);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded_and_cannot_pretend() {
        assert_eq!(FULL_NAME.check(" Ada 电脑 ").unwrap(), "Ada 电脑");
        assert_eq!(DESCRIPTION.check("a\n\tb").unwrap(), "a\n\tb");
        assert_eq!(FULL_NAME.check("").unwrap(), "");
        assert!(FULL_NAME.check(&"é".repeat(100)).is_ok());
        for text in [&"é".repeat(101), "a\nb", "a\u{1b}[0m", "a\u{202e}b", "a\0b"] {
            assert!(FULL_NAME.check(text).is_err(), "{text:?}");
        }
        assert!(DESCRIPTION.check("a\rb").is_err());
    }

    #[test]
    fn a_website_is_a_link_that_does_nothing_else() {
        for text in ["", "https://example.com", "http://a:81/b?c#d"] {
            assert_eq!(check_website(text).as_deref(), Ok(text));
        }
        let long = format!("https://a/{}", "b".repeat(200));
        for text in [
            "javascript:alert(1)",
            "example.com",
            "ftp://a",
            "https://",
            "https:///a",
            "https://u:p@a",
            "https://:1",
            "https://a\"onclick=",
            "https://a b",
            "HTTPS://a",
            &long,
        ] {
            assert_eq!(check_website(text), Err(InvalidWebsite), "{text}");
        }
    }
}
