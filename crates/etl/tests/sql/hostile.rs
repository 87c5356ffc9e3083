//! Names and values that try to be SQL, a run that is cancelled, and TLS that verifies.

use std::process::Command;
use std::sync::atomic::Ordering;

use testkit::{MariaDb, Postgres};

use crate::bench::{Bench, columns, loaded, rows_of, unit_of};
use etl::EtlError;
use table::{Batch, Value};

const ATTACKS: [&str; 7] = [
    "x'; DROP TABLE victim; --",
    "x\"; DROP TABLE victim; --",
    "x`; DROP TABLE victim; --",
    "\\'; DROP TABLE victim; #",
    "') , ('a",
    "${watermark} $1 ? :from @x",
    "%s %d {0} \\n \\0",
];

/// Each attack is a column's name and a value.
fn hostile() -> Batch {
    let mut names = vec!["id integer".to_owned()];
    names.extend(ATTACKS.iter().map(|attack| format!("{attack} text")));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let row = |id: i64| {
        let mut row = vec![Value::Integer(id)];
        row.extend(
            ATTACKS.iter().cycle().skip(id as usize).take(ATTACKS.len()).map(|attack| Value::from(*attack)),
        );
        row
    };
    let rows: Vec<Vec<Value>> = (0..7).map(row).collect();
    Batch::from_rows(&columns(&names), &rows).unwrap()
}

/// Loads and reads under hostile names, twice.
async fn check(kind: &str, place: &str) {
    let bench = Bench::new();
    for attack in &ATTACKS[..5] {
        let table = format!("\"{}\"", attack.replace('"', "\"\""));
        let quoted = serde_json::to_string(&table).unwrap();
        let key = serde_json::to_string(attack).unwrap();
        let options = format!("{place}\ntable: {quoted}\nmode: merge\nkey: [id, {key}]\n");
        let batch = hostile();
        let mut expected = rows_of(std::slice::from_ref(&batch));
        assert_eq!(
            bench.load(kind, &options, attack, vec![batch]).await.unwrap(),
            loaded(7, 0, 0, 0),
            "{kind} {attack}"
        );
        assert_eq!(bench.load(kind, &options, attack, vec![hostile()]).await.unwrap(), loaded(0, 0, 7, 0));
        let source = format!("{place}\ntable: {quoted}\nkey: [id]\ncursor: {{column: id}}\n");
        let read = bench.read(kind, &source, None).await.unwrap();
        expected.sort();
        let mut rows = read.rows();
        rows.sort();
        assert_eq!(rows, expected, "{kind} {attack}");
        assert_eq!(read.columns.names(), hostile().columns().unwrap().names());
        let mut target = bench.open_target(kind, &options).await.unwrap();
        assert_eq!(target.committed().await.unwrap().units, [attack.to_owned()]);
    }
}

