//! MariaDB, through the MySQL protocol, as source and target.

use testkit::MariaDb;

use crate::bench::{Bench, Read, all_types, columns, load_of, loaded, pairs, read_all, rows_of, unit_of};
use etl::EtlError;
use etl::source::Out;
use etl::target::Committed;
use table::{Batch, Value};

fn ids(read: &Read) -> String {
    read.rows().iter().map(|row| row[0].clone()).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn every_type_is_read_as_it_is() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_types");
    server.sql(
        "my_types",
        "CREATE TABLE `odd ``t``; DROP` (a TEXT, b VARCHAR(5), c CHAR(4), d TINYINT, e SMALLINT UNSIGNED, f BIGINT, g BIGINT UNSIGNED,
           h DECIMAL(10,2), i FLOAT, j DOUBLE, k BOOLEAN, l DATE, m DATETIME(6), n TIMESTAMP(6) NULL, o TIME, p YEAR, q ENUM('well','ill'),
           r JSON, s DECIMAL(60,5), `T ``x``\"` TEXT) CHARACTER SET utf8mb4;
         INSERT INTO `odd ``t``; DROP` VALUES ('Zoë 漢字 🩺', 'a''b\"c', 'ab', -128, 65535, -9223372036854775808, 18446744073709551615,
           -12345678.90, 0.1, 1e300, TRUE, '1000-01-01', '2026-01-31 10:00:00.123456', '2026-01-31 10:00:00.5', '-10:00:01', 2026, 'ill',
           '{\"a\": 1}', 1.50000, ''),
           (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    let bench = Bench::new();
    let read = bench.read("mysql", &format!("url: {url}\ntable: 'odd `t`; DROP'\n"), None).await.unwrap();
    let kinds = "a text,b text,c text,d integer,e integer,f integer,g decimal(20,0),h decimal(10,2),i number,j number,k integer,l date,\
                 m instant,n instant,o text,p integer,q text,r text,s text,T `x`\" text";
    assert_eq!(read.kinds().join(","), kinds);
    let first = [
        "Zoë 漢字 🩺",
        "a'b\"c",
        "ab",
        "-128",
        "65535",
        "-9223372036854775808",
        "18446744073709551615",
        "-12345678.90",
        "0.1",
        &1e300.to_string(),
        "1",
        "1000-01-01",
        "2026-01-31T10:00:00.123456Z",
        "2026-01-31T10:00:00.500000Z",
        "-10:00:01",
        "2026",
        "ill",
        "{\"a\": 1}",
        "1.50000",
        "",
    ];
    assert_eq!(read.rows(), [first.map(str::to_owned).to_vec(), vec!["-".to_owned(); 20]]);
    let read = bench.read("mysql", &format!("url: {url}\nquery: 'SELECT a, m FROM `odd ``t``; DROP` WHERE a IS NOT NULL'\ntime_zone: '-06:00'\n"), None).await.unwrap();
    assert_eq!(read.rows()[0][1], "2026-01-31T16:00:00.123456Z");
}

#[tokio::test]
async fn a_date_of_zeros_refuses_its_row() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_zero");
    server.sql(
        "my_zero",
        "SET sql_mode = ''; CREATE TABLE t (id INT, d DATE, m DATETIME, born VARCHAR(20));
         INSERT INTO t VALUES (1, '2026-01-31', '2026-01-31 10:00:00', '07/04/1976'), (2, '0000-00-00', NULL, NULL),
           (3, NULL, '0000-00-00 00:00:00', NULL), (4, '2026-00-10', NULL, NULL), (5, NULL, NULL, 'July')",
    );
    let options = format!(
        "url: {url}\ntable: t\nkey: [id]\nfetch_rows: 2\ndrift: {{columns: add}}\ncolumns:\n  id: text\n  born: {{type: date, formats: ['%m/%d/%Y']}}\n"
    );
    let read = Bench::new().read("mysql", &options, None).await.unwrap();
    let found: Vec<_> = read
        .rejects
        .iter()
        .map(|r| format!("{} {} {}", r.place.line, r.column.as_deref().unwrap(), r.reason))
        .collect();
    assert_eq!(found, ["2 d zero_date", "3 m zero_date", "4 d zero_date", "5 born bad_date"]);
    assert_eq!(ids(&read), "1");
}

