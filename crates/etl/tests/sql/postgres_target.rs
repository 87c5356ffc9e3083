//! PostgreSQL as a target.

use testkit::Postgres;

use crate::bench::{Bench, all_types, columns, load_of, loaded, pairs, rows_of, unit_of};
use etl::EtlError;
use etl::source::Division;
use etl::target::Committed;
use table::{Batch, Value};

#[tokio::test]
async fn every_type_goes_in_and_comes_back() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_round");
    let bench = Bench::new();
    for (mode, key) in [("append", ""), ("merge", "key: [id]\n"), ("replace", "")] {
        let options = format!("url: {url}\ntable: \"{mode} \\\"t\\\"\"\nmode: {mode}\n{key}");
        let batch = all_types();
        let expected = rows_of(std::slice::from_ref(&batch));
        assert_eq!(bench.load("postgres", &options, "u1", vec![batch]).await.unwrap(), loaded(5, 0, 0, 0));
        let read = bench
            .read("postgres", &format!("url: {url}\ntable: \"{mode} \\\"t\\\"\"\n"), None)
            .await
            .unwrap();
        assert_eq!(read.rows(), expected, "{mode}");
        assert_eq!(read.columns, all_types().columns().unwrap());
        if mode == "merge" {
            let again = bench.load("postgres", &options, "u2", vec![all_types()]).await.unwrap();
            assert_eq!(again, loaded(0, 0, 5, 0));
        }
    }
    let ledger = "SELECT pipeline, source, target_table, unit, coalesce(watermark, '-'), run, pipeline_hash, n_rows, at FROM salus_etl ORDER BY target_table, unit";
    assert_eq!(
        server.sql("pg_round", ledger).lines().last().unwrap(),
        "test|it|replace \"t\"|u1|u1|run-1|hash-1|5|2026-01-15 12:00:00+00"
    );
}

#[tokio::test]
async fn a_merge_updates_what_differs_and_leaves_the_rest_alone() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_merge");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: m\nmode: merge\nkey: [id]\n");
    let first = vec![pairs(&[(1, "a"), (2, "b"), (1, "c")]), pairs(&[(3, "d"), (2, "e")])];
    assert_eq!(bench.load("postgres", &options, "u1", first).await.unwrap(), loaded(3, 0, 0, 2));
    let rows = || server.sql("pg_merge", "SELECT id, name FROM m ORDER BY id");
    assert_eq!(rows(), "1|c\n2|e\n3|d");
    let before = server.sql("pg_merge", "SELECT id, xmin, ctid FROM m ORDER BY id");
    let second = || vec![pairs(&[(1, "c"), (4, "x"), (2, "E"), (4, "y"), (3, "d")])];
    assert_eq!(bench.load("postgres", &options, "u2", second()).await.unwrap(), loaded(1, 1, 2, 1));
    assert_eq!(rows(), "1|c\n2|E\n3|d\n4|y");
    // Rows that are the same are not touched at all.
    let after = server.sql("pg_merge", "SELECT id, xmin, ctid FROM m ORDER BY id");
    assert_eq!(before.lines().next(), after.lines().next());
    assert_eq!(bench.load("postgres", &options, "u2", second()).await.unwrap(), loaded(0, 0, 4, 1));
    assert_eq!(server.sql("pg_merge", "SELECT id, xmin, ctid FROM m ORDER BY id"), after);
    let mut target = bench.open_target("postgres", &options).await.unwrap();
    let known = target.committed().await.unwrap();
    assert_eq!(known, Committed { units: vec!["u1".into(), "u2".into()], watermark: Some("u2".into()) });
    server.sql("pg_merge", "DROP TABLE m");
    assert_eq!(target.committed().await.unwrap(), Committed::default());
}

