//! The processes of a run: started by the harness, ended through their own handle.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Doing, Error, Result};
use crate::load::{self, ALL_OPEN, Job, Report};
use crate::net::END_WITH_STDIN;

/// How long a process may take to come up.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// The key that the gateway is told to accept.
pub(crate) const KEY: &str = "sk-bench";

/// A folder for logs and bodies, removed at the end; also the home and working folder of the gateway, so that no
/// configuration of the user's gets in.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder.
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("outcrop-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).doing(format!("make {}", path.display()))?;
        Ok(Self(path))
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server under way; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts one of this binary's own roles on `address`, without waiting until it is ready.
    pub(crate) fn role(scratch: &Scratch, name: &'static str, address: SocketAddr, args: &[String]) -> Result<Self> {
        let mut command = own_binary()?;
        command
            .arg(name)
            .arg(format!("--listen={address}"))
            .arg(format!("--{END_WITH_STDIN}"))
            .args(args);
        Self::spawn(scratch, name, &mut command, address)
    }

    /// Starts the gateway on `address`, in front of the stub, without waiting until it is ready.
    pub(crate) fn gateway(
        scratch: &Scratch,
        binary: &Path,
        address: SocketAddr,
        stub: SocketAddr,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .args(["serve".to_owned(), "--listen".to_owned(), address.to_string()])
            .current_dir(&scratch.0)
            .env_clear()
            .env("HOME", &scratch.0)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_BEDROCK", format!("http://{stub}"))
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://{stub}"))
            .env("OUTCROP_API_KEYS", KEY)
            .env("OUTCROP_LOG", "warn")
            .envs(variables.iter().copied());
        Self::spawn(scratch, "gateway", &mut command, address)
    }

    /// Starts the gateway's binary on `address` with `arguments`, in front of `bedrock` if there is one, without waiting
    /// until it is ready.
    pub(crate) fn outcrop(
        scratch: &Scratch,
        name: &'static str,
        binary: &Path,
        address: SocketAddr,
        arguments: &[&str],
        bedrock: Option<SocketAddr>,
    ) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .arg(format!("--listen={address}"))
            .current_dir(&scratch.0)
            .env_clear()
            .env("HOME", &scratch.0)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("OUTCROP_LOG", "warn");
        if let Some(bedrock) = bedrock {
            command
                .env("AWS_ENDPOINT_URL_BEDROCK", format!("http://{bedrock}"))
                .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://{bedrock}"))
                .env("AWS_ACCESS_KEY_ID", "AKIDSIMULATOR0000000")
                .env("AWS_SECRET_ACCESS_KEY", "simulator-secret-access-key");
        }
        Self::spawn(scratch, name, &mut command, address)
    }

    fn spawn(scratch: &Scratch, name: &'static str, command: &mut Command, address: SocketAddr) -> Result<Self> {
        let log = scratch.file(&format!("{name}.log"));
        let file = File::create(&log).doing(format!("make {}", log.display()))?;
        let errors = file.try_clone().doing("share the log file")?;
        // The pipe to its input stays open as long as the harness lives; our own roles end with it.
        let child = command.stdin(Stdio::piped()).stdout(file).stderr(errors).spawn();
        let child = child.doing(format!("start {}", command.get_program().display()))?;
        Ok(Self {
            name,
            child,
            log,
            address,
        })
    }

    /// Waits until `GET path` is answered with 200.
    pub(crate) fn wait_until_ok(&mut self, path: &str) -> Result<()> {
        let start = Instant::now();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.address
        );
        while !answers_ok(self.address, request.as_bytes()) {
            self.still_coming(start)?;
        }
        Ok(())
    }

    /// Waits a moment for the process to come up, or says why it will not.
    pub(crate) fn still_coming(&mut self, since: Instant) -> Result<()> {
        std::thread::sleep(Duration::from_millis(1));
        let ended = self.child.try_wait().doing("look after a process")?;
        let what = match ended {
            Some(status) => format!("ended before it was ready ({status})"),
            None if since.elapsed() > READY_WITHIN => {
                format!("was not ready within {READY_WITHIN:?}")
            }
            None => return Ok(()),
        };
        Err(Error::Process {
            role: self.name.to_owned(),
            what,
            log: self.end_of_log(),
        })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(2000)..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A load client under way.
#[derive(Debug)]
pub(crate) struct LoadClient {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl LoadClient {
    /// Starts a client that does `job`.
    pub(crate) fn start(scratch: &Scratch, job: &Job) -> Result<Self> {
        let body = scratch.file("body.json");
        std::fs::write(&body, &job.body).doing(format!("write {}", body.display()))?;
        let mut command = own_binary()?;
        command
            .args(load::to_args(job, &body))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().doing("start the load client")?;
        let Some(output) = child.stdout.take() else {
            return Err(Error::Malformed("the load client has no output".to_owned()));
        };
        Ok(Self {
            child,
            output: BufReader::new(output),
        })
    }

    /// Waits until each connection has seen the first byte of an answer.
    pub(crate) fn wait_until_open(&mut self) -> Result<()> {
        loop {
            let line = self.line()?;
            if line == ALL_OPEN {
                return Ok(());
            }
            if line.starts_with('{') {
                let report: Report = serde_json::from_str(&line)?;
                let first = report
                    .first_error
                    .unwrap_or_else(|| "not all were open at once".to_owned());
                let requests = report.ok + report.errors;
                return Err(Error::Requests {
                    role: "load client".to_owned(),
                    errors: report.errors,
                    requests,
                    first,
                });
            }
        }
    }

    /// Waits for the end; a failed request is an error.
    pub(crate) fn finish(mut self, role: &str) -> Result<Report> {
        let report: Report = loop {
            let line = self.line()?;
            if line.starts_with('{') {
                break serde_json::from_str(&line)?;
            }
        };
        match report.first_error {
            Some(first) => Err(Error::Requests {
                role: role.to_owned(),
                errors: report.errors,
                requests: report.ok + report.errors,
                first,
            }),
            None => Ok(report),
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).doing("read from the load client")?;
        if read == 0 {
            return Err(Error::Malformed(
                "the load client gave up; see its message above".to_owned(),
            ));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for LoadClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is `request`, which must ask for `connection: close`, answered with 200?
pub(crate) fn answers_ok(address: SocketAddr, request: &[u8]) -> bool {
    let mut answer = Vec::new();
    let exchanged = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(READY_WITHIN))?;
        stream.write_all(request)?;
        stream.read_to_end(&mut answer)
    });
    exchanged.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .doing("find a free port")
}

/// This binary, to be started in another role.
fn own_binary() -> Result<Command> {
    Ok(Command::new(std::env::current_exe().doing("find this binary")?))
}
