//! When to stop.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first SIGTERM or SIGINT; a second one ends the process at once with status 130.
///
/// The signals are caught from the call on, which must be inside a tokio runtime.
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    let signals =
        signal(SignalKind::terminate()).and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    async move {
        let (mut term, mut int) = match signals {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!(%error, "cannot catch SIGTERM and SIGINT; only SIGKILL will stop this process");
                return std::future::pending().await;
            }
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("shutting down; a second signal ends the process at once");
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            exit_at_once();
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever signals twice wants no destructors"
)]
fn exit_at_once() {
    std::process::exit(130);
}
