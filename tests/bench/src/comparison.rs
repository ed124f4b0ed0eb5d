//! A run against an earlier one, by CPU and memory: times say more about a shared machine than about us.

use std::fmt;

use crate::report::{CaseReport, Gauge};

/// What costs so much more CPU is worse; below, it is noise.
const WORSE: f64 = 1.10;
/// The same for memory, which is measured once.
const WORSE_MEMORY: f64 = 1.25;

/// One figure, before and now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    id: String,
    /// What the figure is.
    figure: &'static str,
    before: f64,
    now: f64,
    /// So many times as much as before is worse.
    limit: f64,
}

impl Change {
    pub(crate) fn is_worse(&self) -> bool {
        self.now > self.before * self.limit
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.now / self.before - 1.0) * 100.0;
        let word = if self.is_worse() { "  WORSE" } else { "" };
        write!(
            f,
            "{}: {} {:.4} → {:.4}, {percent:+.0} %{word}",
            self.id, self.figure, self.before, self.now
        )
    }
}

/// By the part of the peer's cost when the peer ran both times, else by the cost.
pub(crate) fn of_case(before: &CaseReport, now: &CaseReport) -> Change {
    let against_peer = !before.peer.is_empty() && !now.peer.is_empty();
    Change {
        id: now.id.clone(),
        figure: if against_peer { "ours / peer" } else { "CPU" },
        before: before.best(against_peer),
        now: now.best(against_peer),
        limit: WORSE,
    }
}

/// Memory; how long a start takes depends on the machine.
pub(crate) fn of_gauges(before: &[Gauge], now: &[Gauge]) -> Vec<Change> {
    let memory = now.iter().filter(|gauge| gauge.unit == "MiB");
    memory
        .filter_map(|gauge| {
            let before = before.iter().find(|before| before.id == gauge.id)?;
            Some(Change {
                id: gauge.id.clone(),
                figure: "MiB",
                before: before.ours,
                now: gauge.ours,
                limit: WORSE_MEMORY,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Round, Unit};

    fn rounds(costs: &[f64]) -> Vec<Round> {
        let round = |cost: &f64| Round {
            operations: 1,
            bytes: 1,
            seconds: 1.0,
            user: *cost,
            system: 0.0,
            cost: *cost,
            rate: 1.0,
            p50_ms: 1.0,
            p99_ms: 1.0,
            peak_mib: 1.0,
        };
        costs.iter().map(round).collect()
    }

    fn case(ours: &[f64], peer: &[f64]) -> CaseReport {
        CaseReport {
            id: "ping".to_owned(),
            connections: 1,
            unit: Unit::Thousand,
            target: None,
            ours: rounds(ours),
            peer: rounds(peer),
        }
    }

    #[test]
    fn more_than_a_tenth_of_cpu_more_is_worse() {
        let before = case(&[10.0, 10.5, 13.0], &[]);
        assert!(!of_case(&before, &case(&[10.9, 14.0], &[])).is_worse());
        let change = of_case(&before, &case(&[11.1, 14.0], &[]));
        assert!(change.is_worse());
        assert_eq!(change.to_string(), "ping: CPU 10.0000 → 11.1000, +11 %  WORSE");
    }

    #[test]
    fn a_machine_that_is_slower_for_both_is_no_change() {
        let before = case(&[10.0], &[400.0]);
        assert!(!of_case(&before, &case(&[15.0], &[600.0])).is_worse());
        assert!(of_case(&before, &case(&[12.0], &[400.0])).is_worse());
        // Without the peer in one of the runs the costs themselves are compared.
        assert!(of_case(&before, &case(&[15.0], &[])).is_worse());
    }

    #[test]
    fn memory_is_compared_and_times_are_not() {
        let gauge = |unit: &str, ours| Gauge {
            id: "idle".to_owned(),
            unit: unit.to_owned(),
            ours,
            peer: None,
            most: None,
        };
        let worse = |unit: &str| {
            of_gauges(&[gauge(unit, 10.0)], &[gauge(unit, 12.6)])
                .iter()
                .any(Change::is_worse)
        };
        assert!(worse("MiB"));
        assert!(!worse("ms"));
        assert!(of_gauges(&[], &[gauge("MiB", 12.0)]).is_empty());
    }
}