#[tokio::test]
async fn names_and_values_are_never_sql() {
    let bench = Bench::new();
    let file = bench.path("h.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("CREATE TABLE victim (id INTEGER)").unwrap();
    check("sqlite", "path: h.db").await;
    let n: i64 = connection.query_row("SELECT count(*) FROM victim", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 0);
    if let Some(server) = Postgres::shared() {
        let url = server.database("pg_hostile");
        server.sql("pg_hostile", "CREATE TABLE victim (id int)");
        check("postgres", &format!("url: {url}")).await;
        assert_eq!(server.sql("pg_hostile", "SELECT count(*) FROM victim"), "0");
    }
    if let Some(server) = MariaDb::shared() {
        let url = server.database("my_hostile");
        server.sql("my_hostile", "CREATE TABLE victim (id int)");
        check("mysql", &format!("url: {url}")).await;
        assert_eq!(server.sql("my_hostile", "SELECT count(*) FROM victim"), "0");
    }
}

#[tokio::test]
async fn a_run_that_is_cancelled_stops_reading() {
    let bench = Bench::new();
    rusqlite::Connection::open(bench.path("c.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t AS SELECT 1 AS id")
        .unwrap();
    let mut sources = vec![("sqlite", "path: c.db\ntable: t\n".to_owned())];
    if let Some(server) = Postgres::shared() {
        let url = server.database("pg_cancel");
        server.sql("pg_cancel", "CREATE TABLE t AS SELECT 1 AS id");
        sources.push(("postgres", format!("url: {url}\ntable: t\n")));
    }
    if let Some(server) = MariaDb::shared() {
        let url = server.database("my_cancel");
        server.sql("my_cancel", "CREATE TABLE t AS SELECT 1 AS id");
        sources.push(("mysql", format!("url: {url}\ntable: t\n")));
    }
    bench.world.cancelled.store(true, Ordering::Relaxed);
    for (kind, options) in sources {
        let error = bench.read(kind, &options, None).await.unwrap_err();
        assert!(matches!(error, EtlError::Cancelled), "{kind}: {error}");
    }
}

fn openssl(folder: &std::path::Path, arguments: &str) -> bool {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    output.is_ok_and(|output| output.status.success())
}

/// A certificate authority, and a certificate of it for `localhost`, in a folder.
fn certificates(folder: &std::path::Path) -> bool {
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"))
        && openssl(folder, &format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"))
        && openssl(
            folder,
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
        )
}

#[tokio::test]
async fn a_server_with_another_name_or_authority_is_not_trusted() {
    let Some(server) = Postgres::own() else { return };
    let bench = Bench::new();
    if !certificates(bench.path("").as_path()) {
        println!("not checked: openssl is not installed");
        return;
    }
    let url = server.database("pg_tls");
    server.sql("pg_tls", "CREATE TABLE t AS SELECT 1 AS id");
    for (name, setting) in [("server.crt", "ssl_cert_file"), ("server.key", "ssl_key_file")] {
        // The server writes its own file, so that it owns it.
        let text = std::fs::read_to_string(bench.path(name)).unwrap();
        let lines: Vec<String> = text.lines().map(|line| format!("('{line}')")).collect();
        let file = format!("{}/{name}", server.sql("pg_tls", "SHOW data_directory"));
        server.sql(
            "pg_tls",
            &format!(
                "COPY (SELECT * FROM (VALUES {}) AS lines) TO PROGRAM 'umask 077; cat > {file}'",
                lines.join(", ")
            ),
        );
        server.sql("pg_tls", &format!("ALTER SYSTEM SET {setting} = '{name}'"));
    }
    server.sql("pg_tls", "ALTER SYSTEM SET ssl = on");
    server.sql("pg_tls", "SELECT pg_reload_conf()");
    let by_name = url.replace("127.0.0.1", "localhost");
    let read = async |url: &str, more: &str| {
        let options = format!("url: {url}\ntable: t\nretries: 0\n{more}");
        bench
            .read("postgres", &options, None)
            .await
            .map(|read| read.rows())
            .map_err(|error| error.to_string())
    };
    let trusted = "tls: require\ntls_ca: ca.pem\n";
    assert_eq!(read(&by_name, trusted).await.unwrap(), [["1"]]);
    assert_eq!(read(&format!("{by_name}?sslmode=verify-full"), "tls_ca: ca.pem\n").await.unwrap(), [["1"]]);
    let other_name = read(&url, trusted).await.unwrap_err();
    assert!(other_name.contains("certificate"), "{other_name}");
    let other_authority = read(&by_name, "tls: require\n").await.unwrap_err();
    assert!(other_authority.contains("certificate"), "{other_authority}");
    let no_file = read(&by_name, "tls: require\ntls_ca: none.pem\n").await.unwrap_err();
    assert!(no_file.contains("cannot read the certificates"), "{no_file}");
    // Encrypted loading works as well.
    let options = format!("url: {by_name}\ntable: out\nmode: append\n{trusted}");
    let mut target = bench.open_target("postgres", &options).await.unwrap();
    let batch = hostile();
    target.begin(&batch.columns().unwrap()).await.unwrap();
    target.write(batch).await.unwrap();
    assert_eq!(target.commit(&[unit_of("u")], None).await.unwrap().inserted, 7);
}

#[test]
fn the_data_set_of_lineage_holds_no_secret() {
    let bench = Bench::new();
    let of = |kind: &str, options: &str| {
        let (source, target) = (bench.source(kind, options).unwrap(), bench.target(kind, options).unwrap());
        assert_eq!(source.dataset().name, target.dataset().name);
        assert_eq!(source.dataset().namespace, target.dataset().namespace);
        format!("{} {}", source.dataset().namespace, source.dataset().name)
    };
    let url = "url: postgres://etl:s3cret@db.example.org/ehr?sslmode=require\ntable: public.patients\n";
    assert_eq!(of("postgres", url), "postgres://db.example.org:5432 ehr.public.patients");
    assert_eq!(of("postgres", "url: ${env:URL}\ntable: patients\n"), "postgres patients");
    assert_eq!(
        of("mysql", "url: mysql://etl:s3cret@db:3307/ehr\ntable: patients\n"),
        "mysql://db:3307 ehr.patients"
    );
}
