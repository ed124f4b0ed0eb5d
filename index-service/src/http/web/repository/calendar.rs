//! A calendar of what was pulled and pushed: a square for each day, a column for each week.

use crate::app::content::shown::Day;

/// Weeks of the calendar, this one among them.
const WEEKS: i64 = 53;
/// Days that it has at most.
pub(super) const DAYS: i64 = WEEKS * 7;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How far apart squares are, of the drawing's units, and how high the line of the months is.
const STEP: i64 = 12;
const HEAD: i64 = 14;
/// The shades of days with something, besides the one of those with nothing: the more the darker.
const SHADES: [[&str; 2]; 4] = [["c1", "p1"], ["c2", "p2"], ["c3", "p3"], ["c4", "p4"]];
/// Weeks that the name of a month takes.
const NAME_WEEKS: i64 = 3;

/// A day with something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Square {
    pub(super) y: i64,
    /// Its shade; another one, with an outline, where something was pushed.
    pub(super) class: &'static str,
    pulls: i64,
    pushes: i64,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Week {
    pub(super) x: i64,
    /// The beginning of its first day, in milliseconds since 1970.
    pub(super) from_ms: i64,
    pub(super) pulls: i64,
    pub(super) pushes: i64,
    pub(super) squares: Vec<Square>,
}

/// Where the name of a month stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Month {
    pub(super) x: i64,
    /// A time in it.
    pub(super) ms: i64,
}

/// The last weeks, day by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) weeks: Vec<Week>,
    pub(super) months: Vec<Month>,
    /// The beginning of its first day, in milliseconds since 1970.
    pub(super) from_ms: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    /// Where the squares begin.
    pub(super) head: i64,
    /// How wide the weeks before this one are, and how high the days of this one.
    pub(super) past_width: i64,
    pub(super) present_height: i64,
    pub(super) pulls: i64,
    pub(super) pushes: i64,
}

impl Calendar {
    /// The weeks until `today`, in days since 1970.
    pub(super) fn new(days: &[Day], today: i64) -> Self {
        let first = monday(today) - (WEEKS - 1) * 7;
        let shade = shades(days.iter().filter(|day| (first..=today).contains(&day.day)));
        let mut calendar = Self {
            weeks: Vec::new(),
            months: Vec::new(),
            from_ms: first * DAY_MS,
            width: WEEKS * STEP,
            height: HEAD + 7 * STEP,
            head: HEAD,
            past_width: (WEEKS - 1) * STEP,
            present_height: (today - monday(today) + 1) * STEP,
            pulls: 0,
            pushes: 0,
        };
        for number in 0..WEEKS {
            let from = first + number * 7;
            let mut week = Week {
                x: number * STEP,
                from_ms: from * DAY_MS,
                pulls: 0,
                pushes: 0,
                squares: Vec::new(),
            };
            for day in days.iter().filter(|day| (from..from + 7).contains(&day.day)) {
                if day.day > today || weight(day) <= 0 {
                    continue;
                }
                week.pulls = week.pulls.saturating_add(day.pull_count);
                week.pushes = week.pushes.saturating_add(day.push_count);
                week.squares.push(Square {
                    y: (day.day - from) * STEP,
                    class: SHADES[shade(day)][usize::from(day.push_count > 0)],
                    pulls: day.pull_count,
                    pushes: day.push_count,
                });
            }
            calendar.pulls = calendar.pulls.saturating_add(week.pulls);
            calendar.pushes = calendar.pushes.saturating_add(week.pushes);
            calendar.weeks.push(week);
        }
        calendar.months = months(first);
        calendar
    }

    /// The weeks with something, the last first.
    pub(super) fn busy(&self) -> impl Iterator<Item = &Week> {
        self.weeks.iter().rev().filter(|week| !week.squares.is_empty())
    }
}

impl Week {
    /// What its squares stand for, in their order, as the script reads it: pulls, and behind a colon pushes where there are some.
    /// A sentence in each square would be half of the page.
    pub(super) fn counts(&self) -> String {
        let counts = self.squares.iter().map(|square| match square.pushes {
            0 => square.pulls.to_string(),
            pushes => format!("{}:{pushes}", square.pulls),
        });
        counts.collect::<Vec<_>>().join(",")
    }
}

/// The first day of a day's week: 1 January 1970 was a Thursday.
fn monday(day: i64) -> i64 {
    day - (day + 3).rem_euclid(7)
}

