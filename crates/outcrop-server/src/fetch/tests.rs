use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::connect::Resolve;
use super::error::Reason;
use super::{FetchConfig, Fetcher, MAX_URLS, PARALLEL_PER_REQUEST};

/// A server on a loopback address, and the heads of the requests that it got.
struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request by its path. A connection stays open until the client closes it.
    async fn start(ip: &str, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&heads), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let head = read_head(&mut stream).await;
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    seen.lock().unwrap().push(head);
                    let _ = stream.write_all(&answer(&path)).await;
                    let _ = stream.read(&mut [0]).await;
                });
            }
        });
        Self { address, heads, task }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn named(&self, name: &str, path: &str) -> String {
        format!("http://{name}:{}{path}", self.address.port())
    }

    fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// Each name's answers, one after the other; the last one stays.
#[derive(Default)]
struct Names(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

impl Names {
    fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let answers = answers.iter().rev().map(parse).collect();
        self.0.lock().unwrap().insert(name.to_owned(), answers);
        self
    }
}

impl Resolve for Names {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut names = self.0.lock().unwrap();
        let answer = names.get_mut(&name).and_then(|answers| match answers.len() {
            0 | 1 => answers.first().cloned(),
            _ => answers.pop(),
        });
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// Of the loopback addresses, 127.0.0.1 stands for the public ones here, and the others for private ones.
fn config() -> FetchConfig {
    FetchConfig {
        private_networks: vec!["127.0.0.1".parse().unwrap()],
        max_bytes: 1000,
        timeout: Duration::from_secs(20),
        max_redirects: 3,
        ..FetchConfig::default()
    }
}

fn impatient() -> FetchConfig {
    FetchConfig {
        timeout: Duration::from_millis(200),
        ..config()
    }
}

fn fetcher(config: FetchConfig) -> Fetcher {
    Fetcher::with_resolver(config, Arc::new(Names::default()))
}

async fn reason(fetcher: &Fetcher, url: &str) -> Reason {
    fetcher.fetch(url).await.unwrap_err().reason
}

#[tokio::test]
async fn a_file_is_fetched_without_a_word_about_us() {
    let server = Server::start("127.0.0.1", |_| ok("a picture")).await;
    let fetched = fetcher(config()).fetch(&server.url("/a?b=c#d")).await.unwrap();
    assert_eq!(fetched, "a picture");

    let heads = server.heads.lock().unwrap();
    let mut lines: Vec<String> = heads[0].trim_end().lines().map(str::to_lowercase).collect();
    lines[1..].sort();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines,
        [
            "get /a?b=c http/1.1".to_owned(),
            "accept-encoding: identity".to_owned(),
            "accept: */*".to_owned(),
            format!("host: {}", server.address),
            format!("user-agent: outcrop/{version}"),
        ]
    );
}

#[tokio::test]
async fn a_body_without_a_length_is_fetched_to_its_end() {
    let server = Server::start("127.0.0.1", |_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".to_vec()
    })
    .await;
    assert_eq!(fetcher(config()).fetch(&server.url("/")).await.unwrap(), "abcde");
}

