//! Versions among tags: numbers with points between them, perhaps after a `v`.

/// Most numbers of a version.
const MOST: usize = 4;

/// The numbers of a tag that is a version and nothing more: a release, no candidate for one.
pub fn version(tag: &str) -> Option<Vec<u64>> {
    let digits = tag.strip_prefix('v').unwrap_or(tag);
    let numbers: Option<Vec<u64>> = digits
        .split('.')
        .map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|_| is_number)
        })
        .collect();
    numbers.filter(|numbers| numbers.len() <= MOST)
}

/// The highest of these tags that is a version; of those that mean the same the longest, which moves least. A number alone
/// is one only where there is no other.
pub fn highest<'a>(tags: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let known = tags.filter_map(|tag| Some((version(tag)?, tag)));
    known
        .max_by(|(a, of_a), (b, of_b)| {
            let exact = (a.len() > 1).cmp(&(b.len() > 1));
            exact
                .then_with(|| padded(a).cmp(&padded(b)))
                .then_with(|| a.len().cmp(&b.len()))
                .then_with(|| of_b.cmp(of_a))
        })
        .map(|(_, tag)| tag)
}

/// `1.2` stands for the newest `1.2.x`.
fn padded(numbers: &[u64]) -> [u64; MOST] {
    let mut padded = [0; MOST];
    for (place, number) in padded.iter_mut().zip(numbers) {
        *place = *number;
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_is_the_highest_number() {
        for (tags, expected) in [
            (vec!["1.9.0", "1.10.0", "1.2", "latest"], Some("1.10.0")),
            (vec!["v2.0.0-rc1", "v1.0.0"], Some("v1.0.0")),
            (vec!["20240101", "1.0.0"], Some("1.0.0")),
            (vec!["7", "8"], Some("8")),
            (vec!["1.2", "1.2.0"], Some("1.2.0")),
            (
                vec![
                    "latest",
                    "main",
                    "1..2",
                    "1.2.3.4.5",
                    ".",
                    "v",
                    "99999999999999999999.1",
                ],
                None,
            ),
            (vec![], None),
        ] {
            assert_eq!(highest(tags.into_iter()), expected);
        }
    }
}
