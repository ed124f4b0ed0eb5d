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

/// Elements that an HTML parser opens again in each paragraph behind one that left them open (HTML Standard, 13.2.4.3).
const FORMATTING: [&str; 13] = [
    "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// How many of the same without attributes it opens again.
const MOST_ALIKE: usize = 3;
/// Most elements that a text may become by that; the HTML in a longer one is left out.
const MOST_REOPENED: usize = 100_000;
/// Most cells of tables: those that a row leaves out are filled in, so that a short text can have very many.
const MOST_CELLS: usize = 50_000;

/// A description as HTML: GitHub's Markdown, what is dangerous left out.
pub(super) fn render(markdown: &str) -> String {
    let mut options = Options::default();
    options.extension.table = cells(markdown) <= MOST_CELLS;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.alerts = true;
    options.extension.footnotes = true;
    // Harmless HTML passes; the rest is left out below.
    options.render.r#unsafe = true;
    let mut html = markdown_to_html(markdown, &options);
    if reopened(markdown).saturating_mul(html.matches('<').count()) > MOST_REOPENED {
        options.render.r#unsafe = false;
        html = markdown_to_html(markdown, &options);
    }
    HARMLESS.clean(&html).to_string()
}

/// How many elements that were never closed can be opened again at once, at most, by the HTML in a text.
fn reopened(markdown: &str) -> usize {
    let mut alike = [0_usize; FORMATTING.len()];
    let mut others = 0_usize;
    for rest in markdown.split('<').skip(1) {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric());
        let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
        let found = FORMATTING.iter().position(|one| one.eq_ignore_ascii_case(name));
        match found.and_then(|place| alike.get_mut(place)) {
            Some(alike) if behind.starts_with('>') => *alike = MOST_ALIKE,
            Some(_) => others += 1,
            None => {}
        }
    }
    others + alike.iter().sum::<usize>()
}

/// How many cells the tables of a text can have at most.
fn cells(markdown: &str) -> usize {
    let (lines, columns) = markdown
        .split(['\n', '\r'])
        .fold((0_usize, 0_usize), |(lines, columns), line| {
            (lines + 1, columns.max(line.matches('|').count() + 1))
        });
    lines.saturating_mul(columns)
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
    while let Some(place) = rest.find('<') {
        shown.push_str(&rest[..place]);
        rest = &rest[place..];
        let is_end = rest.starts_with("</");
        let mark = if is_end { "</h" } else { "<h" };
        if !rest.starts_with(mark) {
            shown.push('<');
            rest = &rest[1..];
            continue;
        }
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
    fn what_is_left_open_does_not_grow_with_every_paragraph() {
        let open = (0..1_500).fold(String::new(), |text, n| text + "<b x" + &n.to_string() + ">");
        let text = format!("<p>{open}{}", "x<p>".repeat(2_000));
        assert!(text.len() < 25_000);
        assert!(render(&text).len() < 1_000_000);
        // What people write is not that.
        let html = render(&"<p><b>x</b> <code>y</code></p>\n".repeat(500));
        assert!(html.contains("<b>x</b> <code>y</code>"), "{html}");
    }

    #[test]
    fn a_table_is_not_filled_in_without_end() {
        let table = |columns: usize, rows: usize| {
            let (names, bars) = ("|a".repeat(columns), "|-".repeat(columns));
            format!("{names}|\n{bars}|\n{}", "|b\n".repeat(rows))
        };
        assert!(render(&table(20, 500)).contains("<table>"));
        let text = table(1_000, 1_000);
        assert!(text.len() < 10_000 && render(&text).len() < 100_000);
    }

    #[test]
    fn every_link_says_that_it_is_somebodys_and_tells_nobody_who_follows_it() {
        for text in [
            "[a](https://example.com)",
            "[a](http://example.com \"title\")",
            "https://example.com",
            "www.example.com",
            "<http://example.com>",
            "somebody@example.com",
            "[a][b]\n\n[b]: https://example.com",
            "<a href=\"https://example.com\" rel=\"opener follow\">a</a>",
            "<a href=http://example.com target=_blank>a</a>",
            "text[^1]\n\n[^1]: a note with https://example.com\n",
        ] {
            let html = render(text);
            let mut links = 0;
            for link in html.split("<a").skip(1) {
                let (attributes, _) = link.split_once('>').unwrap();
                // What led within the page leads nowhere any more.
                if !attributes.contains("href=") {
                    continue;
                }
                assert!(
                    attributes.contains("rel=\"nofollow noopener noreferrer ugc\""),
                    "{text}: {html}"
                );
                assert_eq!(attributes.matches("rel=").count(), 1, "{text}: {html}");
                assert!(!attributes.contains("target"), "{text}: {html}");
                links += 1;
            }
            assert!(links > 0, "{text}: {html}");
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