#[tokio::test]
async fn redirects_are_followed_up_to_the_limit() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/0" => redirect(301, "/1"),
        "/1" => redirect(302, "2?x"),
        "/2?x" => redirect(308, "./3"),
        "/3" => ok("found"),
        _ => redirect(303, "/again"),
    })
    .await;
    let fetcher = fetcher(config());
    assert_eq!(fetcher.fetch(&server.url("/0")).await.unwrap(), "found");
    assert_eq!(server.requests(), 4);
    assert_eq!(reason(&fetcher, &server.url("/again")).await, Reason::Redirects(3));
    assert_eq!(server.requests(), 8);
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_url_itself() {
    let inner = Server::start("127.0.0.2", |_| ok("secret")).await;
    let targets = [
        inner.url("/"),
        inner.named("inner.example", "/"),
        inner.named("0x7f000002", "/"),
        inner.named("[::ffff:127.0.0.2]", "/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://user:password@example.com/".to_owned(),
        "http://[".to_owned(),
    ];
    let expected = [
        Reason::NotPublic,
        Reason::Unreachable,
        Reason::NotPublic,
        Reason::NotPublic,
        Reason::NotPublic,
        Reason::Url("only http:// and https:// URLs are fetched"),
        Reason::Url("a user name or password has no place in it"),
        Reason::BadRedirect,
    ];
    let locations = targets.clone();
    let outer = Server::start("127.0.0.1", move |path| {
        redirect(302, &locations[path[1..].parse::<usize>().unwrap()])
    })
    .await;
    let names = Names::default().with("inner.example", &[&["127.0.0.2"]]);
    let fetcher = Fetcher::with_resolver(config(), Arc::new(names));
    for (index, expected) in expected.into_iter().enumerate() {
        let refused = reason(&fetcher, &outer.url(&format!("/{index}"))).await;
        assert_eq!(refused, expected, "{}", targets[index]);
    }
    assert_eq!(inner.requests(), 0);
}

#[tokio::test]
async fn a_private_address_is_refused_however_it_is_written() {
    let inner = Server::start("127.0.0.2", |_| ok("secret")).await;
    let fetcher = fetcher(config());
    for host in [
        "127.0.0.2",
        "2130706434",
        "0x7f.2",
        "0177.0.0.02",
        "127.0.0.2.",
        "[::ffff:7f00:2]",
    ] {
        assert_eq!(
            reason(&fetcher, &inner.named(host, "/")).await,
            Reason::NotPublic,
            "{host}"
        );
    }
    assert_eq!(inner.requests(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let outer = Server::start("127.0.0.1", |path| match path {
        "/again" => redirect(302, "/"),
        _ => ok("public"),
    })
    .await;
    let port = outer.address.port();
    // The same port, so that the address alone makes the difference.
    let listener = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let names = || Names::default().with("evil.example", &[&["127.0.0.1"], &["127.0.0.2"]]);

    // The answer that was checked is the one that is used.
    let fetcher = Fetcher::with_resolver(config(), Arc::new(names()));
    let fetched = fetcher.fetch(&outer.named("evil.example", "/")).await;
    assert_eq!(fetched.unwrap(), "public");
    // The next connection is checked anew.
    assert_eq!(
        reason(&fetcher, &outer.named("evil.example", "/")).await,
        Reason::Unreachable
    );

    // Also if it is the same host's redirect to itself.
    let fetcher = Fetcher::with_resolver(config(), Arc::new(names()));
    assert_eq!(
        reason(&fetcher, &outer.named("evil.example", "/again")).await,
        Reason::Unreachable
    );

    let accepted = std::future::poll_fn(|cx| std::task::Poll::Ready(listener.poll_accept(cx).is_ready()));
    assert!(!accepted.await, "nobody came to the private address");
}

#[tokio::test]
async fn of_a_name_s_addresses_only_public_ones_are_tried() {
    let outer = Server::start("127.0.0.1", |_| ok("public")).await;
    let names = Names::default().with("mixed.example", &[&["10.0.0.1", "169.254.169.254", "::1", "127.0.0.1"]]);
    let fetcher = Fetcher::with_resolver(config(), Arc::new(names));
    assert_eq!(
        fetcher.fetch(&outer.named("mixed.example", "/")).await.unwrap(),
        "public"
    );
}

#[tokio::test]
async fn the_client_learns_nothing_of_the_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let names = Names::default()
        .with("private.example", &[&["10.0.0.1"]])
        .with("closed.example", &[&["127.0.0.1"]]);
    let fetcher = Fetcher::with_resolver(config(), Arc::new(names));
    let mut told = Vec::new();
    for (host, logged) in [
        ("unknown.example", "unknown.example: "),
        ("private.example", "10.0.0.1"),
        ("closed.example", "refused"),
    ] {
        let error = fetcher
            .fetch(&format!("http://{host}:{closed}/x?signature=s3cret"))
            .await
            .unwrap_err();
        let log = error.to_string();
        assert!(log.contains(logged) && !log.contains("s3cret"), "{log}");
        told.push(error.problem("messages[0]"));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    assert_eq!(
        told[0].message,
        "The URL at 'messages[0]' can't be fetched: its host has no public address that answers."
    );
    assert_eq!(
        (told[0].status, told[0].code, told[0].param.as_deref()),
        (400, Some("media_fetch_failed"), Some("messages[0]"))
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let server = Server::start("127.0.0.1", |path| {
        // None of these ends: whoever waits for the end waits in vain.
        let (head, body) = match path {
            "/length" => ("Content-Length: 1001", String::new()),
            "/chunks" => ("Transfer-Encoding: chunked", format!("3e9\r\n{}\r\n", "a".repeat(1001))),
            _ => ("Connection: close", "a".repeat(1001)),
        };
        format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").into_bytes()
    })
    .await;
    let fetcher = fetcher(config());
    for path in ["/length", "/chunks", "/close"] {
        assert_eq!(
            reason(&fetcher, &server.url(path)).await,
            Reason::TooLarge(1000),
            "{path}"
        );
    }

    let server = Server::start("127.0.0.1", |_| ok(&"a".repeat(1000))).await;
    assert_eq!(fetcher.fetch(&server.url("/")).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn an_answer_that_is_no_whole_file_is_refused() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/404" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno".to_vec(),
        "/206" => b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\nno".to_vec(),
        "/304" => b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(),
        "/302" => b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/gzip" => b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno".to_vec(),
        _ => b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
    })
    .await;
    let fetcher = fetcher(config());
    for (path, expected) in [
        ("/404", Reason::Status(404)),
        ("/206", Reason::Status(206)),
        ("/304", Reason::Status(304)),
        ("/302", Reason::Status(302)),
        ("/gzip", Reason::Encoded),
        ("/ssh", Reason::Interrupted),
    ] {
        assert_eq!(reason(&fetcher, &server.url(path)).await, expected, "{path}");
    }
}

#[tokio::test]
async fn https_is_not_spoken_with_whom_doesn_t_speak_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&ok("plain")).await.unwrap();
        stream
    };
    let fetcher = fetcher(config());
    let (refused, _stream) = tokio::join!(reason(&fetcher, &url), serving);
    assert_eq!(refused, Reason::Tls);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_taken_for_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
        stream.write_all(answer).await.unwrap();
    };
    let fetcher = fetcher(config());
    let (refused, ()) = tokio::join!(reason(&fetcher, &url), serving);
    assert_eq!(refused, Reason::Interrupted);
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_given_up() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/silent" => Vec::new(),
        "/head" => b"HTTP/1.1 200 OK\r\n".to_vec(),
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec(),
    })
    .await;
    let fetcher = fetcher(impatient());
    for path in ["/silent", "/head", "/body"] {
        let refused = reason(&fetcher, &server.url(path)).await;
        assert_eq!(refused, Reason::TooSlow(Duration::from_millis(200)), "{path}");
    }
}

