//! Waves of slow clients, and honest ones beside them.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use harness::command::RUNTIME;
use harness::process::wait_for;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::peer::{Bound, Ended, Peer, Target};
use super::{Times, Wave, millis};
use crate::crowd::{Crowd, Door, Report};
use crate::raw::{Process, Watch};
use crate::{Run, Verdict};

/// Honest clients.
const CROWD: usize = 4;
/// Requests of theirs before anybody is slow.
const USUAL: usize = 400;
/// By how much the p99 may grow beyond that: what a machine with other work does by itself.
const GROWTH: u32 = 10;
/// Most threads: those that wait for the disk at once are bounded, whoever asks.
const THREADS: u64 = 64 + 256 + 16;
/// Connections that are being opened at once.
const OPENING: usize = 64;
/// Addresses that slow clients come from.
const SOURCES: usize = 16;
/// Clocks that count milliseconds.
const EARLY: Duration = Duration::from_millis(5);
/// A running registry, and who turns to it.
pub(super) struct Scene {
    pub(super) process: Process,
    pub(super) target: Target,
    /// What honest clients read.
    pub(super) paths: Arc<Vec<String>>,
    pub(super) times: Times,
}

impl Scene {
    fn crowd(&self, run: &mut Run<'_>) -> Crowd {
        let door = Door {
            port: self.target.port,
            tls: None,
        };
        Crowd::begin(CROWD, &door, &self.paths, &mut run.random)
    }

    /// The honest clients by themselves.
    pub(super) fn usual(&self, run: &mut Run<'_>) -> Result<Report> {
        let crowd = self.crowd(run);
        wait_for("the honest clients", Duration::from_mins(2), || {
            Ok((crowd.answered() >= USUAL).then_some(()))
        })?;
        Ok(RUNTIME.block_on(crowd.end()))
    }

    /// One wave, beside which the honest clients work, and what is left of it.
    pub(super) fn meet(
        &self,
        run: &mut Run<'_>,
        wave: &Wave,
        usual: &Report,
        verdict: &mut Verdict,
    ) -> Result<()> {
        let name = wave.name;
        run.progress(&format!("{} slow clients: {name}", wave.peers.len()));
        let (resident, open) = (self.process.resident()?, self.process.descriptors()?);
        let crowd = self.crowd(run);
        let watch = Watch::begin(self.process);
        RUNTIME.block_on(self.play(wave, verdict));
        let peak = watch.end()?;
        let report = RUNTIME.block_on(crowd.end());
        self.judge_crowd(name, &report, usual, verdict);

        let grown = peak.resident.saturating_sub(resident);
        let each = grown / wave.peers.len() as u64;
        verdict.figure(&format!("{name}_clients"), wave.peers.len());
        verdict.figure(&format!("{name}_resident_mib"), peak.resident >> 20);
        verdict.figure(&format!("{name}_bytes_each"), each);
        verdict.figure(&format!("{name}_threads"), peak.threads);
        verdict.require(grown <= wave.allowed(), || {
            format!(
                "{name}: {grown} bytes more are resident, {} are allowed",
                wave.allowed()
            )
        });
        verdict.require(peak.threads <= THREADS, || {
            format!("{name}: {} threads", peak.threads)
        });
        if run.control {
            return Ok(());
        }
        // A few connections of honest clients may have been kept for the next wave.
        let free = wait_for("all descriptors to be free again", self.times.slack, || {
            Ok((self.process.descriptors()? <= open + CROWD).then_some(()))
        });
        verdict.require(free.is_ok(), || format!("{name}: descriptors are still open"));
        Ok(())
    }

    async fn play(&self, wave: &Wave, verdict: &mut Verdict) {
        let opening = Arc::new(Semaphore::new(OPENING));
        let mut peers = JoinSet::new();
        for (number, sloth) in wave.peers.iter().copied().enumerate() {
            let (target, opening) = (self.target.clone(), Arc::clone(&opening));
            let patience = self.times.of(sloth.bound()) + self.times.slack;
            let source = Ipv4Addr::new(127, 0, 1, 1 + u8::try_from(number % SOURCES).unwrap_or(0));
            peers.spawn(async move {
                let turn = opening.acquire_owned().await;
                let begun = Peer::begin(sloth, source, &target).await;
                drop(turn);
                match begun {
                    Ok(peer) => Ok((sloth, peer.suffer(patience).await)),
                    Err(error) => Err(format!("{sloth:?} could not begin: {error:#}")),
                }
            });
        }
        let mut slowest = [Duration::ZERO; 3];
        while let Some(peer) = peers.join_next().await {
            match peer {
                Ok(Ok((_, Some(ended)))) => {
                    let slowest = &mut slowest[ended.sloth.bound() as usize];
                    *slowest = ended.after.max(*slowest);
                    self.judge_end(wave.name, &ended, verdict);
                }
                Ok(Ok((sloth, None))) => {
                    verdict.violation(format!("{}: {sloth:?} was not ended in time", wave.name));
                }
                Ok(Err(error)) => verdict.violation(format!("{}: {error}", wave.name)),
                Err(error) => verdict.violation(format!("{}: {error}", wave.name)),
            }
        }
        for (bound, slowest) in ["header", "body", "reader"].iter().zip(slowest) {
            if slowest > Duration::ZERO {
                verdict.figure(&format!("{}_{bound}_ended_after_ms", wave.name), millis(slowest));
            }
        }
    }

    /// The right answer, and not too early; too late is not an end at all.
    fn judge_end(&self, wave: &str, ended: &Ended, verdict: &mut Verdict) {
        let bound = ended.sloth.bound();
        let told = ended
            .status
            .map_or("silent".to_owned(), |status| status.to_string());
        verdict.count(&format!("{wave}_{told}"), 1);
        let expected = match (bound, ended.status) {
            (Bound::Header | Bound::Reader, None) => true,
            // Nobody is made to wait in vain: for the places for uploads there is a time of its own.
            (Bound::Body, Some(429)) => return,
            (Bound::Body, status) => status == Some(408),
            _ => false,
        };
        verdict.require(expected, || format!("{wave}: {:?} was told {told}", ended.sloth));
        let limit = self.times.of(bound);
        verdict.require(ended.at_most + EARLY >= limit, || {
            format!(
                "{wave}: {:?} was ended after {:?}, before its time",
                ended.sloth, ended.at_most
            )
        });
    }

    fn judge_crowd(&self, wave: &str, report: &Report, usual: &Report, verdict: &mut Verdict) {
        let (was, is) = (usual.percentile(99), report.percentile(99));
        verdict.figure(&format!("{wave}_honest_requests"), report.times.len());
        verdict.figure(&format!("{wave}_honest_p99_ms"), millis(is));
        if report.busy > 0 {
            verdict.figure(&format!("{wave}_honest_pushes_told_to_come_again"), report.busy);
        }
        for fault in &report.faults {
            verdict.violation(format!("{wave}: an honest client: {fault}"));
        }
        verdict.require(is <= self.times.unnoticed.max(was * GROWTH), || {
            format!("{wave}: honest requests take {is:?} instead of {was:?} (p99)")
        });
        verdict.require(!report.times.is_empty(), || {
            format!("{wave}: no honest client was served")
        });
    }
}
