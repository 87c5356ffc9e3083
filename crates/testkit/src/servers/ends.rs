//! Checks that a server ends with the test process that started it, even when that is killed.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::supervised::is_listening;

const CHILD: &str = "SALUS_TEST_OF_SERVER_CHILD";
const END_SECS_MAX: u64 = 120;

/// Runs `test` (its path in this crate) again in a child process, in which `start` starts a server and gives its port and folder; kills the child
/// with -9 and sees that both are gone.
pub(super) fn check_ends_with_its_process(test: &str, start: impl FnOnce() -> Option<(u16, PathBuf)>) {
    if env::var_os(CHILD).is_some() {
        if let Some((port, folder)) = start() {
            println!("server {port} {}", folder.display());
            thread::sleep(Duration::from_secs(600));
        }
        return;
    }
    let test = test.split_once("::").expect("a path starts with the crate").1;
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let server = lines.filter_map(|line| Some(line.split_once("server ")?.1.to_owned())).next();
    let Some(server) = server else {
        // It said that the server is not installed, or why it did not start.
        assert!(child.wait().unwrap().success());
        return;
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let (port, folder) = server.split_once(' ').unwrap();
    let (port, folder) = (port.parse().unwrap(), Path::new(folder));
    let until = Instant::now() + Duration::from_secs(END_SECS_MAX);
    while is_listening(port) || folder.exists() {
        assert!(
            Instant::now() < until,
            "the server on port {port} or its folder `{}` outlives its process",
            folder.display()
        );
        thread::sleep(Duration::from_millis(50));
    }
}