#[tokio::test]
async fn files_of_a_request_are_fetched_side_by_side_and_stay_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let urls: Vec<String> = ["/a", "/b", "/c"].map(|path| format!("http://{address}{path}")).into();
    // Answers nobody until all have asked, and the last one first.
    let serving = async {
        let mut waiting = Vec::new();
        for _ in 0..urls.len() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await;
            waiting.push((stream, head));
        }
        waiting.sort_by(|(_, a), (_, b)| b.cmp(a));
        for (stream, head) in &mut waiting {
            let path = head.split(' ').nth(1).unwrap();
            stream.write_all(&ok(path)).await.unwrap();
        }
    };
    let fetcher = fetcher(config());
    let (fetched, ()) = tokio::join!(fetcher.fetch_all(&urls), serving);
    let fetched: Vec<_> = fetched.into_iter().map(Result::unwrap).collect();
    assert_eq!(fetched, ["/a", "/b", "/c"]);
}

#[tokio::test]
async fn one_request_leaves_slots_to_others() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/silent" => Vec::new(),
        _ => ok("x"),
    })
    .await;
    let fetcher = fetcher(FetchConfig {
        max_concurrent: PARALLEL_PER_REQUEST + 1,
        ..config()
    });
    let greedy = vec![server.url("/silent"); MAX_URLS];
    let other = async {
        while server.requests() < PARALLEL_PER_REQUEST {
            tokio::task::yield_now().await;
        }
        fetcher.fetch(&server.url("/")).await
    };
    tokio::select! {
        _ = fetcher.fetch_all(&greedy) => panic!("who never answers has answered"),
        fetched = other => assert_eq!(fetched.unwrap(), "x"),
    }
}

