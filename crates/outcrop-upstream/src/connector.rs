//! How connections are made, and how it is noticed that they lead nowhere.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

/// A connection on which nothing comes is asked whether it lives after so long, and then as often.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EACH: Duration = Duration::from_secs(10);
/// How often nobody may answer to that.
const PROBES: u32 = 3;
/// What was sent must be acknowledged within so long. It is the other machine's kernel that does so, not a model.
#[cfg(target_os = "linux")]
const ACKNOWLEDGED: Duration = Duration::from_secs(20);

/// What makes connections. Where a host has several addresses, each gets its share of the time limit.
pub(crate) fn connector<R>(resolver: R, connect_timeout: Duration) -> HttpConnector<R> {
    let mut http = HttpConnector::new_with_resolver(resolver);
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect_timeout));
    http.set_keepalive(Some(PROBE_AFTER));
    http.set_keepalive_interval(Some(PROBE_EACH));
    http.set_keepalive_retries(Some(PROBES));
    #[cfg(target_os = "linux")]
    http.set_tcp_user_timeout(Some(ACKNOWLEDGED));
    http
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::future::{Ready, ready};
    use std::io::Error;
    use std::net::SocketAddr;
    use std::task::{Context, Poll};

    use hyper_util::client::legacy::connect::dns::Name;
    use tokio::net::{TcpListener, TcpSocket, TcpStream};
    use tokio::time::timeout;
    use tower_service::Service;

    use super::*;

    /// Knows two addresses of each host.
    #[derive(Clone)]
    struct Two;

    impl Service<Name> for Two {
        type Response = std::array::IntoIter<SocketAddr, 2>;
        type Error = Error;
        type Future = Ready<Result<Self::Response, Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            ready(Ok([HOLE, WELL]
                .map(|address| SocketAddr::from((address, 0)))
                .into_iter()))
        }
    }

    const WELL: [u8; 4] = [127, 0, 0, 1];
    const HOLE: [u8; 4] = [127, 0, 0, 2];

    #[tokio::test]
    async fn an_address_that_leads_nowhere_leaves_time_for_the_next_one() {
        let well = TcpListener::bind((std::net::Ipv4Addr::from(WELL), 0)).await.unwrap();
        let port = well.local_addr().unwrap().port();
        let hole = TcpSocket::new_v4().unwrap();
        hole.bind(SocketAddr::from((HOLE, port))).unwrap();
        let hole = hole.listen(1).unwrap();
        // Its queue is full once nobody gets in any more.
        let mut queue = Vec::new();
        let enter = || {
            timeout(
                Duration::from_millis(200),
                TcpStream::connect(hole.local_addr().unwrap()),
            )
        };
        while let Ok(entered) = enter().await {
            queue.push(entered.unwrap());
        }
        let url = format!("http://bedrock.example:{port}").parse().unwrap();
        let connecting = connector(Two, Duration::from_secs(1)).call(url);
        let connected = timeout(Duration::from_secs(10), connecting).await.unwrap().unwrap();
        assert_eq!(connected.inner().peer_addr().unwrap(), well.local_addr().unwrap());
    }
}
