//! The socket that a service manager has bound (`LISTEN_FDS`, sd_listen_fds(3)).

use anyhow::{Context as _, ensure};
use listenfd::ListenFd;
use shared::runtime::serve::Listener;

/// The socket that was handed to this process, if any. It counts instead of `http.addr` and `http.net`.
pub(crate) fn of_service_manager() -> anyhow::Result<Option<Listener>> {
    let mut sockets = ListenFd::from_env();
    let count = sockets.len();
    if count == 0 {
        return Ok(None);
    }
    ensure!(
        count == 1,
        "the service manager hands over {count} sockets, and the registry listens on one: leave one `ListenStream` in the \
         socket unit"
    );
    let listener = if let Ok(Some(socket)) = sockets.take_tcp_listener(0) {
        Listener::of_tcp(socket)
    } else {
        let socket = sockets.take_unix_listener(0);
        let socket = socket.context("the service manager's socket is neither of TCP nor a stream of Unix")?;
        Listener::of_unix(socket.context("the service manager's socket was taken before")?)
    };
    Ok(Some(
        listener.context("the service manager's socket cannot be listened on")?,
    ))
}