#[tokio::test]
async fn audit_columns_do_not_make_a_row_another() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_audit");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: m\nmode: merge\nkey: [id]\n");
    let batch = |run: &str, name: &str| {
        let rows = [vec![Value::Integer(1), Value::from(name), Value::from(run)]];
        vec![Batch::from_rows(&columns(&["id integer", "name text", "etl_run_id text"]), &rows).unwrap()]
    };
    bench.load("postgres", &options, "u1", batch("run-1", "a")).await.unwrap();
    assert_eq!(
        bench.load("postgres", &options, "u2", batch("run-2", "a")).await.unwrap(),
        loaded(0, 0, 1, 0)
    );
    assert_eq!(server.sql("pg_audit", "SELECT * FROM m"), "1|a|run-1");
    assert_eq!(
        bench.load("postgres", &options, "u3", batch("run-3", "b")).await.unwrap(),
        loaded(0, 1, 0, 0)
    );
    assert_eq!(server.sql("pg_audit", "SELECT * FROM m"), "1|b|run-3");
}

#[tokio::test]
async fn a_load_that_ends_before_its_commit_leaves_nothing() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_killed");
    let bench = Bench::new();
    for (mode, key) in [("append", ""), ("merge", "key: [id]\n"), ("replace", "")] {
        let options = format!("url: {url}\ntable: {mode}\nmode: {mode}\n{key}");
        let all = || server.sql("pg_killed", &format!("SELECT * FROM {mode} ORDER BY 1"));
        for has_table in [false, true] {
            if has_table {
                bench.load("postgres", &options, "u0", vec![pairs(&[(1, "kept")])]).await.unwrap();
            }
            let mut target = bench.open_target("postgres", &options).await.unwrap();
            let known = target.committed().await.unwrap();
            target.begin(&columns(&["id integer", "name text"])).await.unwrap();
            target.write(pairs(&[(1, "lost"), (2, "lost")])).await.unwrap();
            if has_table {
                assert_eq!(all(), "1|kept");
            }
            drop(target);
            let mut next = bench.open_target("postgres", &options).await.unwrap();
            assert_eq!(next.committed().await.unwrap(), known);
            next.begin(&columns(&["id integer", "name text"])).await.unwrap();
            next.write(pairs(&[(1, "thrown away")])).await.unwrap();
            next.abort().await.unwrap();
            let there = server.sql("pg_killed", &format!("SELECT to_regclass('{mode}') IS NOT NULL"));
            assert_eq!(there, if has_table { "t" } else { "f" });
            if has_table {
                assert_eq!(all(), "1|kept");
            }
            // After an abort the same target can load.
            next.begin(&columns(&["id integer", "name text"])).await.unwrap();
            next.write(pairs(&[(1, "kept")])).await.unwrap();
            next.abort().await.unwrap();
        }
    }
    assert_eq!(server.sql("pg_killed", "SELECT count(*) FROM pg_class WHERE relname = 'salus_stage'"), "0");
}

#[tokio::test]
async fn a_replacement_is_never_seen_half() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_replace");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: r\nmode: replace\n");
    bench.load("postgres", &options, "snapshot", vec![pairs(&[(1, "a"), (2, "b")])]).await.unwrap();
    let mut target = bench.open_target("postgres", &options).await.unwrap();
    target.committed().await.unwrap();
    target.begin(&columns(&["id integer", "name text"])).await.unwrap();
    target.write(pairs(&[(3, "c")])).await.unwrap();
    assert_eq!(server.sql("pg_replace", "SELECT * FROM r ORDER BY 1"), "1|a\n2|b");
    assert_eq!(target.commit(&[unit_of("snapshot")], None).await.unwrap(), loaded(1, 0, 0, 0));
    assert_eq!(server.sql("pg_replace", "SELECT * FROM r ORDER BY 1"), "3|c");
    // A commit without a watermark keeps the stored one.
    assert_eq!(target.committed().await.unwrap().watermark.as_deref(), Some("snapshot"));
}

