//! The accept loop and the HTTP shell around a service: limits, time-outs, refusals, draining.
//!
//! `axum::serve` has no header time-out and no connection limit, so the loop is our own, on hyper. What it holds and
//! refuses is in [`Limits`]. Memory per connection is bounded: HTTP/1.1 reads at most 72 KiB ahead, HTTP/2
//! has a window of 1 MiB for the connection; bodies are streamed.

mod address;
mod answer_body;
mod connection;
mod exchange;
mod frames;
mod head;
mod limits;
mod listener;
mod refuse;
mod request;
mod request_body;
mod shutdown;
mod signal;
mod socket;
mod socket_file;
mod state;
mod stream;
mod turn;
mod wire;

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use tokio::sync::{Semaphore, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

pub use address::{Address, PeerAddr};
pub use exchange::{Exchange, Observer};
pub use limits::Limits;
pub use listener::{Listener, Readiness, State as ReadyState};
pub use request::{Scheme, X_REQUEST_ID};
pub use request_body::BodyStalled;
pub use signal::shutdown_signal;

pub use super::telemetry::{RequestId, RouteName};
pub use super::tls::TlsAcceptorHandle;

use super::telemetry::RequestIds;
use connection::{Shared, handle};
use shutdown::Shutdown;
use state::ConnectionState;
use stream::Stream;

/// How long accepting pauses when the process has no file descriptor or memory left, and how often a full
/// table is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `shutdown` resolves, and then drains: the listener's readiness goes red and every answer ends
/// its connection; after [`drain_delay`](Limits::drain_delay) no connection is accepted (those that the system had
/// already taken are served), and requests in flight have [`drain`](Limits::drain) to finish; what is left then is cut
/// off. When none is in flight any more, idle connections are closed.
///
/// Without `tls` connections speak HTTP/1.1 only; with it the client chooses HTTP/2 or HTTP/1.1 (ALPN).
/// Requests carry [`PeerAddr`], [`Scheme`] and [`RequestId`] in their extensions, responses may carry
/// [`RouteName`] in theirs. Every answer has the header `X-Request-Id`.
///
/// # Errors
/// The random number generator of the system does not work. Faults of single connections are not errors.
pub async fn serve<S>(
    listener: Listener,
    tls: Option<TlsAcceptorHandle>,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let mut run = [0; 8];
    aws_lc_rs::rand::fill(&mut run).map_err(|_| io::Error::other("no random numbers"))?;
    let (stop, stopping) = watch::channel(Shutdown::No);
    let limits = Arc::new(limits);
    let readiness = listener.readiness();
    let shared = Arc::new(Shared {
        service,
        tls,
        in_flight: Arc::new(Semaphore::new(limits.max_requests.min(Semaphore::MAX_PERMITS))),
        limits: Arc::clone(&limits),
        ids: Arc::new(RequestIds::new(u64::from_be_bytes(run))),
        readiness: readiness.clone(),
        observer: listener.observer.clone(),
        stopping,
    });
    let mut table = Table::new(Arc::clone(&limits), listener.connections());
    let drain_begins = async {
        shutdown.await;
        if crate::sabotage::breaks("no-drain") {
            return;
        }
        readiness.set(false);
        stop.send_replace(Shutdown::Announced);
        sleep(limits.drain_delay).await;
    };
    accept(&listener, &shared, &mut table, drain_begins).await;
    if crate::sabotage::breaks("no-drain") {
        return Ok(());
    }
    for (stream, peer) in listener.close() {
        table.admit(&shared, stream, peer);
    }
    stop.send_replace(Shutdown::Begun);
    drop(shared);
    let drained = async {
        table.ended_busy().await;
        stop.send_replace(Shutdown::Last);
        table.ended_all().await;
    };
    if timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(
            connections = table.tasks.len(),
            "requests did not finish in time and are cut off"
        );
        table.tasks.shutdown().await;
    }
    Ok(())
}

