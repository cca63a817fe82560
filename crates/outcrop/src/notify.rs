//! Tells systemd how far a service is (`Type=notify`): a datagram to the socket that `NOTIFY_SOCKET` names.

use std::ffi::OsStr;
use std::io;

/// The variable by which systemd says where to tell it.
const SOCKET: &str = "NOTIFY_SOCKET";

/// It serves.
pub(crate) const READY: &str = "READY=1";
/// It takes no more requests, and lets those end that it has.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Tells it, where somebody wants to know. A gateway serves also if no one listens.
pub(crate) fn notify(state: &str) {
    let Some(socket) = std::env::var_os(SOCKET).filter(|name| !name.is_empty()) else {
        return;
    };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, state, "systemd can't be told");
    }
}

/// A name that begins with `@` is in the abstract namespace.
#[cfg(target_os = "linux")]
fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?
        .send_to_addr(state.as_bytes(), &address)
        .map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send(_socket: &OsStr, _state: &str) -> io::Result<()> {
    Ok(())
}
