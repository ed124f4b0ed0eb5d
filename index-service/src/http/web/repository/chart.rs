//! Figures of days and shares, placed for a drawing. Units are those of the drawing's box.

use crate::app::content::shown::Day;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How wide the place of a day is, and how much of it its bar takes.
const STEP: i64 = 20;
const BAR: i64 = 14;
/// How high the highest bar is.
const HEIGHT: i64 = 100;
/// How wide a strip of shares is.
const STRIP: i64 = 1000;
/// Colours that shares take in turn.
const COLOURS: usize = 6;

/// One day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) height: i64,
    /// The beginning of the day, in milliseconds since 1970.
    pub(super) day_ms: i64,
    pub(super) pulls: i64,
    pub(super) pushes: i64,
}

/// Some days, those on which there was nothing too.
#[derive(Debug, Clone, Default)]
pub(super) struct DayChart {
    pub(super) bars: Vec<Bar>,
    pub(super) width: i64,
    pub(super) bar_width: i64,
    pub(super) height: i64,
    pub(super) most: i64,
    pub(super) pulls: i64,
}

impl DayChart {
    /// The `count` days until `today`.
    pub(super) fn new(days: &[Day], today: i64, count: i64) -> Self {
        let most = days.iter().map(|day| day.pull_count).max().unwrap_or(0).max(1);
        let first = today - count + 1;
        let mut chart = Self {
            width: count * STEP,
            bar_width: BAR,
            height: HEIGHT,
            most,
            ..Self::default()
        };
        for (place, number) in (first..=today).zip(0..) {
            let found = days.iter().find(|day| day.day == place);
            let pulls = found.map_or(0, |day| day.pull_count);
            // What there is can be seen, however little it is.
            let height = (pulls.saturating_mul(HEIGHT) / most).max(i64::from(pulls > 0) * 2);
            chart.pulls = chart.pulls.saturating_add(pulls);
            chart.bars.push(Bar {
                x: number * STEP + (STEP - BAR) / 2,
                y: HEIGHT - height,
                height,
                day_ms: place * DAY_MS,
                pulls,
                pushes: found.map_or(0, |day| day.push_count),
            });
        }
        chart
    }

    /// The days on which there was something.
    pub(super) fn busy(&self) -> impl Iterator<Item = &Bar> {
        self.bars
            .iter()
            .rev()
            .filter(|bar| bar.pulls > 0 || bar.pushes > 0)
    }
}

/// A share of a strip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) x: i64,
    pub(super) width: i64,
    /// Which of the colours.
    pub(super) colour: usize,
}

/// Shares beside each other, as wide as they are large; what is there can be seen.
pub(super) fn shares(sizes: &[i64]) -> Vec<Share> {
    let whole = sizes
        .iter()
        .fold(0_i128, |sum, size| sum + i128::from(*size))
        .max(1);
    let mut sum = 0_i128;
    let place = |sum: i128| i64::try_from(sum * i128::from(STRIP) / whole).unwrap_or(STRIP);
    sizes
        .iter()
        .enumerate()
        .map(|(number, size)| {
            let x = place(sum);
            sum += i128::from(*size);
            Share {
                x,
                width: (place(sum) - x).max(i64::from(*size > 0)),
                colour: number % COLOURS,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64, pull_count: i64) -> Day {
        Day {
            day,
            value: String::new(),
            pull_count,
            push_count: 0,
        }
    }

    #[test]
    fn every_day_has_a_place_and_the_highest_bar_fills_its_own() {
        let chart = DayChart::new(&[day(8, 1), day(10, 1_000)], 10, 4);
        assert_eq!((chart.bars.len(), chart.width, chart.pulls), (4, 80, 1_001));
        let heights: Vec<i64> = chart.bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [0, 2, 0, 100]);
        assert_eq!(chart.bars[3].y, 0);
        assert_eq!(chart.bars[3].day_ms, 864_000_000);
        assert_eq!(chart.busy().map(|bar| bar.pulls).collect::<Vec<_>>(), [1_000, 1]);
        let empty = DayChart::new(&[], 10, 4);
        assert!(empty.bars.iter().all(|bar| bar.height == 0));
    }

    #[test]
    fn shares_fill_the_strip_and_none_is_lost() {
        let found = shares(&[1, 0, 999_999_999]);
        assert_eq!((found[0].x, found[0].width), (0, 1));
        assert_eq!(found[1].width, 0);
        assert_eq!((found[2].x, found[2].width), (0, 1000));
        let halves = shares(&[5, 5]);
        assert_eq!((halves[0].width, halves[1].x, halves[1].width), (500, 500, 500));
        assert_eq!(shares(&[]), []);
        assert_eq!(shares(&[0])[0].width, 0);
    }
}