async fn accept<S>(
    listener: &Listener,
    shared: &Arc<Shared<S>>,
    table: &mut Table,
    drain_begins: impl Future<Output = ()>,
) where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let mut drain_begins = pin!(drain_begins);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut drain_begins => return,
            Some(ended) = table.tasks.join_next_with_id() => {
                table.forget(&ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                table.warn_of(&error);
                if crate::sabotage::breaks("accept-without-pause") {
                    continue;
                }
                tokio::select! {
                    () = &mut drain_begins => return,
                    () = sleep(PAUSE) => continue,
                }
            }
        };
        tokio::select! {
            () = &mut drain_begins => return,
            () = table.make_room() => {}
        }
        table.admit(shared, stream, peer);
    }
}

/// Whether a failed accept says something of the one connection only; else files or memory have run out.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, WouldBlock};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | WouldBlock
    )
}

/// The connections that are held.
struct Table {
    limits: Arc<Limits>,
    tasks: JoinSet<()>,
    held: HashMap<Id, (Arc<ConnectionState>, Option<IpAddr>)>,
    by_address: HashMap<IpAddr, usize>,
    warned: Option<Instant>,
    count: Arc<AtomicUsize>,
}

impl Table {
    fn new(limits: Arc<Limits>, count: Arc<AtomicUsize>) -> Self {
        Self {
            limits,
            tasks: JoinSet::new(),
            held: HashMap::new(),
            by_address: HashMap::new(),
            warned: None,
            count,
        }
    }

    fn admit<S>(&mut self, shared: &Arc<Shared<S>>, stream: Stream, peer: PeerAddr)
    where
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let counted = peer
            .ip()
            .and_then(|address| counted_address(address, self.limits.exempt_loopback));
        if let Some(address) = counted {
            let count = self.by_address.entry(address).or_default();
            if *count >= self.limits.max_connections_per_address {
                tracing::debug!(%peer, "refused: too many connections from this address");
                return;
            }
            *count += 1;
        }
        if crate::sabotage::breaks("hoard-per-connection") {
            std::mem::forget(vec![1_u8; 64 << 10]);
        }
        let state = Arc::new(ConnectionState::new());
        let task = self
            .tasks
            .spawn(handle(Arc::clone(shared), stream, peer, Arc::clone(&state)));
        self.held.insert(task.id(), (state, counted));
        self.count.store(self.held.len(), Ordering::Relaxed);
    }

    fn forget(&mut self, ended: &Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => {
                if error.is_panic() {
                    // The panic itself is in the log; handlers' panics do not come this far.
                    tracing::error!("a connection panicked");
                }
                error.id()
            }
        };
        let removed = self.held.remove(&id);
        self.count.store(self.held.len(), Ordering::Relaxed);
        let Some((_, Some(address))) = removed else {
            return;
        };
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    /// Returns when one more connection may be held, closing an idle one for it.
    async fn make_room(&mut self) {
        while self.held.len() >= self.limits.max_connections {
            self.evict();
            if let Ok(Some(ended)) = timeout(PAUSE, self.tasks.join_next_with_id()).await {
                self.forget(&ended);
            }
        }
    }

    /// Closes the connection that became idle last: in a flood those are the flood's.
    fn evict(&self) {
        let settled = Instant::now().checked_sub(self.limits.evict_after);
        let idle = self
            .held
            .values()
            .filter_map(|(state, _)| Some((state.idle_since()?, state)));
        let newest = idle
            .filter(|(since, _)| settled.is_some_and(|settled| *since <= settled))
            .max_by_key(|(since, _)| *since);
        if let Some((_, state)) = newest {
            state.close.notify_one();
        }
    }

    /// Returns when no request is in flight.
    async fn ended_busy(&mut self) {
        while self.held.values().any(|(state, _)| state.is_busy()) {
            let _ = timeout(PAUSE, self.ended_all()).await;
        }
    }

    async fn ended_all(&mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.forget(&ended);
        }
    }

    fn warn_of(&mut self, error: &io::Error) {
        if self
            .warned
            .is_none_or(|at| at.elapsed() > Duration::from_secs(10))
        {
            self.warned = Some(Instant::now());
            tracing::error!(%error, "cannot accept connections for the moment");
        }
    }
}

/// What connections are counted by: an IPv4 address or an IPv6 /64, which is one site's smallest network.
fn counted_address(address: IpAddr, exempt_loopback: bool) -> Option<IpAddr> {
    let address = address.to_canonical();
    if exempt_loopback && address.is_loopback() {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    })
}

#[cfg(test)]
mod tests;
