//! SQLite files as source and target.

use rusqlite::Connection;

use crate::bench::{Bench, Read, all_types, columns, loaded, pairs, rows_of, unit_of};
use etl::EtlError;
use etl::target::Committed;
use table::{Batch, Value};

fn file(bench: &Bench, name: &str, sql: &str) -> Connection {
    let connection = Connection::open(bench.path(name)).unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

/// Rows of a query, columns parted by `|`.
fn rows(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(sql).unwrap();
    let n = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..n).map(|index| match row.get_ref(index).unwrap() {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            rusqlite::types::ValueRef::Real(n) => n.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            rusqlite::types::ValueRef::Blob(_) => "blob".to_owned(),
        });
        Ok(cells.collect::<Vec<_>>().join("|"))
    });
    rows.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

fn ids(read: &Read) -> String {
    read.rows().iter().map(|row| row[0].clone()).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn every_type_is_read_as_it_is_declared() {
    let bench = Bench::new();
    file(
        &bench,
        "a.db",
        r#"CREATE TABLE "odd ""t""; DROP" (a TEXT, b VARCHAR(5), c INTEGER, d REAL, e DECIMAL(10,2), f NUMERIC, g DATE, h DATETIME,
             i BOOLEAN, j, "T ""x""" TEXT);
           INSERT INTO "odd ""t""; DROP" VALUES ('Zoë 漢字 🩺', 'a''b"c', 9223372036854775807, 0.1, '12.50', 1.5, '2026-01-31',
             '2026-01-31 10:00:00', 1, 7, ''), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"#,
    );
    let read = bench.read("sqlite", "path: a.db\ntable: '\"odd \"\"t\"\"; DROP\"'\n", None).await.unwrap();
    let kinds = "a text,b text,c integer,d number,e decimal(10,2),f text,g date,h instant,i boolean,j text,T \"x\" text";
    assert_eq!(read.kinds().join(","), kinds);
    let first = [
        "Zoë 漢字 🩺",
        "a'b\"c",
        "9223372036854775807",
        "0.1",
        "12.50",
        "1.5",
        "2026-01-31",
        "2026-01-31T10:00:00.000000Z",
        "true",
        "7",
        "",
    ];
    assert_eq!(read.rows(), [first.map(str::to_owned).to_vec(), vec!["-".to_owned(); 11]]);
}

#[tokio::test]
async fn a_value_of_another_type_refuses_its_row() {
    let bench = Bench::new();
    file(
        &bench,
        "b.db",
        "CREATE TABLE t (id INTEGER, d DATE, h TIMESTAMP, i BOOLEAN, e DECIMAL(5,1), x TEXT);
         INSERT INTO t VALUES (1, '2026-01-01', '2026-01-01T00:00:00Z', 0, 1.5, 'a'), ('two', NULL, NULL, NULL, NULL, NULL),
           (3, '31.01.2026', NULL, NULL, NULL, NULL), (4, NULL, 1700000000, NULL, NULL, NULL), (5, NULL, NULL, 7, NULL, NULL),
           (6, NULL, NULL, NULL, 1.55, NULL), (7, NULL, NULL, NULL, NULL, x'00ff')",
    );
    let read = bench.read("sqlite", "path: b.db\ntable: t\nfetch_rows: 3\n", None).await.unwrap();
    let found: Vec<_> = read
        .rejects
        .iter()
        .map(|r| format!("{} {} {}", r.place.line, r.column.as_deref().unwrap(), r.reason))
        .collect();
    let expected = [
        "2 id wrong_type",
        "3 d bad_date",
        "4 h wrong_type",
        "5 i wrong_type",
        "6 e wrong_type",
        "7 x wrong_type",
    ];
    assert_eq!(found, expected);
    assert_eq!(ids(&read), "1");
    assert!(String::from_utf8_lossy(&read.rejects[1].raw).contains("31.01.2026"));
    assert!(read.rejects.iter().all(|reject| !reject.message.contains("31.01")));
}

#[tokio::test]
async fn a_declared_column_is_read_as_it_is_declared_by_the_pipeline() {
    let bench = Bench::new();
    file(
        &bench,
        "declared.db",
        "CREATE TABLE t (id INTEGER, d DATE, flag INTEGER, n REAL); INSERT INTO t VALUES (1, '31.01.2026', 1, 1.5), (2, 'x', 0, 2)",
    );
    let options = "path: declared.db\ntable: t\ncolumns:\n  id: integer\n  d: {type: date, formats: ['%d.%m.%Y']}\n  flag: boolean\n  n: 'decimal(5,1)'\n";
    let read = bench.read("sqlite", options, None).await.unwrap();
    assert_eq!(read.rows(), [["1", "2026-01-31", "true", "1.5"]]);
    assert_eq!((read.rejects[0].place.line, &*read.rejects[0].reason), (2, "bad_date"));
}

