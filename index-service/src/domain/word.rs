//! Words: what texts are found by.
//!
//! Letters and digits between anything else, in lower case. Chinese, Japanese and Korean are written without spaces: of them
//! every pair of neighbours is a word, so that two characters find what they stand in. Chinese is found by the first
//! letters of its pinyin, too.

use pinyin::ToPinyin;

/// Longest word that is kept, in bytes; of a longer one its beginning.
const MAX_BYTES: usize = 64;
/// Most first letters of pinyin that stand together.
const MAX_INITIALS: usize = 8;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters and digits of a script with spaces.
    Word(String),
    /// Characters of a script without them.
    Run(Vec<char>),
}

/// The pieces of a text in their order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut is_between = true;
    for c in text.chars().map(half_width).flat_map(char::to_lowercase) {
        if !c.is_alphanumeric() {
            is_between = true;
            continue;
        }
        match (tokens.last_mut(), is_unspaced(c)) {
            (Some(Token::Run(run)), true) if !is_between => run.push(c),
            (Some(Token::Word(word)), false) if !is_between => {
                if word.len() + c.len_utf8() <= MAX_BYTES {
                    word.push(c);
                }
            }
            (_, true) => tokens.push(Token::Run(vec![c])),
            (_, false) => tokens.push(Token::Word(c.to_string())),
        }
        is_between = false;
    }
    tokens
}

/// Every word that a text is found by.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for token in tokens(text) {
        match token {
            Token::Word(word) => words.push(word),
            Token::Run(run) => {
                words.extend(pairs(&run));
                // One character is looked for as the beginning of a pair; the last begins none.
                words.extend(run.last().map(char::to_string));
                words.extend(initials(&run));
            }
        }
    }
    words
}

/// Every pair of neighbours.
pub(super) fn pairs(run: &[char]) -> impl Iterator<Item = String> {
    run.windows(2).map(|pair| pair.iter().collect())
}

/// The first letters of the pinyin from each character on: of 镜像仓库 `jxck`, `xck` and `ck`.
fn initials(run: &[char]) -> impl Iterator<Item = String> {
    (0..run.len()).filter_map(|from| {
        let initials: String = run[from..]
            .iter()
            .take(MAX_INITIALS)
            .map_while(ToPinyin::to_pinyin)
            .map(pinyin::Pinyin::first_letter)
            .collect();
        (initials.len() > 1).then_some(initials)
    })
}

/// Letters, digits and signs as East Asian keyboards write them, as everybody else does.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Whether a character is of a script that is written without spaces, or is looked for inside what stands between them.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between_anything_else() {
        for (text, expected) in [
            ("team/nginx-proxy_v1.2", vec!["team", "nginx", "proxy", "v1", "2"]),
            ("Äpfel & NGINX*", vec!["äpfel", "nginx"]),
            ("ＮＧＩＮＸ", vec!["nginx"]),
            ("\"a\" OR b:*", vec!["a", "or", "b"]),
            ("", vec![]),
            (" -_./\0", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        assert_eq!(words(&"a".repeat(300)), ["a".repeat(MAX_BYTES)]);
    }

    #[test]
    fn chinese_is_found_by_pairs_and_by_first_letters() {
        assert_eq!(
            words("镜像仓库v2"),
            ["镜像", "像仓", "仓库", "库", "jxck", "xck", "ck", "v2"]
        );
        assert_eq!(words("库"), ["库"]);
        assert_eq!(words("かな"), ["かな", "な"]);
    }
}
