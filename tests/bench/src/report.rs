//! The figures of a run, as they are kept in a file.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::statistics::{float, least, median};

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// What was measured; with `+` when the working copy differed from it.
    pub(crate) commit: String,
    pub(crate) seed: u64,
    pub(crate) rounds: usize,
    pub(crate) cases: Vec<CaseReport>,
    pub(crate) gauges: Vec<Gauge>,
}

/// A case of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CaseReport {
    pub(crate) id: String,
    pub(crate) connections: usize,
    pub(crate) unit: Unit,
    pub(crate) target: Option<Target>,
    pub(crate) ours: Vec<Round>,
    /// Empty when only ours ran.
    pub(crate) peer: Vec<Round>,
}

/// What a cost is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Seconds of CPU for 10⁹ bytes.
    Gigabyte,
    /// Milliseconds of CPU for 1,000 operations.
    Thousand,
}

/// What has to be reached; all of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Our cost at most, as a part of the peer's.
    pub(crate) ratio: Option<f64>,
    /// Our rate at least, as a multiple of the peer's.
    pub(crate) rate: Option<f64>,
    /// Our cost at most.
    pub(crate) cost: Option<f64>,
    /// Our median time at most, ms.
    pub(crate) p50: Option<f64>,
}

/// One round of one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) operations: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// CPU of the server, seconds.
    pub(crate) user: f64,
    pub(crate) system: f64,
    /// CPU for the case's unit.
    pub(crate) cost: f64,
    /// Operations per second.
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) peak_mib: f64,
}

/// A value that no load is measured by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Gauge {
    pub(crate) id: String,
    pub(crate) unit: String,
    pub(crate) ours: f64,
    pub(crate) peer: Option<f64>,
    /// The target: ours at most.
    pub(crate) most: Option<f64>,
}

/// Reads the figures of an earlier run.
pub(crate) fn read(path: &Path) -> Result<Report> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} holds no figures of a run", path.display()))
}

impl Round {
    /// Megabytes (10⁶) per second.
    pub(crate) fn throughput(&self) -> f64 {
        float(self.bytes) / 1e6 / self.seconds
    }
}

impl Gauge {
    pub(crate) fn met(&self) -> Option<bool> {
        self.most.map(|most| self.ours <= most)
    }
}

/// The median of one figure over rounds.
pub(crate) fn middle(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    median(&rounds.iter().map(figure).collect::<Vec<_>>())
}

impl CaseReport {
    /// Our cost as a part of the peer's, both medians.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let peer = middle(&self.peer, |round| round.cost);
        (peer > 0.0).then(|| middle(&self.ours, |round| round.cost) / peer)
    }

    /// Whether the target was met; `None` without one or without what it is compared to.
    pub(crate) fn met(&self) -> Option<bool> {
        let target = self.target?;
        let rate = |rounds: &[Round]| middle(rounds, |round| round.rate);
        let parts = [
            target.ratio.and_then(|most| Some(self.ratio()? <= most)),
            target
                .rate
                .filter(|_| !self.peer.is_empty())
                .map(|least| rate(&self.ours) >= least * rate(&self.peer)),
            target
                .cost
                .map(|most| middle(&self.ours, |round| round.cost) <= most),
            target
                .p50
                .map(|most| middle(&self.ours, |round| round.p50_ms) <= most),
        ];
        let wanted = [target.ratio, target.rate, target.cost, target.p50];
        let judged = parts.iter().flatten().count() == wanted.iter().flatten().count();
        judged.then(|| parts.iter().flatten().all(|part| *part))
    }

    /// The figure that two runs are compared by: the least cost of ours over that of the peer, or our least cost
    /// alone. Noise only adds, so the least of several rounds is nearest to the truth.
    pub(crate) fn best(&self, against_peer: bool) -> f64 {
        let best = |rounds: &[Round]| least(&rounds.iter().map(|round| round.cost).collect::<Vec<_>>());
        if against_peer {
            best(&self.ours) / best(&self.peer)
        } else {
            best(&self.ours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(cost: f64, rate: f64) -> Round {
        Round {
            operations: 1,
            bytes: 1,
            seconds: 1.0,
            user: cost,
            system: 0.0,
            cost,
            rate,
            p50_ms: 2.0,
            p99_ms: 2.0,
            peak_mib: 1.0,
        }
    }

    const NONE: Target = Target {
        ratio: None,
        rate: None,
        cost: None,
        p50: None,
    };

    fn met(target: Target, peer: Vec<Round>) -> Option<bool> {
        let case = CaseReport {
            id: "push".to_owned(),
            connections: 1,
            unit: Unit::Thousand,
            target: Some(target),
            ours: vec![round(9.0, 40.0), round(10.0, 50.0), round(99.0, 60.0)],
            peer,
        };
        case.met()
    }

    #[test]
    fn a_target_is_met_when_all_of_it_is() {
        let ratio = Target {
            ratio: Some(0.1),
            ..NONE
        };
        let both = Target {
            rate: Some(5.0),
            ..ratio
        };
        assert_eq!(met(ratio, vec![round(100.0, 10.0)]), Some(true));
        assert_eq!(met(ratio, vec![round(99.0, 10.0)]), Some(false));
        assert_eq!(met(both, vec![round(100.0, 10.0)]), Some(true));
        assert_eq!(met(both, vec![round(100.0, 11.0)]), Some(false));
        let quick = Target {
            p50: Some(1.0),
            ..ratio
        };
        assert_eq!(met(quick, vec![round(100.0, 10.0)]), Some(false));
    }

    #[test]
    fn without_the_peer_only_absolute_targets_are_judged() {
        let cost = Target {
            cost: Some(10.0),
            ..NONE
        };
        assert_eq!(met(cost, Vec::new()), Some(true));
        let ratio = Target {
            ratio: Some(0.1),
            ..cost
        };
        assert_eq!(met(ratio, Vec::new()), None);
    }
}