#[tokio::test]
async fn a_query_has_parameters_and_the_file_is_only_read() {
    let bench = Bench::new();
    let connection = file(
        &bench,
        "c.db",
        "CREATE TABLE p (id INTEGER, state TEXT); INSERT INTO p VALUES (1, 'AL'), (2, 'AL'' OR ''x'' = ''x'), (3, 'GA')",
    );
    let options =
        |query: &str| format!("path: c.db\nparameters: {{state: '${{env:STATE}}'}}\nquery: |\n  {query}\n");
    let read = bench
        .read("sqlite", &options("SELECT id FROM p WHERE state = ${state} -- the end"), None)
        .await
        .unwrap();
    assert_eq!(ids(&read), "2");
    for attack in ["SELECT 1 AS a); DROP TABLE p; --", "DELETE FROM p RETURNING id", "SELECT ?1 AS a FROM p"]
    {
        let error = bench.read("sqlite", &options(attack), None).await;
        assert!(error.is_err() || attack.contains("?1"), "{attack}");
    }
    assert_eq!(rows(&connection, "SELECT count(*) FROM p"), "3");
    let error = async |options: &str| bench.read("sqlite", options, None).await.unwrap_err().to_string();
    assert!(error("path: none.db\ntable: p\n").await.contains("cannot open `none.db`"));
    assert!(error("path: /etc/passwd\ntable: p\n").await.contains("outside"));
    assert!(error("path: c.db\ntable: nowhere\n").await.contains("no such table"));
}

#[tokio::test]
async fn a_window_catches_ties_and_late_rows_and_rows_without_a_time() {
    let bench = Bench::new();
    for (name, day) in [
        ("dates.db", "2026-01-10"),
        ("texts.db", "2026-01-10T10:00:00Z"),
        ("moments.db", "2026-01-10 10:00:00.5"),
    ] {
        let at = |day: u32| day.to_string();
        let moment = |d: u32| day.replacen("01-10", &format!("01-{:0>2}", at(d)), 1);
        let kind = if name == "dates.db" { "DATE" } else { "DATETIME" };
        let connection = file(
            &bench,
            name,
            &format!(
                "CREATE TABLE v (id INTEGER, at {kind}); INSERT INTO v VALUES (1, '{}'), (2, '{}'), (3, '{}')",
                moment(1),
                moment(10),
                moment(5)
            ),
        );
        let options = format!("path: {name}\ntable: v\ncursor: {{column: at, lookback: 3d}}\nkey: [id]\n");
        let first = bench.read("sqlite", &options, None).await.unwrap();
        assert_eq!(ids(&first), "1,3,2", "{name}");
        let watermark = first.units[0].watermark.clone().unwrap();
        assert_eq!(watermark, day);
        let again = bench.read("sqlite", &options, Some(&watermark)).await.unwrap();
        assert_eq!(ids(&again), "2");
        assert_eq!(bench.read("sqlite", &options, Some(&watermark)).await.unwrap().units, again.units);
        let late = format!(
            "INSERT INTO v VALUES (4, '{}'), (5, '{}'), (6, '{}'), (7, NULL)",
            moment(10),
            moment(7),
            moment(6)
        );
        connection.execute_batch(&late).unwrap();
        let read = bench.read("sqlite", &options, Some(&watermark)).await.unwrap();
        assert_eq!(ids(&read), "7,5,2,4", "{name}");
        assert_ne!(read.units[0].id, again.units[0].id);
    }
    let options = "path: dates.db\nquery: SELECT * FROM v WHERE ${watermark} IS NULL OR id > 4\ncursor: {column: id, lookback: 1}\n";
    let read = bench.read("sqlite", options, Some("6")).await.unwrap();
    assert_eq!(ids(&read), "5,6,7");
}

#[tokio::test]
async fn every_type_goes_in_and_comes_back() {
    let bench = Bench::new();
    for (mode, key) in [("append", ""), ("merge", "key: [id]\n"), ("replace", "")] {
        let options = format!("path: round.db\ntable: \"{mode} \\\"t\\\"\"\nmode: {mode}\n{key}");
        let batch = all_types();
        let expected = rows_of(std::slice::from_ref(&batch));
        assert_eq!(bench.load("sqlite", &options, "u1", vec![batch]).await.unwrap(), loaded(5, 0, 0, 0));
        let read = bench
            .read("sqlite", &format!("path: round.db\ntable: \"{mode} \\\"t\\\"\"\n"), None)
            .await
            .unwrap();
        assert_eq!(read.rows(), expected, "{mode}");
        assert_eq!(read.columns, all_types().columns().unwrap());
        if mode == "merge" {
            let again = bench.load("sqlite", &options, "u2", vec![all_types()]).await.unwrap();
            assert_eq!(again, loaded(0, 0, 5, 0));
        }
    }
    let connection = file(&bench, "round.db", "");
    let ledger = "SELECT pipeline, source, target_table, unit, watermark, run, pipeline_hash, n_rows, at FROM salus_etl WHERE target_table LIKE 'replace%' AND unit <> ''";
    assert_eq!(
        rows(&connection, ledger),
        "test|it|replace \"t\"|u1|u1|run-1|hash-1|5|2026-01-15T12:00:00.000000Z"
    );
}

