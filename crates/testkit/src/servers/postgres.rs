//! PostgreSQL as Debian packages it. Knows nothing of what is stored in it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::installed::{copy, not_installed, template};
use super::run::run;
use super::supervised::{Plan, Supervised};

/// The superuser, trusted on the loopback address.
const USER: &str = "salus";

/// PostgreSQL, one per test process, started on first use: trusted on the loopback address, in UTC, writing durably.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    server: Supervised,
}

impl Postgres {
    /// The one of this test process. Prints `not checked: …` and returns `None` when PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Postgres> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        SHARED.get_or_init(Postgres::find_and_start).as_ref().or_else(|| not_installed("PostgreSQL"))
    }

    /// Another one, for a test that stops it while others run. It ends when it is dropped.
    pub fn own() -> Option<Postgres> {
        Postgres::find_and_start().or_else(|| not_installed("PostgreSQL"))
    }

    fn find_and_start() -> Option<Postgres> {
        let programs = newest_programs()?;
        let version = run(programs.join("postgres"), &["--version"], "");
        let version = version.split_whitespace().nth(2).unwrap_or_default().to_owned();
        let (for_prepare, for_command, for_ready) = (programs.clone(), programs.clone(), programs.clone());
        let plan = Plan {
            name: "postgres",
            signal: "QUIT",
            prepare: Box::new(move |folder| prepare(&for_prepare, &version, folder)),
            command: Box::new(move |folder, port| server_command(&for_command, folder, port)),
        };
        let server = Supervised::start(&plan, |folder, port| is_ready(&for_ready, folder, port));
        Some(Postgres { programs, server })
    }

    /// Creates an empty database and gives `postgres://USER@127.0.0.1:PORT/NAME`. Panics when there is one of that name: take a name per test.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")));
        self.url(name)
    }

    /// Runs statements in a database and gives their rows as `psql -At` prints them. Panics with the server's message when one fails.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let url = self.url(database);
        let arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url, "-f", "-"];
        run(self.programs.join("psql"), &arguments, sql).trim_end_matches('\n').to_owned()
    }

    /// The loopback port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Stops it as if the machine failed: connections break, nothing is flushed that was not yet durable.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Starts it again after [`Postgres::stop`], on the same port with the same data.
    pub fn start_again(&self) {
        self.server.start_again(|folder, port| is_ready(&self.programs, folder, port));
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.server.port)
    }
}

/// Debian keeps the programs of each major version in a folder of its own, outside the search path.
fn newest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let folders = versions.map(|version| (version, format!("/usr/lib/postgresql/{version}/bin")));
    let complete = folders.filter(|(_, folder)| Path::new(folder).join("initdb").is_file());
    complete.max().map(|(_, folder)| PathBuf::from(folder))
}

/// Copies a new cluster into the folder. It is made once per version: that takes seconds.
fn prepare(programs: &Path, version: &str, folder: &Path) {
    let cluster = template(&format!("postgres-{version}-1"), |target| {
        let beside = tempfile::Builder::new()
            .prefix("salus-initdb-")
            .tempdir()
            .expect("the temporary folder can be written");
        give_away(beside.path());
        let made = beside.path().join("data");
        let mut command = as_server_user();
        command.extend([programs.join("initdb").into(), "--pgdata".into(), made.clone().into()]);
        command.extend(
            ["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"].map(OsString::from),
        );
        command.extend(["--no-sync", "--no-instructions"].map(OsString::from));
        run(&command[0], &command[1..], "");
        copy(&made, target);
    });
    copy(&cluster, &folder.join("data"));
    give_away(folder);
}

fn server_command(programs: &Path, folder: &Path, port: u16) -> Vec<OsString> {
    let mut command = as_server_user();
    command.extend([programs.join("postgres").into(), "-D".into(), folder.join("data").into()]);
    let settings = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "timezone=UTC",
        "log_timezone=UTC",
        // After a failure it makes sure that all files are durable: one call, instead of one per file, saves seconds.
        "recovery_init_sync_method=syncfs",
    ];
    for setting in settings.map(str::to_owned).into_iter().chain([format!("port={port}")]) {
        command.extend(["-c".into(), setting.into()]);
    }
    command
}

/// PostgreSQL refuses to run as root: then the user that Debian's package made runs it.
fn as_server_user() -> Vec<OsString> {
    let switch = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"];
    if is_root() { switch.map(OsString::from).to_vec() } else { Vec::new() }
}

/// Makes the server's user the owner of everything in a folder.
fn give_away(folder: &Path) {
    if is_root() {
        run("chown", &[Path::new("-R"), Path::new("postgres:postgres"), folder], "");
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Asks for the data folder: on a port that was taken by then, another server could answer.
fn is_ready(programs: &Path, folder: &Path, port: u16) -> bool {
    let url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
    let output = Command::new(programs.join("psql"))
        .args(["-X", "-A", "-t", "-d", &url, "-c", "SHOW data_directory"])
        .output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).trim() == folder.join("data").to_string_lossy()
    })
}

#[cfg(test)]
mod tests {
    use super::super::ends::check_ends_with_its_process;
    use super::super::supervised::is_listening;
    use super::*;

    #[test]
    fn databases_are_empty_and_apart() {
        let Some(postgres) = Postgres::shared() else { return };
        let url = postgres.database("apart one");
        assert_eq!(url, format!("postgres://salus@127.0.0.1:{}/apart one", postgres.port()));
        postgres.database("two");
        postgres.sql("two", "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'å'), (2, NULL)");
        assert_eq!(postgres.sql("two", "SELECT * FROM t ORDER BY a"), "1|å\n2|");
        assert_eq!(
            postgres.sql("apart one", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
            "0"
        );
    }

    #[test]
    fn a_failed_statement_says_why() {
        let Some(postgres) = Postgres::shared() else { return };
        let failure = std::panic::catch_unwind(|| postgres.sql("postgres", "SELECT nothing")).unwrap_err();
        let said = failure.downcast_ref::<String>().unwrap();
        assert!(said.contains("column \"nothing\" does not exist"), "{said}");
    }

    #[test]
    fn what_was_committed_is_there_after_a_failure() {
        let Some(postgres) = Postgres::own() else { return };
        postgres.database("kept");
        postgres.sql("kept", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
        for _ in 0..2 {
            postgres.stop();
            assert!(!is_listening(postgres.port()));
            postgres.start_again();
        }
        assert_eq!(postgres.sql("kept", "SELECT sum(n) FROM t"), "500500");
    }

    #[test]
    fn it_ends_with_its_process() {
        check_ends_with_its_process(concat!(module_path!(), "::it_ends_with_its_process"), || {
            let postgres = Postgres::shared()?;
            Some((postgres.port(), postgres.server.folder.clone()))
        });
    }
}
