//! Markdown as people write descriptions, as HTML that does nothing.

use std::sync::LazyLock;

use comrak::{Options, markdown_to_html};

/// Tags, attributes and addresses that are harmless. No images: one from elsewhere tells its host who reads the page.
static HARMLESS: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut harmless = ammonia::Builder::default();
    harmless
        .rm_tags(["img", "map", "area"])
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer ugc"));
    harmless
});

/// A description as HTML: GitHub's Markdown, what is dangerous left out.
pub(super) fn render(markdown: &str) -> String {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.alerts = true;
    options.extension.footnotes = true;
    // Harmless HTML passes; the rest is left out below.
    options.render.r#unsafe = true;
    HARMLESS.clean(&markdown_to_html(markdown, &options)).to_string()
}

/// The same below a heading of this level: its headings stand under that one, and none leaves out a level.
pub(super) fn render_below(markdown: &str, level: u8) -> String {
    below(&render(markdown), level)
}

/// Headings with other levels. They bear no attributes, since none is harmless.
fn below(html: &str, level: u8) -> String {
    let mut shown = String::with_capacity(html.len());
    // The levels that the text has above where it is read.
    let mut above: Vec<u8> = Vec::new();
    let mut rest = html;
    while let Some(place) = rest.find("<h").into_iter().chain(rest.find("</h")).min() {
        shown.push_str(&rest[..place]);
        rest = &rest[place..];
        let is_end = rest.starts_with("</");
        let mark = if is_end { "</h" } else { "<h" };
        let digit = rest[mark.len()..].bytes().next();
        let is_heading = rest.as_bytes().get(mark.len() + 1) == Some(&b'>');
        match digit {
            Some(digit @ b'1'..=b'6') if is_heading => {
                if !is_end {
                    above.retain(|one| *one < digit);
                    above.push(digit);
                }
                let depth = u8::try_from(above.len().max(1)).unwrap_or(6);
                shown.push_str(mark);
                shown.push(char::from(b'0' + level.saturating_add(depth).min(6)));
                shown.push('>');
                rest = &rest[mark.len() + 2..];
            }
            _ => {
                shown.push_str(mark);
                rest = &rest[mark.len()..];
            }
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        let html = render("# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`x` <kbd>y</kbd> https://example.com\n");
        for part in [
            "<h1>A</h1>",
            "<td>1</td>",
            "<code>x</code>",
            "<kbd>y</kbd>",
            "href=\"https://example.com\"",
            "nofollow",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn headings_stand_below_that_of_the_page_without_a_gap() {
        for (markdown, shown) in [
            ("# A\n## B\n#### C\n## D\n# E", "<h3>A <h4>B <h5>C <h4>D <h3>E "),
            ("### A\n# B", "<h3>A <h3>B "),
            (
                "# A\n## B\n### C\n#### D\n##### E",
                "<h3>A <h4>B <h5>C <h6>D <h6>E ",
            ),
            ("a `<h1>` &lt;h1>", ""),
            ("<hr>", ""),
        ] {
            let html = render_below(markdown, 2);
            let mut headings = String::new();
            for rest in html.split("<h").skip(1) {
                if rest.as_bytes()[0].is_ascii_digit() {
                    let (open, rest) = rest.split_once('>').unwrap();
                    let (text, rest) = rest.split_once("</h").unwrap();
                    assert!(rest.starts_with(open), "{html}");
                    headings += &["<h", open, ">", text, " "].concat();
                }
            }
            assert_eq!(headings, shown, "{html}");
        }
        assert_eq!(below("a <hr> b <header>", 2), "a <hr> b <header>");
    }

    #[test]
    fn nothing_in_it_runs_or_is_fetched() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "![a](http://example.com/track.png)",
            "[a](javascript:alert(1))",
            "<a href=\"jAvAsCrIpT:alert(1)\" onclick=\"x()\">a</a>",
            "<iframe src=//example.com></iframe>",
            "<svg onload=alert(1)><use href=x></svg>",
            "<style>*{background:url(//example.com)}</style>",
            "<p style=\"background:url(//example.com)\">a</p>",
            "<form action=//example.com><input></form>",
            "<base href=//example.com>",
            "<link rel=stylesheet href=//example.com>",
            "<object data=x></object><embed src=x><video src=//example.com></video>",
            "[a](data:text/html,<script>alert(1)</script>)",
            "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
        ] {
            let html = render(text).to_lowercase();
            for part in [
                "script", "onerror", "onclick", "onload", "<img", "<iframe", "<svg", "<style", "style=",
                "<form", "<base", "<link", "<object", "<embed", "<video", "data:", " src=",
            ] {
                assert!(!html.contains(part), "{text}: {html}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_becomes_html_without_scripts(text in "(\\PC|<|>|script|\\(|\\)|\\[|\\]|javascript:|\\n){0,80}") {
            let html = render(&text);
            proptest::prop_assert!(!html.contains("<script") && !html.contains("=\"javascript:"), "{}", html);
        }
    }
}
