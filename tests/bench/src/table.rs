//! The figures as people read them: a table for the terminal, and the same in Markdown.

use std::fmt::Write as _;

use crate::report::{CaseReport, Gauge, Report, Round, Target, Unit, middle};

/// One line, cell by cell.
struct Line {
    cells: Vec<String>,
    ratio: Option<f64>,
}

const HEADINGS: [&str; 9] = [
    "case",
    "at",
    "ours",
    "user",
    "rate",
    "p50 / p99 ms",
    "peak MiB",
    "peer",
    "ours / peer",
];

/// Characters of the longest bar, which stands for the peer's cost.
const BAR: f64 = 20.0;

/// For the terminal: with a bar for our part of the peer's cost.
pub(crate) fn terminal(report: &Report) -> String {
    let mut text = String::new();
    let lines: Vec<(Line, String)> = report
        .cases
        .iter()
        .map(|case| (line(case), verdict(case)))
        .collect();
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| {
            let cells = lines.iter().map(|(line, _)| line.cells[column].chars().count());
            cells.chain([HEADINGS[column].len()]).max().unwrap_or_default()
        })
        .collect();
    let mut put = |cells: &[String], end: &str| {
        for (cell, width) in cells.iter().zip(&widths) {
            // Writing to a string does not fail.
            let _ = write!(text, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{end}");
    };
    put(&HEADINGS.map(str::to_owned), "");
    for (line, verdict) in &lines {
        put(&line.cells, &format!("{:<20}  {verdict}", bar(line.ratio)));
    }
    for gauge in &report.gauges {
        let _ = writeln!(text, "{}: {}", gauge.id, gauge_text(gauge));
    }
    let machine = &report.machine;
    let _ = writeln!(
        text,
        "{} cores, {}, Linux {}, commit {}, seed {}, {} rounds",
        machine.cores, machine.processor, machine.kernel, report.commit, report.seed, report.rounds
    );
    text
}

/// For documents.
pub(crate) fn markdown(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "{} cores of {}, {} GiB, Linux {}; commit `{}`, seed {}, medians of {} rounds.\n\n",
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.kernel,
        report.commit,
        report.seed,
        report.rounds
    );
    let _ = writeln!(text, "| {} | target | |", HEADINGS.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(HEADINGS.len() + 2));
    for case in &report.cases {
        let target = case.target.map(target_text).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {target} | {} |",
            line(case).cells.join(" | "),
            word(case.met())
        );
    }
    let _ = writeln!(
        text,
        "\n| besides | ours | peer | target | |\n|---|---|---|---|---|"
    );
    for gauge in &report.gauges {
        let of = |value: Option<f64>| {
            value
                .map(|value| format!("{} {}", short(value), gauge.unit))
                .unwrap_or_default()
        };
        let target = gauge
            .most
            .map(|most| format!("≤ {} {}", short(most), gauge.unit))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {target} | {} |",
            gauge.id,
            of(Some(gauge.ours)),
            of(gauge.peer),
            word(gauge.met())
        );
    }
    text
}

fn line(case: &CaseReport) -> Line {
    let ours = |figure: fn(&Round) -> f64| middle(&case.ours, figure);
    let unit = match case.unit {
        Unit::Gigabyte => "s/GB",
        Unit::Thousand => "ms/1000",
    };
    let rate = match case.unit {
        Unit::Gigabyte => format!("{} MB/s", short(ours(Round::throughput))),
        Unit::Thousand => format!("{}/s", short(ours(|round| round.rate))),
    };
    let peer = if case.peer.is_empty() {
        String::new()
    } else {
        let rate = match case.unit {
            Unit::Gigabyte => format!("{} MB/s", short(middle(&case.peer, Round::throughput))),
            Unit::Thousand => format!("{}/s", short(middle(&case.peer, |round| round.rate))),
        };
        format!("{} · {rate}", short(middle(&case.peer, |round| round.cost)))
    };
    let cells = vec![
        case.id.clone(),
        case.connections.to_string(),
        format!("{} {unit}", short(ours(|round| round.cost))),
        short(ours(|round| {
            round.cost * round.user / (round.user + round.system).max(1e-9)
        })),
        rate,
        format!(
            "{} / {}",
            short(ours(|round| round.p50_ms)),
            short(ours(|round| round.p99_ms))
        ),
        short(ours(|round| round.peak_mib)),
        peer,
        case.ratio().map(part).unwrap_or_default(),
    ];
    Line {
        cells,
        ratio: case.ratio(),
    }
}

fn verdict(case: &CaseReport) -> String {
    let target = case.target.map(target_text).unwrap_or_default();
    format!("{target} {}", word(case.met())).trim().to_owned()
}

fn gauge_text(gauge: &Gauge) -> String {
    let mut text = format!("{} {}", short(gauge.ours), gauge.unit);
    if let Some(peer) = gauge.peer {
        let _ = write!(text, ", peer {} {}", short(peer), gauge.unit);
    }
    if let Some(most) = gauge.most {
        let _ = write!(
            text,
            ", target ≤ {} {}: {}",
            short(most),
            gauge.unit,
            word(gauge.met())
        );
    }
    text
}

fn word(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "",
    }
}

fn target_text(target: Target) -> String {
    let parts = [
        target.ratio.map(|ratio| format!("≤ {}", part(ratio))),
        target.rate.map(|rate| format!("≥ {} × the rate", short(rate))),
        target.cost.map(|cost| format!("≤ {}", short(cost))),
        target.p50.map(|p50| format!("p50 ≤ {} ms", short(p50))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A part as a fraction when it is a small one.
fn part(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.5 {
        format!("1/{}", short(1.0 / ratio))
    } else {
        format!("{ratio:.2}")
    }
}

fn bar(ratio: Option<f64>) -> String {
    let Some(ratio) = ratio else {
        return String::new();
    };
    let full = (ratio.clamp(0.0, 1.0) * BAR).round();
    (0..20_u32)
        .map(|at| {
            if f64::from(at) < full.max(1.0) {
                '█'
            } else {
                '·'
            }
        })
        .collect()
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (value, text) in [
            (1234.6, "1235"),
            (99.96, "100"),
            (12.34, "12.3"),
            (1.0, "1.00"),
            (0.0284, "0.028"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(part(1.0 / 35.0), "1/35.0");
        assert_eq!(part(0.75), "0.75");
    }

    #[test]
    fn a_bar_is_never_empty_and_never_too_long() {
        assert_eq!(bar(Some(0.001)).chars().filter(|c| *c == '█').count(), 1);
        assert_eq!(bar(Some(0.5)).chars().filter(|c| *c == '█').count(), 10);
        assert_eq!(bar(Some(7.0)).chars().count(), 20);
        assert_eq!(bar(None), "");
    }
}