#[tokio::test]
async fn two_runs_at_once_exclude_each_other() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_lock");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: l\nmode: append\n");
    let shape = columns(&["id integer", "name text"]);
    let mut one = bench.open_target("postgres", &options).await.unwrap();
    let mut two = bench.open_target("postgres", &options).await.unwrap();
    one.committed().await.unwrap();
    two.committed().await.unwrap();
    one.begin(&shape).await.unwrap();
    one.write(pairs(&[(1, "a")])).await.unwrap();
    let error = two.begin(&shape).await.unwrap_err();
    assert!(error.to_string().contains("another run of the pipeline `test` is loading"), "{error}");
    assert!(matches!(error, EtlError::Target { is_transient: true, .. }));
    one.commit(&[unit_of("u1")], None).await.unwrap();
    let error = two.begin(&shape).await.unwrap_err();
    assert!(error.to_string().contains("since this one began"), "{error}");
    // Another source of the pipeline may load into the same table at the same time.
    one.begin(&shape).await.unwrap();
    let spec = bench.target("postgres", &options).unwrap();
    let mut other = spec.open(load_of("other"), &bench.world).await.unwrap();
    other.committed().await.unwrap();
    other.begin(&shape).await.unwrap();
    other.write(pairs(&[(2, "b")])).await.unwrap();
    other.commit(&[unit_of("u1")], None).await.unwrap();
    assert_eq!(server.sql("pg_lock", "SELECT * FROM l ORDER BY 1"), "1|a\n2|b");
}

#[tokio::test]
async fn a_table_that_does_not_fit_is_refused_or_made_to_fit() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_drift");
    let bench = Bench::new();
    server.sql("pg_drift", "CREATE TABLE d (id integer, name varchar(3), size numeric(5,1), must text NOT NULL, more text DEFAULT 'x'); CREATE VIEW v AS SELECT 1 AS id");
    let shape = columns(&["id integer", "name date", "size decimal(9,2)", "new text"]);
    let error = async |options: &str, shape: &table::Columns| {
        let mut target = bench.open_target("postgres", &format!("url: {url}\n{options}")).await.unwrap();
        target.begin(shape).await.unwrap_err().to_string()
    };
    assert_eq!(
        error("table: d\n", &shape).await,
        "target `out`: the table `d` does not fit: the column `name` is `character varying(3)` there, which cannot take date without \
         loss: it would have to be `date`; the column `size` is `numeric(5,1)` there, which cannot take decimal(9,2) without loss: it \
         would have to be `numeric(9,2)`; it has no column `new`: add it, or write `drift: add`; its column `must` must have a value, \
         which the pipeline does not give"
    );
    assert!(error("table: v\n", &shape).await.contains("not a table"));
    assert!(error("table: absent\ncreate: false\n", &shape).await.contains("create it"));
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
    assert_eq!(
        bench.load("postgres", &options, "u1", vec![fits(1, "abc")]).await.unwrap(),
        loaded(1, 0, 0, 0)
    );
    assert_eq!(server.sql("pg_drift", "SELECT * FROM d"), "1|abc|1.5|y|x|t");
    // Values that the existing columns cannot hold refuse their rows; the others go in.
    let mut target = bench.open_target("postgres", &options).await.unwrap();
    target.begin(&fits(1, "a").columns().unwrap()).await.unwrap();
    for batch in [fits(2, "äöü"), fits(3, "abcd"), fits(1 << 40, "a"), fits(4, "a\0")] {
        target.write(batch).await.unwrap();
    }
    let done = target.commit(&[unit_of("u2")], None).await.unwrap();
    assert_eq!((done.inserted, done.refused), (1, 3));
    let refused: Vec<String> =
        target.refused().iter().map(|r| format!("{} {}", r.column.as_deref().unwrap(), r.reason)).collect();
    assert_eq!(refused, ["name too_long", "id out_of_range", "name nul_character"]);
}

#[tokio::test]
async fn what_the_server_refuses_is_said_without_values() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_refuse");
    let bench = Bench::new();
    server
        .sql("pg_refuse", "CREATE TABLE c (id bigint, name text CONSTRAINT short CHECK (length(name) < 5))");
    let options = format!("url: {url}\ntable: c\n");
    let error = bench.load("postgres", &options, "u1", vec![pairs(&[(1, "Ana Abel")])]).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("check constraint, constraint `short`, table `c`") && !text.contains("Ana"),
        "{text}"
    );
    assert_eq!(server.sql("pg_refuse", "SELECT count(*) FROM c"), "0");
    assert_eq!(server.sql("pg_refuse", "SELECT to_regclass('salus_etl') IS NULL"), "t");
    // Rows with the same key in the table: no unique index can be made.
    server.sql("pg_refuse", "INSERT INTO c VALUES (7, 'a'), (7, 'b')");
    let options = format!("url: {url}\ntable: c\nmode: merge\nkey: [id]\n");
    let error = bench.load("postgres", &options, "u1", vec![pairs(&[(1, "b")])]).await.unwrap_err();
    assert!(error.to_string().contains("none can be made"), "{error}");
}

