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