#[tokio::test]
async fn a_query_has_parameters_and_the_database_is_only_read() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_query");
    server.sql("my_query", "CREATE TABLE p (id INT, state TEXT); INSERT INTO p VALUES (1, 'AL'), (2, 'AL'' OR ''x'' = ''x'), (3, 'GA')");
    let bench = Bench::new();
    let options = |query: &str| {
        format!("url: {url}\nretries: 0\nparameters: {{state: '${{env:STATE}}'}}\nquery: |\n  {query}\n")
    };
    let read = bench
        .read("mysql", &options("SELECT id FROM p WHERE state = ${state} -- the end"), None)
        .await
        .unwrap();
    assert_eq!(ids(&read), "2");
    for attack in ["SELECT 1 AS a) x; DROP TABLE p; -- ", "DELETE FROM p RETURNING id"] {
        assert!(bench.read("mysql", &options(attack), None).await.is_err(), "{attack}");
    }
    assert_eq!(server.sql("my_query", "SELECT count(*) FROM p"), "3");
    let error = async |options: String| {
        bench.read("mysql", &format!("retries: 0\n{options}"), None).await.unwrap_err().to_string()
    };
    server.sql("my_query", "CREATE TABLE b (data BLOB)");
    assert!(error(format!("url: {url}\ntable: b\n")).await.contains("the column `data` holds bytes"));
    assert!(error(format!("url: {url}\ntable: nowhere\n")).await.contains("nowhere"));
    assert!(error(format!("url: {url}\ntable: p\ntime_zone: Nowhere/Land\n")).await.contains("not a zone"));
    let port = testkit::free_port();
    let down = error(format!("url: mysql://etl:s3cret@127.0.0.1:{port}/x\ntable: b\n")).await;
    assert!(
        down.contains(&format!("cannot connect to MySQL at `127.0.0.1:{port}`")) && !down.contains("s3cret"),
        "{down}"
    );
}

#[tokio::test]
async fn a_window_catches_ties_and_late_rows_and_rows_without_a_time() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_window");
    server.sql("my_window", "CREATE TABLE v (id INT, at DATETIME(6)); INSERT INTO v VALUES (1, '2026-01-01'), (2, '2026-01-10'), (3, '2026-01-05')");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: v\ncursor: {{column: at, lookback: 3d}}\nkey: [id]\n");
    let first = bench.read("mysql", &options, None).await.unwrap();
    assert_eq!(ids(&first), "1,3,2");
    let watermark = first.units[0].watermark.clone().unwrap();
    assert_eq!(watermark, "2026-01-10 00:00:00.000000");
    let again = bench.read("mysql", &options, Some(&watermark)).await.unwrap();
    assert_eq!(ids(&again), "2");
    assert_eq!(bench.read("mysql", &options, Some(&watermark)).await.unwrap().units, again.units);
    server.sql(
        "my_window",
        "INSERT INTO v VALUES (4, '2026-01-10'), (5, '2026-01-07'), (6, '2026-01-06 23:59:59'), (7, NULL)",
    );
    let late = bench.read("mysql", &options, Some(&watermark)).await.unwrap();
    assert_eq!(ids(&late), "7,5,2,4");
    assert_ne!(late.units[0].id, again.units[0].id);
    let query = format!(
        "url: {url}\nquery: SELECT * FROM v WHERE id > 1 AND (${{watermark}} IS NULL OR at >= ${{watermark}})\ncursor: {{column: at, lookback: 3d}}\nkey: [id]\n"
    );
    assert_eq!(ids(&bench.read("mysql", &query, Some(&watermark)).await.unwrap()), "5,2,4");

    // What was committed after the bounds were taken is not in the window: one snapshot.
    let mut source = bench.open("mysql", &options).await.unwrap();
    let units = source.units(None).await.unwrap();
    server.sql("my_window", "INSERT INTO v VALUES (8, '2026-01-02')");
    let (out, mut pieces) = Out::channel(100);
    source.read(&units[0], 0, out).await.unwrap();
    let mut n_rows = 0;
    while let Some(piece) = pieces.recv().await {
        if let etl::source::Piece::Rows(batch) = piece {
            n_rows += batch.n_rows();
        }
    }
    assert_eq!(n_rows, 7);
}