#[tokio::test]
async fn a_merge_that_could_not_be_ordered_is_tried_again() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_retry");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: s\nmode: merge\nkey: [id]\n");
    bench.load("postgres", &options, "u1", vec![pairs(&[(1, "a")])]).await.unwrap();
    server.sql(
        "pg_retry",
        "CREATE SEQUENCE tries; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('tries') < 3 THEN RAISE EXCEPTION 'once more' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER fail BEFORE UPDATE ON s FOR EACH ROW EXECUTE FUNCTION fail()",
    );
    let rows = || vec![pairs(&[(1, "b"), (2, "c"), (2, "d")])];
    assert_eq!(bench.load("postgres", &options, "u2", rows()).await.unwrap(), loaded(1, 1, 0, 1));
    assert_eq!(server.sql("pg_retry", "SELECT last_value FROM tries"), "3");
    assert_eq!(server.sql("pg_retry", "SELECT id, name FROM s ORDER BY id"), "1|b\n2|d");
    let none = format!("{options}retries: 0\n");
    server.sql("pg_retry", "ALTER SEQUENCE tries RESTART");
    let error = bench.load("postgres", &none, "u3", vec![pairs(&[(1, "z")])]).await.unwrap_err();
    assert!(error.to_string().contains("40001"), "{error}");
    assert_eq!(server.sql("pg_retry", "SELECT count(*) FROM salus_etl WHERE unit = 'u3'"), "0");
}

#[tokio::test]
async fn a_server_that_goes_away_fails_the_load_and_the_next_one_succeeds() {
    let Some(server) = Postgres::own() else { return };
    let url = server.database("pg_gone");
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: g\nmode: append\nretries: 0\n");
    bench.load("postgres", &options, "u1", vec![pairs(&[(1, "a")])]).await.unwrap();
    let mut target = bench.open_target("postgres", &options).await.unwrap();
    target.begin(&columns(&["id integer", "name text"])).await.unwrap();
    target.write(pairs(&[(2, "b")])).await.unwrap();
    server.stop();
    let error = target.commit(&[unit_of("u2")], None).await.unwrap_err();
    assert!(matches!(error, EtlError::Target { is_transient: true, .. }), "{error}");
    server.start_again();
    assert_eq!(server.sql("pg_gone", "SELECT * FROM g"), "1|a");
    bench.load("postgres", &options, "u2", vec![pairs(&[(2, "b")])]).await.unwrap();
    assert_eq!(server.sql("pg_gone", "SELECT * FROM g ORDER BY 1"), "1|a\n2|b");
}

#[test]
fn a_mode_that_cannot_be_exactly_once_is_a_problem() {
    let bench = Bench::new();
    let check = |options: &str, division, expected: &str| {
        let found = bench.misfits(
            "postgres",
            &format!("url: postgres://x/y\ntable: t\n{options}"),
            &columns(&["id integer", "n number"]),
            division,
        );
        assert!(
            found.len() == usize::from(!expected.is_empty())
                && found.iter().all(|text| text.contains(expected)),
            "{found:?}"
        );
    };
    check("mode: append\n", Division::Files, "");
    check("mode: append\n", Division::Window, "use `mode: merge`");
    check("mode: append\n", Division::Snapshot, "every run adds all rows again");
    check("mode: replace\n", Division::Window, "use `mode: merge`");
    check("mode: merge\nkey: [id]\n", Division::Window, "");
    check("mode: merge\nkey: [n]\n", Division::Window, "floating point");
    check("mode: merge\nkey: [idd]\n", Division::Window, "needs the column `idd`");
}