#[tokio::test]
async fn a_merge_updates_what_differs_and_leaves_the_rest_alone() {
    let bench = Bench::new();
    let options = "path: m.db\ntable: m\nmode: merge\nkey: [id]\n";
    let first = vec![pairs(&[(1, "a"), (2, "b"), (1, "c")]), pairs(&[(3, "d"), (2, "e")])];
    assert_eq!(bench.load("sqlite", options, "u1", first).await.unwrap(), loaded(3, 0, 0, 2));
    let connection = file(
        &bench,
        "m.db",
        "CREATE TABLE touched (id INTEGER); CREATE TRIGGER touch AFTER UPDATE ON m BEGIN INSERT INTO touched VALUES (new.id); END",
    );
    assert_eq!(rows(&connection, "SELECT * FROM m ORDER BY id"), "1|c\n2|e\n3|d");
    let second = || vec![pairs(&[(1, "c"), (4, "x"), (2, "E"), (4, "y"), (3, "d")])];
    assert_eq!(bench.load("sqlite", options, "u2", second()).await.unwrap(), loaded(1, 1, 2, 1));
    assert_eq!(bench.load("sqlite", options, "u2", second()).await.unwrap(), loaded(0, 0, 4, 1));
    assert_eq!(rows(&connection, "SELECT * FROM m ORDER BY id"), "1|c\n2|E\n3|d\n4|y");
    assert_eq!(rows(&connection, "SELECT id FROM touched"), "2");
    let mut target = bench.open_target("sqlite", options).await.unwrap();
    let known = target.committed().await.unwrap();
    assert_eq!(known, Committed { units: vec!["u1".into(), "u2".into()], watermark: Some("u2".into()) });
    connection.execute_batch("DROP TABLE m").unwrap();
    assert_eq!(target.committed().await.unwrap(), Committed::default());
}

#[tokio::test]
async fn a_load_that_ends_before_its_commit_leaves_nothing() {
    let bench = Bench::new();
    for (mode, key) in [("append", ""), ("merge", "key: [id]\n"), ("replace", "")] {
        let options = format!("path: k.db\ntable: {mode}\nmode: {mode}\n{key}");
        let shape = columns(&["id integer", "name text"]);
        let lose = async || {
            let mut target = bench.open_target("sqlite", &options).await.unwrap();
            let known = target.committed().await.unwrap();
            target.begin(&shape).await.unwrap();
            target.write(pairs(&[(1, "lost"), (2, "lost")])).await.unwrap();
            drop(target);
            let mut next = bench.open_target("sqlite", &options).await.unwrap();
            assert_eq!(next.committed().await.unwrap(), known);
            next.begin(&shape).await.unwrap();
            next.write(pairs(&[(3, "thrown away")])).await.unwrap();
            next.abort().await.unwrap();
        };
        lose().await;
        let connection = file(&bench, "k.db", "");
        assert_eq!(
            rows(&connection, &format!("SELECT count(*) FROM sqlite_schema WHERE name = '{mode}'")),
            "0"
        );
        bench.load("sqlite", &options, "u0", vec![pairs(&[(1, "kept")])]).await.unwrap();
        lose().await;
        assert_eq!(rows(&connection, &format!("SELECT * FROM \"{mode}\"")), "1|kept");
    }
    assert_eq!(
        std::fs::read_dir(&bench.world.scratch)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("sqlite-"))
            .count(),
        0
    );
}