/// Which shade a day has: that of the quarter of the busy days that it belongs to, so that one loud day does not make all
/// others pale.
fn shades<'a>(days: impl Iterator<Item = &'a Day>) -> impl Fn(&Day) -> usize {
    let mut counts: Vec<i64> = days.map(weight).filter(|count| *count > 0).collect();
    counts.sort_unstable();
    let bounds: Vec<i64> = (1..SHADES.len())
        .filter_map(|quarter| counts.get(counts.len() * quarter / SHADES.len()))
        .copied()
        .collect();
    move |day: &Day| bounds.iter().filter(|bound| weight(day) >= **bound).count()
}

fn weight(day: &Day) -> i64 {
    day.pull_count.saturating_add(day.push_count)
}

/// Where months begin, and the first; no two names touch.
fn months(first: i64) -> Vec<Month> {
    let month_of = |number: i64| {
        // A week belongs to the month of its last day.
        let day = first + number * 7 + 6;
        let at = time::OffsetDateTime::from_unix_timestamp(day * (DAY_MS / 1000));
        at.map_or(0, |at| u8::from(at.month()))
    };
    let mut months: Vec<(i64, Month)> = Vec::new();
    for number in 0..WEEKS {
        if number > 0 && month_of(number) == month_of(number - 1) {
            continue;
        }
        let month = Month {
            x: number * STEP,
            ms: (first + number * 7 + 6) * DAY_MS,
        };
        // The rest of the first month may be too short for its name.
        if months
            .last()
            .is_some_and(|(before, _)| number - before < NAME_WEEKS)
        {
            months.pop();
        }
        if number + NAME_WEEKS <= WEEKS {
            months.push((number, month));
        }
    }
    months.into_iter().map(|(_, month)| month).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 22 November 2026, a Sunday.
    const TODAY: i64 = 20_779;

    fn day(day: i64, pull_count: i64, push_count: i64) -> Day {
        Day {
            day,
            value: String::new(),
            pull_count,
            push_count,
        }
    }

    #[test]
    fn every_day_of_53_weeks_has_a_place_and_none_before_or_behind_them() {
        let first = TODAY - 52 * 7 - 6;
        let days = [
            day(first - 1, 7, 0),
            day(first, 1, 0),
            day(TODAY - 7, 2, 0),
            day(TODAY, 3, 1),
            day(TODAY + 1, 9, 0),
        ];
        let calendar = Calendar::new(&days, TODAY);
        assert_eq!((calendar.weeks.len(), calendar.width), (53, 636));
        assert_eq!((calendar.pulls, calendar.pushes), (6, 1));
        let places: Vec<(i64, i64)> = calendar
            .weeks
            .iter()
            .flat_map(|week| week.squares.iter().map(|square| (week.x, square.y)))
            .collect();
        assert_eq!(places, [(0, 0), (51 * 12, 72), (52 * 12, 72)]);
        assert_eq!(calendar.weeks[0].from_ms, first * DAY_MS);
        assert_eq!(calendar.from_ms, first * DAY_MS);
        assert_eq!(calendar.weeks[52].counts(), "3:1");
        assert_eq!(calendar.present_height, 84);
        let of_monday = Calendar::new(&days, TODAY - 6);
        assert_eq!(of_monday.present_height, 12);
        assert_eq!(
            calendar.busy().map(|week| week.pulls).collect::<Vec<_>>(),
            [3, 2, 1]
        );
    }

    #[test]
    fn shades_follow_the_quarters_of_busy_days_and_pushes_have_an_outline() {
        let days: Vec<Day> = (0..8).map(|n| day(TODAY - n, 1 << n, 0)).collect();
        let classes = |days: &[Day]| {
            let calendar = Calendar::new(days, TODAY);
            let mut squares: Vec<Square> = calendar.weeks.into_iter().flat_map(|week| week.squares).collect();
            squares.sort_by_key(|square| square.pulls);
            squares.iter().map(|square| square.class).collect::<Vec<_>>()
        };
        assert_eq!(classes(&days), ["c1", "c1", "c2", "c2", "c3", "c3", "c4", "c4"]);
        assert_eq!(classes(&[day(TODAY, 5, 1)]), ["p4"]);
        assert_eq!(classes(&[day(TODAY, 0, 1)]), ["p4"]);
        assert!(classes(&[day(TODAY, 0, 0)]).is_empty());
        assert!(classes(&[]).is_empty());
    }

    #[test]
    fn every_month_has_its_name_where_it_begins_and_no_two_touch() {
        for today in TODAY..TODAY + 400 {
            let months = Calendar::new(&[], today).months;
            assert!((11..=13).contains(&months.len()), "{today}: {}", months.len());
            assert!(
                months
                    .windows(2)
                    .all(|pair| pair[1].x - pair[0].x >= NAME_WEEKS * STEP),
                "{today}"
            );
        }
    }
}
