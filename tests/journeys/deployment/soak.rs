//! A mixed load for a while: memory and descriptors of the second half are those of the first.

use std::time::{Duration, Instant};

use harness::environment::variable;
use harness::{Context as _, Journey, Result, Suite, ensure};

use super::NEEDS;
use super::group::Group;
use super::load::Load;
use super::project::Project;

/// How long, in seconds, unless `PORTOLAN_SOAK_SECONDS` says otherwise.
const SHORT: u64 = 75;
/// Images of each thread, which come again and again: caches of content are full soon.
const IMAGES: u64 = 60;
/// So many images were pushed before anything is measured, on a slow machine too: each once, and every lock of content was
/// opened (64 in each registry).
const FIRST: u64 = 240;
/// How much more memory a service may have in the second half than in the first, in MiB: the median of each. What takes
/// that for every image is seen, being half of the images times what each leaves behind.
const MORE_MEMORY: f64 = 3.0;
/// How many more descriptors all processes of a service may have open.
const MORE_DESCRIPTORS: f64 = 12.0;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "deployment",
        "memory_and_descriptors_stay_flat_under_a_mixed_load",
        &NEEDS,
        soak,
    );
    suite.add(
        "deployment",
        "a_leak_is_told_from_what_goes_up_and_down",
        &[],
        judged,
    );
}

/// What was seen of one service at a time.
#[derive(Debug, Clone, Copy)]
struct Sight {
    /// MiB.
    memory: f64,
    descriptors: f64,
}

/// The same service at several times.
#[derive(Debug)]
struct Watched {
    service: String,
    group: Group,
    sights: Vec<Sight>,
}

impl Watched {
    fn look(&mut self) -> Result<()> {
        // PostgreSQL's buffers, its shared memory, fill until they are full, and each of its processes opens the files of
        // tables that it comes to; so its processes are counted, one for each connection, and the memory of one is watched:
        // the pool opens another connection whenever more work comes at once.
        let is_ours = self.service != "postgres";
        let (memory, count) = if is_ours {
            (self.group.memory(true)?, self.group.descriptors()?)
        } else {
            let count = self.group.processes()?.len() as u64;
            let each = self.group.memory(false)? / f64::from(u32::try_from(count)?.max(1));
            (each, count)
        };
        let descriptors = u32::try_from(count)?.into();
        self.sights.push(Sight { memory, descriptors });
        Ok(())
    }
}

fn soak(journey: &Journey) -> Result<()> {
    let seconds = variable("PORTOLAN_SOAK_SECONDS").map_or(Ok(SHORT), |text| text.parse());
    let lasts = Duration::from_secs(seconds.context("PORTOLAN_SOAK_SECONDS")?);
    let project = Project::prepare(journey, "")?;
    project.up(&["--scale", "registry=2"])?;
    let admin = project.admin()?;
    let api = project.api(Some(admin.clone()))?;
    let load = Load::of_images(IMAGES);
    let processes = project.processes()?;
    let watched = std::thread::scope(|scope| {
        load.start(scope, &project, &admin, 3)?;
        let watched = watch(&processes, &load, lasts);
        load.end();
        watched
    })?;
    let count = load.verify(&api)?;
    let (failures, last) = load.failures();
    ensure!(failures == 0, "{failures} attempts failed: {last}");
    ensure!(
        project.processes()? == processes,
        "a container was started again: {processes:?}, {:?}",
        project.processes()?
    );
    let mut told = Vec::new();
    let mut leaks = Vec::new();
    for one in &watched {
        let growth = Growth::of(&one.sights)?;
        told.push(format!("{} {growth}", one.service));
        if growth.is_leak() {
            leaks.push(format!("{}: {growth}; {:?}", one.service, one.sights));
        }
    }
    journey.say(&format!(
        "{count} images in {} s; medians of the first and the second half, MiB and descriptors: {}",
        lasts.as_secs(),
        told.join("; ")
    ));
    ensure!(leaks.is_empty(), "something grows: {}", leaks.join("\n"));
    Ok(())
}

/// Looks at each container again and again after the first third, while the load makes progress.
fn watch(processes: &[(String, String)], load: &Load, lasts: Duration) -> Result<Vec<Watched>> {
    let mut watched = Vec::new();
    for (service, process) in processes {
        watched.push(Watched {
            service: service.clone(),
            group: Group::of(process)?,
            sights: Vec::new(),
        });
    }
    // Caches and pools are filled first.
    work(load, lasts / 3, || Ok(()))?;
    load.wait_for_rounds(FIRST.saturating_sub(load.rounds()))?;
    work(load, lasts * 2 / 3, || {
        watched.iter_mut().try_for_each(Watched::look)
    })?;
    Ok(watched)
}

/// Lets the load work for this long, holds it to making progress, and looks again and again.
fn work(load: &Load, lasts: Duration, mut look: impl FnMut() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        load.wait_for_rounds(1)?;
        look()?;
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The first half of a run against its second.
#[derive(Debug, Clone, Copy)]
struct Growth {
    before: Sight,
    after: Sight,
}

impl Growth {
    fn of(sights: &[Sight]) -> Result<Self> {
        ensure!(sights.len() >= 8, "only {} looks", sights.len());
        let (first, second) = sights.split_at(sights.len() / 2);
        let middle = |half: &[Sight]| Sight {
            memory: median(half.iter().map(|sight| sight.memory)),
            descriptors: median(half.iter().map(|sight| sight.descriptors)),
        };
        Ok(Self {
            before: middle(first),
            after: middle(second),
        })
    }

    fn is_leak(&self) -> bool {
        self.after.memory > self.before.memory + MORE_MEMORY
            || self.after.descriptors > self.before.descriptors + MORE_DESCRIPTORS
    }
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.1} → {:.1} and {:.0} → {:.0}",
            self.before.memory, self.after.memory, self.before.descriptors, self.after.descriptors
        )
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The judge, judged: 50 looks with ups and downs of 4 MiB and 8 descriptors, once flat, once with a leak in each.
fn judged(_journey: &Journey) -> Result<()> {
    let run = |memory: f64, descriptors: f64| {
        let sights: Vec<Sight> = (0..50_u32)
            .map(|number| {
                let (at, up) = (f64::from(number), f64::from(number * 7 % 5));
                Sight {
                    memory: 20.0 + up + at * memory,
                    descriptors: (40.0 + 2.0 * up + at * descriptors).round(),
                }
            })
            .collect();
        Growth::of(&sights)
    };
    ensure!(!run(0.0, 0.0)?.is_leak(), "what is flat is taken for a leak");
    // 4 MiB, or 25 descriptors, between the middles of the halves.
    ensure!(run(4.0 / 25.0, 0.0)?.is_leak(), "a leak of memory is not seen");
    ensure!(run(0.0, 1.0)?.is_leak(), "a leak of descriptors is not seen");
    Ok(())
}