#[tokio::test]
async fn two_runs_at_once_are_noticed() {
    let bench = Bench::new();
    let options = "path: l.db\ntable: l\nmode: append\n";
    let shape = columns(&["id integer", "name text"]);
    let mut one = bench.open_target("sqlite", options).await.unwrap();
    let mut two = bench.open_target("sqlite", options).await.unwrap();
    for target in [&mut one, &mut two] {
        target.committed().await.unwrap();
        target.begin(&shape).await.unwrap();
        target.write(pairs(&[(1, "a")])).await.unwrap();
    }
    assert_eq!(one.commit(&[unit_of("u1")], None).await.unwrap(), loaded(1, 0, 0, 0));
    let error = two.commit(&[unit_of("u1")], None).await.unwrap_err();
    assert!(error.to_string().contains("since this one began"), "{error}");
    assert_eq!(rows(&file(&bench, "l.db", ""), "SELECT * FROM l"), "1|a");
    // A file that somebody else writes to is waited for, then said.
    let connection = file(&bench, "l.db", "BEGIN IMMEDIATE");
    let busy = format!("{options}timeout_secs: 1\n");
    let error = bench.load("sqlite", &busy, "u2", vec![pairs(&[(2, "b")])]).await.unwrap_err();
    assert!(matches!(error, EtlError::Target { is_transient: true, .. }), "{error}");
    drop(connection);
}

#[tokio::test]
async fn a_replacement_replaces_all_rows_and_keeps_the_watermark() {
    let bench = Bench::new();
    let options = "path: r.db\ntable: r\nmode: replace\n";
    bench.load("sqlite", options, "snapshot", vec![pairs(&[(1, "a"), (2, "b")])]).await.unwrap();
    let mut target = bench.open_target("sqlite", options).await.unwrap();
    target.committed().await.unwrap();
    target.begin(&columns(&["id integer", "name text"])).await.unwrap();
    target.write(pairs(&[(3, "c")])).await.unwrap();
    let connection = file(&bench, "r.db", "");
    assert_eq!(rows(&connection, "SELECT * FROM r ORDER BY id"), "1|a\n2|b");
    assert_eq!(target.commit(&[unit_of("snapshot")], None).await.unwrap(), loaded(1, 0, 0, 0));
    assert_eq!(rows(&connection, "SELECT * FROM r"), "3|c");
    assert_eq!(target.committed().await.unwrap().watermark.as_deref(), Some("snapshot"));
}

#[tokio::test]
async fn a_table_that_does_not_fit_is_refused_or_made_to_fit() {
    let bench = Bench::new();
    let connection = file(
        &bench,
        "d.db",
        "CREATE TABLE d (id INTEGER, name NUMERIC, must TEXT NOT NULL); CREATE TABLE e (id INTEGER); CREATE VIEW v AS SELECT 1 AS id",
    );
    let error = async |options: &str, shape: &table::Columns| {
        let mut target = bench.open_target("sqlite", &format!("path: d.db\n{options}")).await.unwrap();
        target.begin(shape).await.unwrap_err().to_string()
    };
    assert_eq!(
        error("table: d\n", &columns(&["id integer", "name text", "new text"])).await,
        "target `out`: the table `d` does not fit: the column `name` is `NUMERIC` there, which does not keep text as it is: it would have \
         to be `TEXT`; it has no column `new`: add it, or write `drift: add`; its column `must` must have a value, which the pipeline \
         does not give"
    );
    assert!(error("table: v\n", &columns(&["id integer"])).await.contains("not a table"));
    assert!(error("table: absent\ncreate: false\n", &columns(&["id integer"])).await.contains("create it"));
    assert!(
        error("table: e\nmode: merge\nkey: [id]\ncreate: false\n", &columns(&["id integer"]))
            .await
            .contains("no unique index")
    );
    let options = "path: d.db\ntable: e\nmode: merge\nkey: [id]\ndrift: add\n";
    assert_eq!(
        bench.load("sqlite", options, "u1", vec![pairs(&[(1, "00501")])]).await.unwrap(),
        loaded(1, 0, 0, 0)
    );
    assert_eq!(rows(&connection, "SELECT id, name, typeof(name) FROM e"), "1|00501|text");

    let rows_of_numbers = [
        vec![Value::Integer(1), Value::Number(f64::NAN)],
        vec![Value::Integer(2), Value::Number(f64::INFINITY)],
    ];
    let batch = Batch::from_rows(&columns(&["id integer", "x number"]), &rows_of_numbers).unwrap();
    let mut target = bench.open_target("sqlite", "path: d.db\ntable: n\n").await.unwrap();
    target.begin(&batch.columns().unwrap()).await.unwrap();
    target.write(batch).await.unwrap();
    let done = target.commit(&[unit_of("u")], None).await.unwrap();
    assert_eq!((done.inserted, done.refused), (1, 1));
    assert_eq!(target.refused()[0].reason, "not_a_number");
    connection
        .execute_batch("INSERT INTO e VALUES (7, 'a'); DROP INDEX e_salus_key; INSERT INTO e VALUES (7, 'b')")
        .unwrap();
    let error = bench.load("sqlite", options, "u2", vec![pairs(&[(1, "b")])]).await.unwrap_err();
    assert!(error.to_string().contains("none can be made"), "{error}");
}
