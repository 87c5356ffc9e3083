//! Opens connections: creates the file, checks whose it is and how new, applies migrations, sets pragmas.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{DbError, Options};

/// How long a statement waits for another connection's lock.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const STATEMENTS_CACHED_MAX: usize = 512;

/// The connection that writes; creates and migrates the file.
pub(crate) fn open_writer(options: &Options) -> Result<Connection, DbError> {
    if options.vfs.is_none() {
        create_file(&options.path)?;
    }
    let conn = connect(options)?;
    check_application(&conn, options)?;
    conn.pragma_update(None, "page_size", options.page_size)?;
    let mode: String =
        conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).map_err(log_not_created)?;
    if mode != "wal" {
        return Err(DbError::Corrupt(format!(
            "the file's journal mode is `{mode}` and cannot be changed to `wal`"
        )));
    }
    migrate(&conn, options)?;
    Ok(conn)
}

/// A connection that reads a file which a writer has opened.
pub(crate) fn open_reader(options: &Options) -> Result<Connection, DbError> {
    let conn = connect(options)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// A connection that copies the write-ahead log into the file.
pub(crate) fn connect(options: &Options) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match &options.vfs {
        None => Connection::open_with_flags(&options.path, flags),
        Some(vfs) => {
            let flags = flags | OpenFlags::SQLITE_OPEN_CREATE;
            Connection::open_with_flags_and_vfs(&options.path, flags, vfs.as_str())
        }
    }?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    // A plan does not depend on bound values, or every new value would have its statement prepared anew.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "synchronous", options.synchronous.pragma())?;
    conn.pragma_update(None, "cache_size", -i64::from(options.page_cache_kib))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // No memory-mapped reads: a failing disk must be an error of one read, not a signal that ends the process.
    conn.pragma_update(None, "mmap_size", 0)?;
    Ok(conn)
}

/// SQLite would create the file readable for everybody, and would not sync the folder that names it.
fn create_file(path: &Path) -> Result<(), DbError> {
    let mut how = OpenOptions::new();
    how.read(true).write(true).mode(0o600);
    if path.exists() {
        return how.open(path).map(drop).map_err(|error| DbError::at(error, path));
    }
    how.create(true).open(path).map_err(|error| DbError::at(error, path))?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(|error| DbError::at(error, folder))
}

/// The file can be written, so when SQLite cannot open the log beside it, it is the folder that cannot.
fn log_not_created(error: rusqlite::Error) -> DbError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => DbError::ReadOnly,
        _ => error.into(),
    }
}

/// Refuses another application's file and one that a newer program wrote, before anything is changed.
fn check_application(conn: &Connection, options: &Options) -> Result<(), DbError> {
    let read = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(log_not_created);
    let found = i32::try_from(read("PRAGMA application_id")?).unwrap_or(0);
    let is_new = found == 0 && read("SELECT count(*) FROM sqlite_schema")? == 0;
    if !is_new && found != options.application_id {
        return Err(DbError::Foreign { found, expected: options.application_id });
    }
    let (found, known) = (read("PRAGMA user_version")?, n_migrations(options));
    if found > known {
        return Err(DbError::NewerVersion { found, known });
    }
    Ok(())
}

fn n_migrations(options: &Options) -> i64 {
    i64::try_from(options.migrations.len()).expect("migrations are a short list in the program")
}

fn migrate(conn: &Connection, options: &Options) -> Result<(), DbError> {
    let done: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (version, sql) in (1_i64..).zip(options.migrations).skip_while(|(version, _)| *version <= done) {
        let transaction = conn.unchecked_transaction()?;
        transaction.pragma_update(None, "application_id", options.application_id)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    const OURS: i32 = 0x5a17;

    fn options(folder: &tempfile::TempDir, migrations: &'static [&'static str]) -> Options {
        Options::new(folder.path().join("t.db"), OURS, migrations)
    }

    #[test]
    fn a_new_file_is_private_and_so_is_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let conn = open_writer(&options(&folder, &["CREATE TABLE t (x)"])).unwrap();
        conn.execute("INSERT INTO t VALUES (1)", []).unwrap();
        for name in ["t.db", "t.db-wal", "t.db-shm"] {
            assert_eq!(folder.path().join(name).metadata().unwrap().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn migrations_run_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        drop(open_writer(&options(&folder, &["CREATE TABLE t (x)"])).unwrap());
        let two = options(
            &folder,
            &["CREATE TABLE t (x)", "ALTER TABLE t ADD COLUMN y; INSERT INTO t VALUES (1, 2)"],
        );
        for _ in 0..2 {
            let conn = open_writer(&two).unwrap();
            let rows: i64 = conn.query_row("SELECT count(y) FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 1);
        }
    }

    #[test]
    fn a_failing_migration_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let broken =
            options(&folder, &["CREATE TABLE t (x)", "CREATE TABLE u (x); INSERT INTO nowhere VALUES (1)"]);
        assert!(matches!(open_writer(&broken), Err(DbError::Sqlite(_))));
        let conn = open_writer(&options(&folder, &["CREATE TABLE t (x)"])).unwrap();
        let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    #[test]
    fn a_newer_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(open_writer(&options(&folder, &["CREATE TABLE t (x)", "CREATE TABLE u (x)"])).unwrap());
        let error = open_writer(&options(&folder, &["CREATE TABLE t (x)"])).unwrap_err();
        assert!(matches!(error, DbError::NewerVersion { found: 2, known: 1 }), "{error:?}");
    }

    #[test]
    fn the_file_of_another_application_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(open_writer(&options(&folder, &["CREATE TABLE t (x)"])).unwrap());
        let theirs = Options { application_id: 7, ..options(&folder, &["CREATE TABLE t (x)"]) };
        let error = open_writer(&theirs).unwrap_err();
        assert!(matches!(error, DbError::Foreign { found: OURS, expected: 7 }), "{error:?}");

        let path: PathBuf = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let error = open_writer(&Options { path, ..theirs }).unwrap_err();
        assert!(matches!(error, DbError::Foreign { found: 0, expected: 7 }), "{error:?}");
    }

    #[test]
    fn what_is_not_a_database_is_corrupt() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.db"), "a text file, long enough to be looked at ".repeat(200))
            .unwrap();
        let error = open_writer(&options(&folder, &["CREATE TABLE t (x)"])).unwrap_err();
        assert!(matches!(error, DbError::Corrupt(_)), "{error:?}");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = open_writer(&Options::new("/nowhere/at/all/t.db", OURS, &[])).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all/t.db"), "{error}");
    }
}