#[tokio::test]
async fn a_connection_that_breaks_before_a_row_is_made_anew_and_later_is_an_error() {
    let Some(server) = MariaDb::own() else { return };
    let url = server.database("my_breaks");
    server
        .sql("my_breaks", "CREATE TABLE big AS SELECT seq AS id, REPEAT('x', 200) AS t FROM seq_1_to_200000");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: big\nkey: [id]\nfetch_rows: 1000\n");
    let mut source = bench.open("mysql", &options).await.unwrap();
    source.units(None).await.unwrap();
    server.stop();
    server.start_again();
    assert_eq!(read_all(&mut *source, None).await.unwrap().rows().len(), 200_000);

    let mut source = bench.open("mysql", &options).await.unwrap();
    let units = source.units(None).await.unwrap();
    let (out, mut pieces) = Out::channel(1);
    let reading = tokio::spawn(async move { source.read(&units[0], 0, out).await });
    pieces.recv().await.unwrap();
    server.stop();
    while pieces.recv().await.is_some() {}
    let error = reading.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("broke off while rows were read"), "{error}");
    assert!(matches!(error, EtlError::Source { is_transient: true, .. }));
}

#[tokio::test]
async fn every_type_goes_in_and_comes_back() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_round");
    let bench = Bench::new();
    for (mode, key) in [("append", ""), ("merge", "key: [id]\n"), ("replace", "")] {
        let options = format!("url: {url}\ntable: \"{mode} `t`\"\nmode: {mode}\n{key}");
        let batch = all_types();
        let mut expected = rows_of(std::slice::from_ref(&batch));
        assert_eq!(bench.load("mysql", &options, "u1", vec![batch]).await.unwrap(), loaded(5, 0, 0, 0));
        let read = bench.read("mysql", &format!("url: {url}\ntable: \"{mode} `t`\"\n"), None).await.unwrap();
        // MySQL has no truth values: they are small integers, until they are declared.
        for row in &mut expected {
            row[6] = row[6].replace("true", "1").replace("false", "0");
        }
        let mut rows = read.rows();
        let id = |row: &Vec<String>| row[0].parse::<i64>().unwrap();
        rows.sort_by_key(id);
        expected.sort_by_key(id);
        assert_eq!(rows, expected, "{mode}");
        if mode == "merge" {
            let again = bench.load("mysql", &options, "u2", vec![all_types()]).await.unwrap();
            assert_eq!(again, loaded(0, 0, 5, 0));
        }
    }
    let ledger = "SELECT pipeline, source, target_table, unit, watermark, run, pipeline_hash, n_rows, at FROM salus_etl WHERE target_table LIKE 'replace%' AND unit <> ''";
    assert_eq!(
        server.sql("my_round", ledger),
        "test\tit\treplace `t`\tu1\tu1\trun-1\thash-1\t5\t2026-01-15 12:00:00.000000"
    );
}

#[tokio::test]
async fn a_merge_updates_what_differs_and_leaves_the_rest_alone() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_merge");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: m\nmode: merge\nkey: [id]\n");
    let first = vec![pairs(&[(1, "a"), (2, "b"), (1, "c")]), pairs(&[(3, "d"), (2, "e")])];
    assert_eq!(bench.load("mysql", &options, "u1", first).await.unwrap(), loaded(3, 0, 0, 2));
    server.sql("my_merge", "CREATE TABLE touched (id BIGINT); CREATE TRIGGER touch AFTER UPDATE ON m FOR EACH ROW INSERT INTO touched VALUES (NEW.id)");
    let second = || vec![pairs(&[(1, "c"), (4, "x"), (2, "E"), (4, "y"), (3, "d")])];
    assert_eq!(bench.load("mysql", &options, "u2", second()).await.unwrap(), loaded(1, 1, 2, 1));
    assert_eq!(bench.load("mysql", &options, "u2", second()).await.unwrap(), loaded(0, 0, 4, 1));
    assert_eq!(server.sql("my_merge", "SELECT * FROM m ORDER BY id"), "1\tc\n2\tE\n3\td\n4\ty");
    assert_eq!(server.sql("my_merge", "SELECT id FROM touched"), "2");
    let mut target = bench.open_target("mysql", &options).await.unwrap();
    let known = target.committed().await.unwrap();
    assert_eq!(known, Committed { units: vec!["u1".into(), "u2".into()], watermark: Some("u2".into()) });
    server.sql("my_merge", "DROP TABLE m");
    assert_eq!(target.committed().await.unwrap(), Committed::default());
    // Texts that differ in case, accents or blanks at the end are different keys.
    let options = format!("url: {url}\ntable: k\nmode: merge\nkey: [name]\n");
    let keys = || vec![pairs(&[(1, "a"), (2, "A"), (3, "á"), (4, "a "), (5, "a")])];
    assert_eq!(bench.load("mysql", &options, "u1", keys()).await.unwrap(), loaded(4, 0, 0, 1));
    assert_eq!(bench.load("mysql", &options, "u1", keys()).await.unwrap(), loaded(0, 0, 4, 1));
}

