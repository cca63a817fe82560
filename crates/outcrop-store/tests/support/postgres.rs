//! A server of PostgreSQL of our own, unless `OUTCROP_TEST_POSTGRES` names one: a URL of somebody who may create
//! databases.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::{Folder, Place, unique};

/// How long it may take to come up and down.
const LIMIT: Duration = Duration::from_secs(60);

/// A server, which ends with this.
pub(crate) struct Server {
    url: String,
    own: Option<(Child, Folder)>,
    made: std::sync::Mutex<Vec<String>>,
}

impl Server {
    /// Starts one. `None` where there is none to start, which is an error in CI.
    pub(crate) async fn start() -> Option<Self> {
        if let Ok(url) = std::env::var("OUTCROP_TEST_POSTGRES") {
            return Some(Self {
                url,
                own: None,
                made: std::sync::Mutex::default(),
            });
        }
        let Some(programs) = programs() else {
            let missing = "NOT TESTED: PostgreSQL is missing; the Debian package is postgresql, or set \
                           OUTCROP_TEST_POSTGRES to a server's URL";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("\n{missing}\n");
            return None;
        };
        let folder = Folder::new();
        let child = serve(&programs, folder.path());
        let server = Self {
            url: format!("postgres://outcrop@localhost/postgres?host={}", folder.path().display()),
            own: Some((child, folder)),
            made: std::sync::Mutex::default(),
        };
        let began = Instant::now();
        while let Err(error) = PgConnection::connect(&server.url).await {
            assert!(began.elapsed() < LIMIT, "PostgreSQL doesn't come up: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(server)
    }

    async fn run(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// A new database.
    pub(crate) async fn place(&self) -> Place {
        let name = format!("outcrop_test_{}", unique());
        self.run(format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        self.made.lock().unwrap().push(name.clone());
        let options = PgConnectOptions::from_str(&self.url).unwrap().database(&name);
        match &self.own {
            Some((_, folder)) => Place::url(format!(
                "postgres://outcrop@localhost/{name}?host={}",
                folder.path().display()
            )),
            None => Place::url(options.to_url_lossy().to_string()),
        }
    }

    /// Takes its databases out, if it isn't ours, and stops it, if it is.
    pub(crate) async fn stop(self) {
        if self.own.is_none() {
            let made = std::mem::take(&mut *self.made.lock().unwrap());
            for name in made {
                self.run(format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some((child, _)) = &mut self.own else { return };
        // A fast shutdown; killed, it would leave its shared memory behind.
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The folder with `postgres` and `initdb`: Debian keeps the server's own out of the way.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = debian.flatten().map(|version| version.path().join("bin")).collect();
    found.sort();
    found.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    found
        .into_iter()
        .find(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
}

/// A user without rights: the server refuses to be root's. `None` where we are such a one.
fn unprivileged() -> Option<(u32, u32)> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut ids = line.split(':').skip(2).map(|id| id.parse::<u32>().ok());
        Some((ids.next()??, ids.next()??))
    };
    Some(find("postgres").or_else(|| find("nobody")).unwrap_or((65_534, 65_534)))
}

fn serve(programs: &Path, folder: &Path) -> Child {
    let data = folder.join("data");
    let user = unprivileged();
    if let Some((user, group)) = user {
        std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
    }
    let program = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.current_dir(folder).stdin(Stdio::null()).env("LC_ALL", "C");
        if let Some((user, group)) = user {
            command.uid(user).gid(group);
        }
        command
    };
    let made = program("initdb")
        .args([
            "--username=outcrop",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--pgdata",
        ])
        .arg(&data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let log = std::fs::File::create(folder.join("log")).unwrap();
    program("postgres")
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(folder)
        .args(["-c", "listen_addresses="])
        .args([
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
            "-c",
            "shared_buffers=32MB",
        ])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
