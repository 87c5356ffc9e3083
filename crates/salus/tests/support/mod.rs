//! Runs the real binary: commands to their end, servers until the test is over.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::print_stdout, reason = "what could not be checked is said aloud")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use egress::{Connection, Method};
use fhir::Value;
use fhir::json::{self, Limits};

/// Longest wait for a server to say where it listens.
const START_SECS_MAX: u64 = 180;

/// Longest wait for a server to end.
const STOP_SECS_MAX: u64 = 120;

/// A connection that was idle for longer is opened anew.
const IDLE: Duration = Duration::from_secs(5);

/// What a command gave.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// `salus` in a folder, without what the environment says.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_salus"));
    command.current_dir(dir).env_remove("SALUS_TOKEN").env_remove("SALUS_CONFIG");
    command
}

/// Runs `salus` with arguments in a folder.
pub fn salus(dir: &Path, args: &[&str]) -> Ran {
    let output = command(dir).args(args).output().expect("the binary was built");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("output is text"),
        stderr: String::from_utf8(output.stderr).expect("output is text"),
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    pub url: String,
    /// Everything it wrote so far, both streams.
    pub log: Arc<Mutex<String>>,
}

impl Server {
    /// `salus serve` (or another command that serves) on a free port.
    pub fn start(dir: &Path, args: &[&str]) -> Server {
        let mut command = command(dir);
        command.args(args);
        Server::of(command)
    }

    /// A command that becomes a server.
    pub fn of(mut command: Command) -> Server {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
        let log = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take().expect("piped"), Arc::clone(&log));
        follow(child.stderr.take().expect("piped"), Arc::clone(&log));
        let started = Instant::now();
        loop {
            let text = log.lock().expect("no holder panics").clone();
            let url = text.lines().find_map(|line| line.strip_prefix("serving ")).map(str::to_owned);
            if let Some(url) = url {
                return Server { child, url, log };
            }
            let ended = child.try_wait().expect("the process can be asked");
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(START_SECS_MAX),
                "no server: {text}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Base of FHIR URLs.
    pub fn fhir(&self) -> String {
        format!("{}/fhir", self.url)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process runs");
        self.child.wait().expect("the process ended");
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub fn stop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(asked.expect("`kill` can be run").success());
        let started = Instant::now();
        while self.child.try_wait().expect("the process can be asked").is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(STOP_SECS_MAX),
                "it does not stop: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("no holder panics").clone()
    }

    /// Waits for a line with this text in the log; some come after the one that says that it serves.
    pub fn tells(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(
                began.elapsed() < Duration::from_secs(START_SECS_MAX),
                "no `{text}` in the log:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stream: impl Read + Send + 'static, log: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().expect("no holder panics");
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// A new token of a role on a folder.
pub fn token(dir: &Path, data_dir: &str, args: &[&str]) -> String {
    let mut all = vec!["token", "create", "--data-dir", data_dir, "--json"];
    all.extend(args);
    salus(dir, &all).expect(0).json()["token"].as_str().expect("a token was created").to_owned()
}

/// A client with one connection and a runtime of its own.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    base: String,
    token: Option<String>,
    connection: Connection,
    used: Instant,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: egress::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        json::parse(self.text.as_bytes(), &Limits::default())
            .unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl Client {
    pub fn new(base: &str, token: Option<&str>) -> Client {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let connection = Connection::new(base, token).expect("the base is a URL");
        let (base, token) = (base.to_owned(), token.map(str::to_owned));
        Client { runtime, base, token, connection, used: Instant::now() }
    }

    pub fn send(&mut self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let method: Method = method.parse().expect("a method");
        let body = body.map(|body| Bytes::from(body.to_owned()));
        // The server closes connections on which nothing comes for a while; a busy machine may be the reason that nothing came.
        if self.used.elapsed() > IDLE {
            self.connection = Connection::new(&self.base, self.token.as_deref()).expect("the base is a URL");
        }
        let answer =
            self.runtime.block_on(self.connection.send(method, path, body)).expect("the server answers");
        self.used = Instant::now();
        let text = String::from_utf8(answer.body.to_vec()).expect("answers are text");
        Answer { status: answer.status.as_u16(), headers: answer.headers, text }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None)
    }
}

/// A file of the shared data folder; says aloud when it is not there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SALUS_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("not checked: `{name}` is not in the shared data folder");
    None
}