#[tokio::test]
async fn a_load_that_ends_before_its_commit_leaves_nothing() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_killed");
    let bench = Bench::new();
    let shape = columns(&["id integer", "name text"]);
    for (mode, key) in [("append", ""), ("merge", "key: [id]\n"), ("replace", "")] {
        let options = format!("url: {url}\ntable: t_{mode}\nmode: {mode}\n{key}");
        for kept in ["", "1\tkept"] {
            if !kept.is_empty() {
                bench.load("mysql", &options, "u0", vec![pairs(&[(1, "kept")])]).await.unwrap();
            }
            let mut target = bench.open_target("mysql", &options).await.unwrap();
            let known = target.committed().await.unwrap();
            target.begin(&shape).await.unwrap();
            let many: Vec<(i64, &str)> = (1..2_000).map(|id| (id, "lost")).collect();
            target.write(pairs(&many)).await.unwrap();
            assert_eq!(server.sql("my_killed", &format!("SELECT * FROM t_{mode}")), kept);
            drop(target);
            let mut next = bench.open_target("mysql", &options).await.unwrap();
            assert_eq!(next.committed().await.unwrap(), known);
            next.begin(&shape).await.unwrap();
            next.write(pairs(&[(3, "thrown away")])).await.unwrap();
            next.abort().await.unwrap();
            assert_eq!(server.sql("my_killed", &format!("SELECT * FROM t_{mode}")), kept);
        }
    }
}

#[tokio::test]
async fn two_runs_at_once_exclude_each_other() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_lock");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: l\nmode: append\n");
    let shape = columns(&["id integer", "name text"]);
    let mut one = bench.open_target("mysql", &options).await.unwrap();
    let mut two = bench.open_target("mysql", &options).await.unwrap();
    one.committed().await.unwrap();
    two.committed().await.unwrap();
    one.begin(&shape).await.unwrap();
    one.write(pairs(&[(1, "a")])).await.unwrap();
    let error = two.begin(&shape).await.unwrap_err();
    assert!(error.to_string().contains("another run of the pipeline `test` is loading"), "{error}");
    one.commit(&[unit_of("u1")], None).await.unwrap();
    let error = two.begin(&shape).await.unwrap_err();
    assert!(error.to_string().contains("since this one began"), "{error}");
    one.begin(&shape).await.unwrap();
    let spec = bench.target("mysql", &options).unwrap();
    let mut other = spec.open(load_of("other"), &bench.world).await.unwrap();
    other.committed().await.unwrap();
    other.begin(&shape).await.unwrap();
    other.write(pairs(&[(2, "b")])).await.unwrap();
    other.commit(&[unit_of("u1")], None).await.unwrap();
    assert_eq!(server.sql("my_lock", "SELECT * FROM l ORDER BY 1"), "1\ta\n2\tb");
}

