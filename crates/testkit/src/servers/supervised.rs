//! A server process with a supervisor: a small shell that stops the server and removes its folder when the test process is gone.
//! Knows nothing of any particular server.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::installed::server_folder;

/// How long a server may take until it answers.
const START_SECS_MAX: u64 = 180;
/// How much of a server's log is shown when it does not start.
const LOG_LINES_SHOWN: usize = 60;
/// Other processes take ports too: how often another free port is tried.
const PORTS_MAX: usize = 5;

/// The supervisor reads orders from its standard input. That ends when the test process ends, also by `kill -9`: only the test process holds the
/// other end. It answers each order with the server's process id. Arguments: folder, signal, the server's command.
const SUPERVISOR: &str = r#"
folder=$1 signal=$2
shift 2
server=
stop() { [ -z "$server" ] || { kill -s "$signal" "$server"; wait "$server"; } 2>/dev/null; server=; }
while read -r order; do
  case $order in
    start) "$@" </dev/null >>"$folder/log" 2>&1 & server=$! ;;
    stop) stop ;;
  esac
  echo "$server"
done
stop
# What a killed test was copying into it may still come.
rm -rf "$folder" || { sleep 2; rm -rf "$folder"; }
"#;

/// The program and arguments of a server, for its folder and port.
type CommandOf = dyn Fn(&Path, u16) -> Vec<OsString>;

/// How a server is started and stopped.
pub(super) struct Plan {
    /// Names the temporary folder.
    pub(super) name: &'static str,
    /// The signal that stops it, as `kill -s` names it.
    pub(super) signal: &'static str,
    /// Fills the folder, before the first start.
    pub(super) prepare: Box<dyn Fn(&Path)>,
    /// What is run.
    pub(super) command: Box<CommandOf>,
}

/// A running server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub(super) struct Supervised {
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    shell: Mutex<Shell>,
}

#[derive(Debug)]
struct Shell {
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    child: Child,
}

impl Supervised {
    /// Starts it on a free port and waits until `is_ready` (given folder and port) says so. Panics with the server's log when it does not start.
    pub(super) fn start(plan: &Plan, is_ready: impl Fn(&Path, u16) -> bool) -> Supervised {
        for _ in 0..PORTS_MAX {
            let server = Supervised::prepared(plan);
            match server.order_start(&is_ready) {
                Ok(()) => return server,
                Err(log) if log.to_lowercase().contains("address already in use") => {}
                Err(log) => panic!("{} did not start:\n{log}", plan.name),
            }
        }
        panic!("{} did not start: {PORTS_MAX} ports were taken by others", plan.name);
    }

    fn prepared(plan: &Plan) -> Supervised {
        let folder = server_folder(plan.name).expect("the temporary folder can be written");
        let port = crate::free_port();
        let mut child = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .args([folder.as_os_str(), plan.signal.as_ref()])
            .args((plan.command)(&folder, port))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C goes to the test's process group: the supervisor must outlive it to clean up.
            .process_group(0)
            .current_dir("/")
            .spawn()
            .expect("`sh` can be started");
        let shell = Shell {
            orders: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().expect("standard output is a pipe")),
            child,
        };
        // From here on the folder is removed whatever happens.
        let server = Supervised { folder, port, shell: Mutex::new(shell) };
        (plan.prepare)(&server.folder);
        server
    }

    /// Stops the server with its signal and returns when it is gone. Its folder stays.
    pub(super) fn stop(&self) {
        self.order("stop");
    }

    /// Starts it again on the same port with the same folder.
    pub(super) fn start_again(&self, is_ready: impl Fn(&Path, u16) -> bool) {
        self.order_start(&is_ready).unwrap_or_else(|log| panic!("the server did not start again:\n{log}"));
    }

    fn order_start(&self, is_ready: &impl Fn(&Path, u16) -> bool) -> Result<(), String> {
        let process = self.order("start");
        let until = Instant::now() + Duration::from_secs(START_SECS_MAX);
        while !is_ready(&self.folder, self.port) {
            if !is_running(&process) || Instant::now() > until {
                return Err(self.end_of_log());
            }
            thread::sleep(Duration::from_millis(20));
        }
        // Another process may have answered on a port that this server did not get.
        if is_running(&process) { Ok(()) } else { Err(self.end_of_log()) }
    }

    fn order(&self, order: &str) -> String {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = shell.orders.as_mut().expect("orders are taken until the server is dropped");
        writeln!(orders, "{order}").expect("the supervisor listens");
        let mut answer = String::new();
        shell.answers.read_line(&mut answer).expect("the supervisor answers");
        answer.trim().to_owned()
    }

    fn end_of_log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(shell.orders.take());
        shell.child.wait().ok();
    }
}

/// Whether the process is there and has not ended. A server that ended stays as a zombie until its supervisor looks.
fn is_running(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state follows the program's name, which stands in parentheses.
    status.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

/// Whether somebody accepts connections on the loopback port.
#[cfg(test)]
pub(super) fn is_listening(port: u16) -> bool {
    std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
}
