//! A way to PostgreSQL that can be cut and blocked.

use std::path::PathBuf;
use std::str::FromStr as _;

use outcrop_store::Location;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Place;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They pass.
    Open,
    /// They wait, for ever, and so do new connections: as behind a firewall that drops packets.
    Blocked,
    /// Connections are closed, and so are new ones.
    Cut,
}

pub(crate) struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    _task: JoinSet<()>,
}

/// Where the server is.
#[derive(Clone)]
enum Server {
    Socket(PathBuf),
    Port(String, u16),
}

impl Proxy {
    pub(crate) async fn to(place: &Place) -> Self {
        let options = options(place);
        let server = match options.get_socket() {
            Some(folder) => Server::Socket(folder.join(format!(".s.PGSQL.{}", options.get_port()))),
            None => Server::Port(options.get_host().to_owned(), options.get_port()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::Open);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(join(client, server.clone(), seen.clone()));
            }
        });
        Self { port, way, _task: task }
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// The same database by this way.
    pub(crate) fn location(&self, place: &Place) -> Location {
        let options = options(place);
        let database = options.get_database().unwrap();
        if options.get_socket().is_some() {
            let port = self.port;
            return Location::Postgres(format!(
                "postgres://outcrop:secret@127.0.0.1:{port}/{database}?sslmode=disable"
            ));
        }
        let options = options.host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable);
        Location::Postgres(options.to_url_lossy().to_string())
    }
}

fn options(place: &Place) -> PgConnectOptions {
    let Location::Postgres(url) = &place.location else {
        unreachable!("PostgreSQL")
    };
    PgConnectOptions::from_str(url).unwrap()
}

async fn join(client: TcpStream, server: Server, mut way: watch::Receiver<Way>) {
    if way.wait_for(|way| *way != Way::Blocked).await.is_err() || *way.borrow() == Way::Cut {
        return;
    }
    let (from_client, to_client) = client.into_split();
    match server {
        Server::Socket(path) => {
            let (from_server, to_server) = UnixStream::connect(path).await.unwrap().into_split();
            both(from_client, to_server, from_server, to_client, way).await;
        }
        Server::Port(host, port) => {
            let (from_server, to_server) = TcpStream::connect((host, port)).await.unwrap().into_split();
            both(from_client, to_server, from_server, to_client, way).await;
        }
    }
}

async fn both(
    from_client: impl AsyncRead + Unpin,
    to_server: impl AsyncWrite + Unpin,
    from_server: impl AsyncRead + Unpin,
    to_client: impl AsyncWrite + Unpin,
    way: watch::Receiver<Way>,
) {
    let mut cut = way.clone();
    tokio::select! {
        () = pass(from_client, to_server, way.clone()) => {}
        () = pass(from_server, to_client, way) => {}
        _ = cut.wait_for(|way| *way == Way::Cut) => {}
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut way: watch::Receiver<Way>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        if way.wait_for(|way| *way == Way::Open).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
