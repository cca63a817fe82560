//! Tells Lambda why a function could not start, so that whoever invokes it sees more than that its process has ended.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use serde_json::json;

use super::RUNTIME_API;
use crate::failure::Failure;

/// How long Lambda may take to hear of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells the runtime API. If it can't be told, what stands in the log is all there is.
pub(super) fn tell(failure: &Failure) {
    let Ok(address) = std::env::var(RUNTIME_API) else {
        return;
    };
    if let Err(error) = send(&address, &failure.to_string()) {
        tracing::debug!(%error, "Lambda could not be told why the function does not start");
    }
}

fn send(address: &str, why: &str) -> io::Result<()> {
    let found = address.to_socket_addrs()?.next();
    let found = found.ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let mut connection = TcpStream::connect_timeout(&found, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let body = json!({ "errorMessage": why, "errorType": "Outcrop.NotStarted", "stackTrace": [] }).to_string();
    let length = body.len();
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Lambda-Runtime-Function-Error-Type: Outcrop.NotStarted\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes())?;
    // It is heard once there is an answer, whatever that says.
    connection.read(&mut [0; 64]).map(drop)
}