#[tokio::test]
async fn one_slot_is_enough_for_all() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/away" => redirect(302, "/"),
        _ => ok("x"),
    })
    .await;
    let fetcher = Arc::new(fetcher(FetchConfig {
        max_concurrent: 1,
        ..config()
    }));
    let urls: Vec<String> = vec![server.url("/away"); 20];
    let requests: Vec<_> = (0..3)
        .map(|_| {
            let (fetcher, urls) = (Arc::clone(&fetcher), urls.clone());
            tokio::spawn(async move { fetcher.fetch_all(&urls).await })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap().iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn who_waits_too_long_for_a_slot_is_told_to_come_again() {
    let server = Server::start("127.0.0.1", |_| Vec::new()).await;
    let fetcher = fetcher(FetchConfig {
        max_concurrent: 1,
        ..impatient()
    });
    let slot = fetcher.slots.acquire().await.unwrap();
    let error = fetcher.fetch(&server.url("/")).await.unwrap_err();
    let problem = error.problem("x");
    assert_eq!(
        (problem.status, problem.code, problem.retry_after_seconds),
        (503, Some("media_fetch_busy"), Some(1))
    );
    drop(slot);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn one_request_can_t_fetch_without_end() {
    let server = Server::start("127.0.0.1", |_| ok(&"a".repeat(900))).await;
    let fetcher = fetcher(config());
    let fetched = fetcher.fetch_all(&vec![server.url("/"); 6]).await;
    assert_eq!(fetched.iter().filter(|file| file.is_ok()).count(), 4);
    let refused = fetched.into_iter().filter_map(Result::err);
    assert!(
        refused
            .into_iter()
            .all(|error| error.reason == Reason::TooLargeTogether(4000))
    );

    let asked = server.requests();
    let fetched = fetcher.fetch_all(&vec![server.url("/"); MAX_URLS + 1]).await;
    assert_eq!(fetched.len(), MAX_URLS + 1);
    assert!(
        fetched
            .into_iter()
            .all(|file| file.unwrap_err().reason == Reason::TooMany(MAX_URLS))
    );
    assert_eq!(server.requests(), asked);
}

#[tokio::test]
async fn a_list_of_hosts_holds_for_redirects_too() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/away" => redirect(302, "http://other.example/"),
        _ => ok("listed"),
    })
    .await;
    let names = Names::default()
        .with("cdn.example.com", &[&["127.0.0.1"]])
        .with("private.example.com", &[&["127.0.0.2"]]);
    let config = FetchConfig {
        hosts: vec!["*.example.com".parse().unwrap()],
        ..config()
    };
    let fetcher = Fetcher::with_resolver(config, Arc::new(names));
    assert_eq!(
        fetcher.fetch(&server.named("cdn.example.com", "/")).await.unwrap(),
        "listed"
    );
    for url in [server.url("/"), server.named("cdn.example.com", "/away")] {
        assert_eq!(reason(&fetcher, &url).await, Reason::HostNotListed, "{url}");
    }
    // To be listed is not to be public.
    let private = server.named("private.example.com", "/");
    assert_eq!(reason(&fetcher, &private).await, Reason::Unreachable);
}

#[tokio::test]
async fn fetching_can_be_switched_off() {
    let server = Server::start("127.0.0.1", |_| ok("x")).await;
    let fetcher = fetcher(FetchConfig {
        enabled: false,
        ..config()
    });
    let problem = fetcher.fetch(&server.url("/")).await.unwrap_err().problem("x");
    assert_eq!((problem.status, problem.code), (400, Some("media_fetch_disabled")));
    assert!(problem.message.contains("`fetch_urls`"), "{}", problem.message);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_system_s_resolver_is_no_way_in() {
    let server = Server::start("127.0.0.1", |_| ok("secret")).await;
    let fetcher = Fetcher::new(FetchConfig::default());
    for host in ["localhost", "localhost.", "LOCALHOST"] {
        assert_eq!(
            reason(&fetcher, &server.named(host, "/")).await,
            Reason::Unreachable,
            "{host}"
        );
    }
    assert_eq!(server.requests(), 0);
    let allowed = Fetcher::new(config());
    assert_eq!(allowed.fetch(&server.named("localhost", "/")).await.unwrap(), "secret");
}