#[tokio::test]
async fn a_table_that_does_not_fit_is_refused_or_made_to_fit() {
    let Some(server) = MariaDb::shared() else { return };
    let url = server.database("my_drift");
    let bench = Bench::new();
    server.sql(
        "my_drift",
        "CREATE TABLE d (id INT, name VARCHAR(3), size DECIMAL(5,1), must TEXT NOT NULL, more VARCHAR(5) DEFAULT 'x') CHARACTER SET utf8mb4;
         CREATE VIEW v AS SELECT 1 AS id",
    );
    let error = async |options: &str, shape: &table::Columns| {
        let mut target = bench.open_target("mysql", &format!("url: {url}\n{options}")).await.unwrap();
        target.begin(shape).await.unwrap_err().to_string()
    };
    let text =
        error("table: d\n", &columns(&["id date", "name text", "size decimal(9,2)", "new text"])).await;
    for part in [
        "the column `id` is `int(11)` there",
        "the column `size` is `decimal(5,1)` there",
        "it has no column `new`",
        "its column `must` must have a value",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error("table: v\n", &columns(&["id integer"])).await.contains("not a table"));
    assert!(error("table: absent\ncreate: false\n", &columns(&["id integer"])).await.contains("create it"));
    assert!(
        error("table: d\nmode: merge\nkey: [id]\ncreate: false\n", &columns(&["id integer", "must text"]))
            .await
            .contains("no unique index")
    );
    let fits = |id: i64, name: &str| {
        let rows = [vec![
            Value::Integer(id),
            Value::from(name),
            Value::Decimal(15, 1),
            Value::from("y"),
            Value::Boolean(true),
        ]];
        Batch::from_rows(
            &columns(&["id integer", "name text", "size decimal(5,1)", "must text", "added boolean"]),
            &rows,
        )
        .unwrap()
    };
    let options = format!("url: {url}\ntable: d\nmode: merge\nkey: [id]\ndrift: add\n");
    assert_eq!(bench.load("mysql", &options, "u1", vec![fits(1, "abc")]).await.unwrap(), loaded(1, 0, 0, 0));
    assert_eq!(server.sql("my_drift", "SELECT * FROM d"), "1\tabc\t1.5\ty\tx\t1");
    let mut target = bench.open_target("mysql", &options).await.unwrap();
    target.begin(&fits(1, "a").columns().unwrap()).await.unwrap();
    for batch in [fits(2, "äöü"), fits(3, "abcd"), fits(1 << 40, "a")] {
        target.write(batch).await.unwrap();
    }
    let done = target.commit(&[unit_of("u2")], None).await.unwrap();
    assert_eq!((done.inserted, done.refused), (1, 2));
    let refused: Vec<String> =
        target.refused().iter().map(|r| format!("{} {}", r.column.as_deref().unwrap(), r.reason)).collect();
    assert_eq!(refused, ["name too_long", "id out_of_range"]);
    // A row that breaks another rule of the table fails the load, without its values.
    server.sql("my_drift", "CREATE TABLE u (id BIGINT, name VARCHAR(20) UNIQUE) CHARACTER SET utf8mb4; INSERT INTO u VALUES (1, 'Ana Abel')");
    let options = format!("url: {url}\ntable: u\nmode: merge\nkey: [id]\n");
    let error =
        bench.load("mysql", &options, "u1", vec![pairs(&[(2, "Ana Abel")])]).await.unwrap_err().to_string();
    assert!(error.contains("breaks a unique index") && !error.contains("Ana"), "{error}");
    assert_eq!(server.sql("my_drift", "SELECT * FROM u"), "1\tAna Abel");
}

#[tokio::test]
async fn a_server_that_goes_away_fails_the_load_and_the_next_one_succeeds() {
    let Some(server) = MariaDb::own() else { return };
    let url = server.database("my_gone");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: g\nmode: append\nretries: 0\n");
    bench.load("mysql", &options, "u1", vec![pairs(&[(1, "a")])]).await.unwrap();
    let mut target = bench.open_target("mysql", &options).await.unwrap();
    target.begin(&columns(&["id integer", "name text"])).await.unwrap();
    target.write(pairs(&[(2, "b")])).await.unwrap();
    server.stop();
    let error = target.commit(&[unit_of("u2")], None).await.unwrap_err();
    assert!(matches!(error, EtlError::Target { is_transient: true, .. }), "{error}");
    server.start_again();
    assert_eq!(server.sql("my_gone", "SELECT * FROM g"), "1\ta");
    bench.load("mysql", &options, "u2", vec![pairs(&[(2, "b")])]).await.unwrap();
    assert_eq!(server.sql("my_gone", "SELECT * FROM g ORDER BY 1"), "1\ta\n2\tb");
}
