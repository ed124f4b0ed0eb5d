//! `notifications` of the configuration, and `registry-service notifications`.

use std::io::Write as _;

use registry_service::Builder;
use registry_service::config::NotificationsConfig;
use registry_service::notification::administration::{Count, Kind, Listed, list, replay};
use registry_service::notification::{Endpoint, Notifications, Options, UnusableEndpoint};
use registry_service::storage::Storage;
use shared::runtime::serve::Address;

use crate::arguments::{Events, NotificationsCommand};

/// Begins to deliver, if there is an endpoint.
pub(crate) fn start(
    builder: &Builder,
    config: NotificationsConfig,
    listening: &Address,
) -> Result<Option<Notifications>, UnusableEndpoint> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let addr = match listening {
        Address::Tcp(addr) => format!("{}:{}", name.trim(), addr.port()),
        Address::Unix { .. } => name.trim().to_owned(),
    };
    let options = Options {
        endpoints: config.endpoints,
        include_references: config.include_references,
        addr,
        within: None,
    };
    Notifications::start(&builder.storage, &builder.clock, &builder.random, options)
}

pub(crate) async fn run(
    storage: &Storage,
    configured: &[Endpoint],
    command: NotificationsCommand,
) -> anyhow::Result<()> {
    // Who reads along may go away in the middle.
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut tell = |event: Listed<'_>| drop(writeln!(out, "{event}"));
    let most = |name: &str| {
        let found = configured.iter().find(|endpoint| endpoint.name == name);
        // What no endpoint takes is bounded by nobody.
        found.map_or(usize::MAX, |endpoint| endpoint.max_events)
    };
    let (count, what) = match &command {
        NotificationsCommand::List(Events { endpoint, .. }) => {
            let listed = list(storage, endpoint.as_deref(), Kind::Waiting, &mut tell).await?;
            (listed, "events wait")
        }
        NotificationsCommand::Dead(Events { endpoint, .. }) => {
            let listed = list(storage, endpoint.as_deref(), Kind::Dead, &mut tell).await?;
            (listed, "dead letters")
        }
        NotificationsCommand::Replay(Events { endpoint, .. }) => {
            let replayed = replay(storage, endpoint.as_deref(), most).await?;
            (replayed, "dead letters wait again")
        }
    };
    let Count {
        events,
        endpoints,
        left,
    } = count;
    let _ = writeln!(out, "{events} {what}; endpoints with a queue: {endpoints}");
    if left > 0 {
        let _ = writeln!(
            out,
            "{left} stay dead letters, since the queue is full; replay again when it is delivered"
        );
    }
    let _ = out.flush();
    Ok(())
}
