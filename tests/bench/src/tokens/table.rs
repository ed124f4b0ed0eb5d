//! The figures for a document.

use std::fmt::Write as _;

use super::Report;
use crate::statistics::float;

/// One table for all databases.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "**{}**, {} accounts, {} repositories, {} teams; {:.0} MiB resident after all cases\n\n\
             | case | CPU s/1000 | database's server | tokens/s | p50 / p99 ms | at half load | target | |\n\
             |---|---|---|---|---|---|---|---|",
            report.database,
            report.accounts,
            report.repositories,
            report.teams,
            float(report.memory) / 1_048_576.0,
        );
        for case in &report.cases {
            let ms = |us: u32| format!("{:.2}", f64::from(us) / 1000.0);
            let database = case
                .database_cost
                .map_or_else(String::new, |cost| format!("{cost:.3}"));
            let (target, met) = case.target.map_or_else(
                || (String::new(), ""),
                |target| {
                    let met = if case.cost <= target { "met" } else { "**missed**" };
                    (format!("≤ {target}"), met)
                },
            );
            let _ = writeln!(
                text,
                "| {} | {:.3} | {database} | {:.0} | {} / {} | {} / {} | {target} | {met} |",
                case.id,
                case.cost,
                case.rate,
                ms(case.p50_us),
                ms(case.p99_us),
                ms(case.half_p50_us),
                ms(case.half_p99_us),
            );
        }
        text.push('\n');
    }
    text
}
