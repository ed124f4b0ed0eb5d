//! How easy a password is to guess (zxcvbn: an estimate of the guesses that someone needs who tries words, names, dates,
//! patterns on the keyboard and their variants first).

use zxcvbn::{Score, zxcvbn};

/// Characters that are looked at: what comes behind them makes no password easier.
const LOOKED_AT: usize = 64;

/// What is weak about a password, in words for whoever chose it; `None` when it is good enough. `known` are words that
/// others know about its owner.
pub(super) fn weakness(password: &str, known: &[String]) -> Option<String> {
    let looked_at: String = password.chars().take(LOOKED_AT).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let estimate = zxcvbn(&looked_at, &known);
    if estimate.score() >= Score::Three {
        return None;
    }
    let mut text = "this password is too easy to guess".to_owned();
    if let Some(feedback) = estimate.feedback() {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let advice = feedback.suggestions().iter().map(ToString::to_string);
        for sentence in warning.into_iter().chain(advice) {
            text.push_str(if text.ends_with("guess") { ": " } else { " " });
            text.push_str(&sentence);
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easy_to_guess_is_told_with_the_reason() {
        for password in [
            "password1234",
            "aaaaaaaaaaaaaaaa",
            "qwertyuiop12",
            "123456789012",
            "abcabcabcabc",
        ] {
            let text = weakness(password, &[]).unwrap_or_default();
            assert!(
                text.starts_with("this password is too easy to guess: "),
                "{password}: {text}"
            );
        }
        for password in [
            "correct horse battery",
            "kX9vLq2mZr7p",
            "我们的仓库在云上面呢吧啊",
        ] {
            assert_eq!(weakness(password, &[]), None, "{password}");
        }
    }

    #[test]
    fn what_others_know_makes_a_password_weak() {
        let known = ["lovelace-ada".to_owned(), "countess@example.com".to_owned()];
        assert!(weakness("lovelace-ada1", &known).is_some());
        assert!(weakness("countess@example.com", &known).is_some());
    }

    #[test]
    fn a_long_password_takes_no_longer() {
        let long = "a1b2".repeat(64);
        // Only that it ends: what is looked at is bounded.
        weakness(&long, &[]);
        assert!(weakness(&"a".repeat(256), &[]).is_some());
    }
}
