//! Sparklines: pulls of the last days in the space of a word.

use crate::app::content::shown::Day;

/// How far apart two days are, and how high the highest is, in the units of the drawing's box.
const STEP: i64 = 4;
const HEIGHT: i64 = 20;

/// A line of pulls by day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::http) struct Spark {
    /// The places of the days, those on which there was nothing too.
    pub(in crate::http) points: String,
    /// How many pulls that were.
    pub(in crate::http) pulls: i64,
    /// Of how many days.
    pub(in crate::http) days: i64,
    /// How wide the drawing is.
    pub(in crate::http) width: i64,
}

impl Spark {
    /// The `count` days until `today`.
    pub(in crate::http) fn new(days: &[Day], today: i64, count: i64) -> Self {
        let first = today - count + 1;
        let within = days.iter().filter(|day| (first..=today).contains(&day.day));
        let most = within.map(|day| day.pull_count).max().unwrap_or(0).max(1);
        let mut spark = Self {
            days: count,
            width: (count - 1).max(1) * STEP,
            ..Self::default()
        };
        let mut places = Vec::new();
        for (number, place) in (0_i64..).zip(first..=today) {
            let found = days.iter().find(|day| day.day == place);
            let pulls = found.map_or(0, |day| day.pull_count);
            spark.pulls = spark.pulls.saturating_add(pulls);
            let height = i128::from(pulls) * i128::from(HEIGHT) / i128::from(most);
            let y = HEIGHT - i64::try_from(height).unwrap_or(HEIGHT);
            places.push(format!("{},{y}", number * STEP));
        }
        spark.points = places.join(" ");
        spark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_every_day_up_to_the_highest() {
        let day = |day, pull_count| Day {
            day,
            value: String::new(),
            pull_count,
            push_count: 0,
        };
        let spark = Spark::new(&[day(7, 5), day(9, 10), day(3, 99)], 10, 4);
        assert_eq!(spark.points, "0,10 4,20 8,0 12,20");
        assert_eq!((spark.pulls, spark.width), (15, 12));
        let none = Spark::new(&[], 10, 4);
        assert_eq!((none.points.as_str(), none.pulls), ("0,20 4,20 8,20 12,20", 0));
        let huge = Spark::new(&[day(10, i64::MAX), day(9, i64::MAX)], 10, 2);
        assert_eq!((huge.points.as_str(), huge.pulls), ("0,0 4,0", i64::MAX));
    }
}
