//! Numbers, sizes and times as people read them.

use time::OffsetDateTime;

use super::language::Language;

/// A number that templates hand over: they do so by value or by reference, as it comes.
pub(in crate::http) trait Figure {
    /// The number; what is beyond `i64` is its end.
    fn figure(&self) -> i64;
}

macro_rules! figures {
    ($($kind:ty),+) => { $(impl Figure for $kind {
        fn figure(&self) -> i64 {
            i64::try_from(*self).unwrap_or(i64::MAX)
        }
    })+ };
}

figures!(i64, i32, u64, u32, u16, u8, usize);

impl<T: Figure + ?Sized> Figure for &T {
    fn figure(&self) -> i64 {
        (**self).figure()
    }
}

/// A number with its thousands apart.
pub(in crate::http) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as Docker's commands show them: in powers of 1,000, with three digits.
pub(in crate::http) fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In thousandths of the unit, so that no rounding of floating point shows.
    let mut thousandths = i128::from(bytes);
    let mut unit = 0;
    while thousandths >= 999_500 && unit + 1 < UNITS.len() {
        thousandths = (thousandths + 500) / 1000;
        unit += 1;
    }
    let text = match thousandths {
        ..9_995 => format!("{}.{:02}", thousandths / 1000, thousandths % 1000 / 10),
        9_995..99_950 => {
            let tenths = (thousandths + 50) / 100;
            format!("{}.{}", tenths / 10, tenths % 10)
        }
        _ => ((thousandths + 500) / 1000).to_string(),
    };
    format!("{} {}", text, UNITS[unit])
}

/// A number in little space: 1.2k, 3.4M; in Chinese 1.2万, 3.4亿.
pub(in crate::http) fn short(number: i64, language: Language) -> String {
    let steps: &[(i64, &str)] = match language {
        Language::English => &[(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")],
        Language::Chinese => &[(100_000_000, "亿"), (10_000, "万")],
    };
    for (step, unit) in steps {
        if number >= *step {
            let tenths = i128::from(number) * 10 / i128::from(*step);
            return if tenths >= 1000 || tenths % 10 == 0 {
                format!("{}{unit}", tenths / 10)
            } else {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            };
        }
    }
    grouped(number)
}

fn moment(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A day: `22 Nov 2026`, `2026年11月22日`.
pub(in crate::http) fn date(ms: i64, language: Language) -> String {
    let at = moment(ms);
    match language {
        Language::English => {
            let month = at.month().to_string();
            let month = month.get(..3).unwrap_or(&month);
            format!("{} {month} {}", at.day(), at.year())
        }
        Language::Chinese => format!("{}年{}月{}日", at.year(), u8::from(at.month()), at.day()),
    }
}

/// The month of a time: `Nov`, `11月`.
pub(in crate::http) fn month(ms: i64, language: Language) -> String {
    let month = moment(ms).month();
    match language {
        Language::English => {
            let name = month.to_string();
            name.get(..3).unwrap_or(&name).to_owned()
        }
        Language::Chinese => format!("{}月", u8::from(month)),
    }
}

/// A time to the second, in UTC.
pub(in crate::http) fn exact(ms: i64) -> String {
    let at = moment(ms);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// A time as machines read it.
pub(in crate::http) fn machine(ms: i64) -> String {
    exact(ms).replacen(' ', "T", 1).replace(" UTC", "Z")
}

/// How far apart two times are: the key of the unit, and how many of it. `base-…-now` has none.
pub(in crate::http) fn distance(ms: i64) -> (&'static str, i64) {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let apart = ms.saturating_abs();
    match apart {
        ..MINUTE => ("now", 0),
        MINUTE..HOUR => ("minutes", apart / MINUTE),
        HOUR..DAY => ("hours", apart / HOUR),
        _ if apart < 30 * DAY => ("days", apart / DAY),
        _ if apart < 365 * DAY => ("months", apart / (30 * DAY)),
        _ => ("years", apart / (365 * DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shortened_in_the_readers_way() {
        for (number, grouped_as, english, chinese) in [
            (0, "0", "0", "0"),
            (999, "999", "999", "999"),
            (1_000, "1,000", "1k", "1,000"),
            (12_345, "12,345", "12.3k", "1.2万"),
            (1_234_567, "1,234,567", "1.2M", "123万"),
            (250_000_000, "250,000,000", "250M", "2.5亿"),
        ] {
            assert_eq!(grouped(number), grouped_as);
            assert_eq!(short(number, Language::English), english);
            assert_eq!(short(number, Language::Chinese), chinese);
        }
        assert_eq!(grouped(-1_234), "-1,234");
    }

    #[test]
    fn sizes_are_those_of_dockers_commands() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (1_234, "1.23 kB"),
            (45_678, "45.7 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (7_340_032, "7.34 MB"),
            (123_456_789_012, "123 GB"),
            (i64::MAX, "9223 PB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn times_are_exact_or_near() {
        let ms = 1_700_000_000_123;
        assert_eq!(exact(ms), "2023-11-14 22:13:20 UTC");
        assert_eq!(machine(ms), "2023-11-14T22:13:20Z");
        assert_eq!(date(ms, Language::English), "14 Nov 2023");
        assert_eq!(date(ms, Language::Chinese), "2023年11月14日");
        assert_eq!(month(ms, Language::English), "Nov");
        assert_eq!(month(ms, Language::Chinese), "11月");
        for (apart, unit) in [
            (59_999, ("now", 0)),
            (60_000, ("minutes", 1)),
            (3_600_000, ("hours", 1)),
            (86_400_000 * 29, ("days", 29)),
            (86_400_000 * 31, ("months", 1)),
            (86_400_000 * 800, ("years", 2)),
        ] {
            assert_eq!(distance(apart), unit);
            assert_eq!(distance(-apart), unit);
        }
    }
}
