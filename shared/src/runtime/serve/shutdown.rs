//! How far a shutdown has come, and how connections take leave of their clients.

use tokio::sync::watch;

use super::limits::Limits;
use super::state::ConnectionState;

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shutdown {
    /// There is none.
    No,
    /// Connections are still accepted, and every answer asks its client to come back on another one: `Connection: close`
    /// (RFC 9112, section 9.6), GOAWAY (RFC 9113, section 6.8).
    Announced,
    /// No connection is accepted. Those that are quiet stay open while requests are in flight on others: the process does not
    /// end sooner for closing them, and their clients' next requests, which may be on their way for long, tell them that
    /// they should go elsewhere.
    Begun,
    /// No request is in flight, and the connections that are quiet are closed.
    Last,
}

/// Resolves when the shutdown is at least as far. A sender that is gone has begun it.
pub(super) async fn at_least(shutdown: &mut watch::Receiver<Shutdown>, wanted: Shutdown) {
    // An error means that the accept loop is gone.
    let _ = shutdown.wait_for(|now| *now >= wanted).await;
}

/// Resolves when this connection should end: the shutdown has come to its end and nothing has happened on it for a while, or it
/// makes room for a new one.
///
/// A connection that was used or opened a moment ago may have a request on its way; closing it would cut that off without
/// an answer. It gets its answer, which says that it was the last.
pub(super) async fn asked_to_end(
    shutdown: &mut watch::Receiver<Shutdown>,
    state: &ConnectionState,
    limits: &Limits,
) {
    let quiet = async {
        at_least(shutdown, Shutdown::Last).await;
        state.idle_for(limits.evict_after).await;
    };
    tokio::select! {
        () = quiet => {}
        () = state.close.notified() => {}
    }
}
