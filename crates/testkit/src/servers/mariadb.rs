//! MariaDB as Debian packages it, for the MySQL protocol. Knows nothing of what is stored in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::installed::{copy, not_installed, program, template};
use super::run::run;
use super::supervised::{Plan, Supervised};

/// Small files, so that copying the template is quick.
const LOG_FILE: &str = "--innodb-log-file-size=32M";

/// MariaDB, one per test process, started on first use: `root` without a password on the loopback address, writing durably.
#[derive(Debug)]
pub struct MariaDb {
    client: PathBuf,
    server: Supervised,
}

impl MariaDb {
    /// The one of this test process. Prints `not checked: …` and returns `None` when MariaDB is not installed.
    pub fn shared() -> Option<&'static MariaDb> {
        static SHARED: OnceLock<Option<MariaDb>> = OnceLock::new();
        SHARED.get_or_init(MariaDb::find_and_start).as_ref().or_else(|| not_installed("MariaDB"))
    }

    /// Another one, for a test that stops it while others run. It ends when it is dropped.
    pub fn own() -> Option<MariaDb> {
        MariaDb::find_and_start().or_else(|| not_installed("MariaDB"))
    }

    fn find_and_start() -> Option<MariaDb> {
        let (server, install) = (program("mariadbd")?, program("mariadb-install-db")?);
        let client = program("mariadb")?;
        let version = run(&server, &["--version"], "");
        let version = version.split_whitespace().nth(2).unwrap_or_default().to_owned();
        let plan = Plan {
            name: "mariadb",
            signal: "KILL",
            prepare: Box::new(move |folder| prepare(&install, &version, folder)),
            command: Box::new(move |folder, port| server_command(&server, folder, port)),
        };
        let server = Supervised::start(&plan, |folder, _| is_ready(&client, folder));
        Some(MariaDb { client, server })
    }

    /// Creates an empty database and gives `mysql://root@127.0.0.1:PORT/NAME`. Panics when there is one of that name: take a name per test.
    pub fn database(&self, name: &str) -> String {
        self.sql("mysql", &format!("CREATE DATABASE `{}` CHARACTER SET utf8mb4", name.replace('`', "``")));
        format!("mysql://root@127.0.0.1:{}/{name}", self.server.port)
    }

    /// Runs statements in a database and gives their rows, columns parted by tabs. Panics with the server's message when one fails.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut arguments = client_arguments(&self.server.folder);
        arguments.extend(["-N", "-B", "--default-character-set=utf8mb4", "-D", database].map(OsString::from));
        run(&self.client, &arguments, sql).trim_end_matches('\n').to_owned()
    }

    /// The loopback port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Stops it as if the machine failed: connections break, nothing is flushed that was not yet durable.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Starts it again after [`MariaDb::stop`], on the same port with the same data.
    pub fn start_again(&self) {
        self.server.start_again(|folder, _| is_ready(&self.client, folder));
    }
}

/// Copies new system tables into the folder. They are made once per version: that takes seconds.
fn prepare(install: &Path, version: &str, folder: &Path) {
    let tables = template(&format!("mariadb-{version}-1"), |target| {
        let data_folder = format!("--datadir={}", target.display());
        let accounts = "--auth-root-authentication-method=normal";
        run(install, &["--no-defaults", &data_folder, accounts, "--skip-test-db", LOG_FILE], "");
    });
    copy(&tables, &folder.join("data"));
}

fn server_command(server: &Path, folder: &Path, port: u16) -> Vec<OsString> {
    let mut command = vec![OsString::from(server)];
    // `--user` only matters to root: MariaDB wants to be told that it is meant.
    command.extend(
        ["--no-defaults", "--user=root", "--bind-address=127.0.0.1", "--skip-name-resolve", LOG_FILE]
            .map(OsString::from),
    );
    command.extend(
        ["--skip-log-bin", "--default-time-zone=+00:00", "--max-connections=200"].map(OsString::from),
    );
    command.push(format!("--port={port}").into());
    for (option, path) in [("datadir", "data"), ("socket", "socket"), ("pid-file", "pid")] {
        command.push(format!("--{option}={}", folder.join(path).display()).into());
    }
    command
}

/// The client goes through the socket: over TCP, newer versions want TLS from a server without passwords.
fn client_arguments(folder: &Path) -> Vec<OsString> {
    let socket = format!("--socket={}", folder.join("socket").display());
    ["--no-defaults".into(), socket.into(), "--user=root".into()].to_vec()
}

fn is_ready(client: &Path, folder: &Path) -> bool {
    let mut command = Command::new(client);
    command
        .args(client_arguments(folder))
        .args(["-e", "SELECT 1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::super::ends::check_ends_with_its_process;
    use super::super::supervised::is_listening;
    use super::*;

    #[test]
    fn databases_are_empty_and_apart() {
        let Some(mariadb) = MariaDb::shared() else { return };
        let url = mariadb.database("apart one");
        assert_eq!(url, format!("mysql://root@127.0.0.1:{}/apart one", mariadb.port()));
        mariadb.database("two");
        mariadb.sql("two", "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'å'), (2, NULL)");
        assert_eq!(mariadb.sql("two", "SELECT * FROM t ORDER BY a"), "1\tå\n2\tNULL");
        assert_eq!(mariadb.sql("apart one", "SHOW TABLES"), "");
    }

    #[test]
    fn root_may_come_over_tcp() {
        let Some(mariadb) = MariaDb::shared() else { return };
        let port = format!("--port={}", mariadb.port());
        let arguments =
            ["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=root", "--skip-ssl", "-N", &port];
        assert_eq!(run(&mariadb.client, &arguments, "SELECT CURRENT_USER()"), "root@127.0.0.1\n");
    }

    #[test]
    fn a_failed_statement_says_why() {
        let Some(mariadb) = MariaDb::shared() else { return };
        let failure = std::panic::catch_unwind(|| mariadb.sql("mysql", "SELECT nothing")).unwrap_err();
        let said = failure.downcast_ref::<String>().unwrap();
        assert!(said.contains("Unknown column 'nothing'"), "{said}");
    }

    #[test]
    fn what_was_committed_is_there_after_a_failure() {
        let Some(mariadb) = MariaDb::own() else { return };
        mariadb.database("kept");
        mariadb.sql("kept", "CREATE TABLE t AS SELECT seq AS n FROM seq_1_to_1000");
        for _ in 0..2 {
            mariadb.stop();
            assert!(!is_listening(mariadb.port()));
            mariadb.start_again();
        }
        assert_eq!(mariadb.sql("kept", "SELECT sum(n) FROM t"), "500500");
    }

    #[test]
    fn it_ends_with_its_process() {
        check_ends_with_its_process(concat!(module_path!(), "::it_ends_with_its_process"), || {
            let mariadb = MariaDb::shared()?;
            Some((mariadb.port(), mariadb.server.folder.clone()))
        });
    }
}
