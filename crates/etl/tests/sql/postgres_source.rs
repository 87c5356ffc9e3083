//! PostgreSQL as a source.

use testkit::Postgres;

use crate::bench::{Bench, read_all, rows_of};
use etl::EtlError;
use etl::source::Out;

#[tokio::test]
async fn every_type_is_read_as_it_is() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_types");
    server.sql(
        "pg_types",
        r#"CREATE TYPE mood AS ENUM ('well', 'ill');
        CREATE TABLE "odd ""t""; DROP" (a text, b varchar(5), c char(4), d uuid, e json, f jsonb, g int2, h int4, i int8,
          j numeric(10,2), k numeric, l float4, m float8, n bool, o date, p timestamp, q timestamptz, r int[], s mood, "T ""x""" text);
        INSERT INTO "odd ""t""; DROP" VALUES
          ('Zoë 漢字 🩺', 'a''b"c', 'ab', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"a": 1}', -32768, -2147483648,
           9223372036854775807, -12345678.90, 1.500, 0.1, 1e300, true, '0001-01-01', '2026-01-31 10:00:00.123456',
           '2026-01-31 10:00:00+02', '{1,2}', 'ill', ''),
          (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"#,
    );
    let read = Bench::new()
        .read("postgres", &format!("url: {url}\ntable: '\"odd \"\"t\"\"; DROP\"'\n"), None)
        .await
        .unwrap();
    let kinds = "a text,b text,c text,d text,e text,f text,g integer,h integer,i integer,j decimal(10,2),k text,l number,m number,\
                 n boolean,o date,p instant,q instant,r text,s text,T \"x\" text";
    assert_eq!(read.kinds().join(","), kinds);
    let first = [
        "Zoë 漢字 🩺",
        "a'b\"c",
        "ab",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "{\"a\": 1}",
        "{\"a\": 1}",
        "-32768",
        "-2147483648",
        "9223372036854775807",
        "-12345678.90",
        "1.500",
        "0.1",
        &1e300.to_string(),
        "true",
        "0001-01-01",
        "2026-01-31T10:00:00.123456Z",
        "2026-01-31T08:00:00.000000Z",
        "{1,2}",
        "ill",
        "",
    ];
    assert_eq!(read.rows(), [first.map(str::to_owned).to_vec(), vec!["-".to_owned(); 20]]);
    assert_eq!(read.units[0].id, "snapshot 1768478400000000");
    assert_eq!(read.batches[0].place(1).line, 2);
}

#[tokio::test]
async fn what_no_column_can_hold_is_a_reject_with_its_place() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_rejects");
    server.sql(
        "pg_rejects",
        "CREATE TABLE t (id int, d date, q timestamptz, n numeric(5,1), born text);
         INSERT INTO t VALUES (1, '2026-01-01', now(), 1.5, '07/04/1976'), (2, 'infinity', now(), 1, '1976-07-04'),
           (3, NULL, '-infinity', 1, NULL), (4, NULL, NULL, 'NaN', '2/30/1976'), (5, NULL, NULL, NULL, '02/30/1976'),
           (6, NULL, NULL, NULL, NULL)",
    );
    let options = format!(
        "url: {url}\ntable: t\nkey: [id]\ndrift: {{columns: add}}\ncolumns:\n  id: text\n  born: {{type: date, formats: ['%m/%d/%Y']}}\n"
    );
    let read = Bench::new().read("postgres", &options, None).await.unwrap();
    let found: Vec<_> =
        read.rejects.iter().map(|r| (r.place.line, r.column.as_deref().unwrap(), &*r.reason)).collect();
    assert_eq!(
        found,
        [
            (2, "d", "out_of_range"),
            (3, "q", "out_of_range"),
            (4, "n", "out_of_range"),
            (5, "born", "no_such_day")
        ]
    );
    let raw = String::from_utf8(read.rejects[3].raw.clone()).unwrap();
    assert!(raw.contains("\"born\":\"02/30/1976\"") && raw.contains("\"id\":\"5\""), "{raw}");
    assert!(read.rejects.iter().all(|reject| !reject.message.contains("1976")), "{:?}", read.rejects);
    let ids: Vec<String> = read
        .batches
        .iter()
        .flat_map(|batch| rows_of(std::slice::from_ref(batch)))
        .map(|row| row.join("|"))
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().any(|row| row.contains("1976-07-04")), "{ids:?}");
}

#[tokio::test]
async fn a_query_has_parameters_and_nothing_is_put_into_its_text() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_query");
    server.sql(
        "pg_query",
        "CREATE TABLE p (id int, state text, n numeric); INSERT INTO p VALUES (1, 'AL', 1.5), (2, $$AL' OR 'x' = 'x$$, 2), (3, 'GA', NULL)",
    );
    let bench = Bench::new();
    let options = |query: &str| {
        format!("url: {url}\nparameters: {{state: '${{env:STATE}}', low: 1}}\nquery: |\n  {query}\n")
    };
    let query =
        "SELECT id, n::numeric(9,2) AS n FROM p WHERE state = ${state} AND id > ${low}::int -- the end";
    let read = bench.read("postgres", &options(query), None).await.unwrap();
    assert_eq!(read.rows(), [["2", "2.00"]]);

    // The statement cannot be left: it is one statement in a read-only transaction.
    for attack in [
        "SELECT 1 AS a) TO STDOUT; DROP TABLE p; COPY (SELECT 1",
        "DELETE FROM p RETURNING id",
        "SELECT pg_terminate_backend(0); DROP TABLE p",
    ] {
        assert!(bench.read("postgres", &options(attack), None).await.is_err(), "{attack}");
    }
    assert_eq!(server.sql("pg_query", "SELECT count(*) FROM p"), "3");
    let wrong = bench
        .source("postgres", &format!("url: {url}\nquery: SELECT * FROM p WHERE a > ${{watermark}}\n"))
        .unwrap_err();
    assert!(wrong[0].contains("the parameter `watermark`"), "{wrong:?}");
}

#[tokio::test]
async fn a_window_catches_ties_and_late_rows_and_rows_without_a_time() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_window");
    server.sql(
        "pg_window",
        "CREATE TABLE v (id int, at timestamptz); INSERT INTO v VALUES (1, '2026-01-01'), (2, '2026-01-10'), (3, '2026-01-05')",
    );
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: v\ncursor: {{column: at, lookback: 3d}}\nkey: [id]\n");
    let ids = |read: &crate::bench::Read| {
        read.rows().iter().map(|row| row[0].clone()).collect::<Vec<_>>().join(",")
    };
    let first = bench.read("postgres", &options, None).await.unwrap();
    assert_eq!(ids(&first), "1,3,2");
    assert_eq!((first.units[0].n_rows, &*first.units[0].id), (None, "(-, 2026-01-10 00:00:00+00]"));
    let watermark = first.units[0].watermark.clone().unwrap();
    assert_eq!(watermark, "2026-01-10 00:00:00+00");

    let again = bench.read("postgres", &options, Some(&watermark)).await.unwrap();
    assert_eq!(ids(&again), "2");
    let same = bench.read("postgres", &options, Some(&watermark)).await.unwrap();
    assert_eq!(again.units, same.units);

    // A tie at the watermark, a late row within the look-back, a late row before it, a row without a time.
    server.sql(
        "pg_window",
        "INSERT INTO v VALUES (4, '2026-01-10'), (5, '2026-01-07'), (6, '2026-01-06 23:59:59'), (7, NULL)",
    );
    let late = bench.read("postgres", &options, Some(&watermark)).await.unwrap();
    assert_eq!(ids(&late), "7,5,2,4");
    assert_ne!(late.units[0].id, again.units[0].id);
    assert_eq!(late.units[0].watermark.as_deref(), Some(&*watermark));

    // Without a look-back the rows at the watermark are still read again.
    let bare = format!("url: {url}\ntable: v\ncursor: {{column: at}}\nkey: [id]\n");
    assert_eq!(ids(&bench.read("postgres", &bare, Some(&watermark)).await.unwrap()), "7,2,4");

    // The bounds also reach a query.
    let query = format!(
        "url: {url}\nquery: SELECT * FROM v WHERE id > 1 AND (${{watermark}} IS NULL OR at >= ${{watermark}})\ncursor: {{column: at, lookback: 3d}}\n"
    );
    assert_eq!(ids(&bench.read("postgres", &query, Some(&watermark)).await.unwrap()), "5,2,4");

    // What was committed after the bounds were taken is not in the window: one snapshot.
    let mut source = bench.open("postgres", &options).await.unwrap();
    let units = source.units(None).await.unwrap();
    server.sql("pg_window", "INSERT INTO v VALUES (8, '2026-01-02')");
    let (out, mut pieces) = Out::channel(100);
    source.read(&units[0], 0, out).await.unwrap();
    let mut n_rows = 0;
    while let Some(piece) = pieces.recv().await {
        if let etl::source::Piece::Rows(batch) = piece {
            n_rows += batch.n_rows();
        }
    }
    assert_eq!(n_rows, 7);
    let error = bench.read("postgres", &options, Some("77")).await.unwrap_err().to_string();
    assert!(error.contains("another column was the cursor"), "{error}");
}

#[tokio::test]
async fn ranges_are_read_side_by_side_in_an_order_that_stays() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_ranges");
    server.sql("pg_ranges", "CREATE TABLE r AS SELECT n AS id, md5(n::text) AS t FROM generate_series(1, 10000) AS n; INSERT INTO r VALUES (NULL, 'x')");
    let bench = Bench::new();
    let options =
        format!("url: {url}\ntable: r\nkey: [id]\nfetch_rows: 300\npartition: {{column: id, n: 4}}\n");
    let (one, two) = (
        bench.read("postgres", &options, None).await.unwrap(),
        bench.read("postgres", &options, None).await.unwrap(),
    );
    assert_eq!(one.rows(), two.rows());
    let mut ids: Vec<i64> = one.rows().iter().map(|row| row[0].parse().unwrap_or(0)).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..=10_000).collect::<Vec<i64>>());
    let mut lines: Vec<u64> =
        one.batches.iter().flat_map(|batch| (0..batch.n_rows()).map(|row| batch.place(row).line)).collect();
    assert!(lines.is_sorted());
    lines.dedup();
    assert_eq!((lines.len(), lines[0], lines[10_000]), (10_001, 1, 10_001));
}

#[tokio::test]
async fn moments_without_a_zone_have_the_one_that_is_said() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_zone");
    server.sql(
        "pg_zone",
        "CREATE TABLE z (at timestamp); INSERT INTO z VALUES ('2026-01-31 10:00'), ('2026-07-31 10:00')",
    );
    let bench = Bench::new();
    let read = bench
        .read("postgres", &format!("url: {url}\ntable: z\ntime_zone: America/Chicago\n"), None)
        .await
        .unwrap();
    assert_eq!(read.rows(), [["2026-01-31T16:00:00.000000Z"], ["2026-07-31T15:00:00.000000Z"]]);
    let error = bench
        .read("postgres", &format!("url: {url}\ntable: z\ntime_zone: Nowhere\n"), None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not a zone"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_when_the_source_is_opened() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_open");
    server.sql("pg_open", "CREATE TABLE b (id int, data bytea, born date, x float8)");
    let bench = Bench::new();
    let error = async |options: &str| {
        bench.read("postgres", &format!("retries: 0\n{options}"), None).await.unwrap_err()
    };
    let check = async |options: String, expected: &str| {
        let text = error(&options).await.to_string();
        assert!(text.starts_with("source `it`: ") && text.contains(expected), "{text}");
    };
    check(format!("url: {url}\ntable: b\n"), "the column `data` is `bytea`").await;
    check(format!("url: {url}\ntable: nowhere\n"), "relation \"nowhere\" does not exist").await;
    check(format!("url: {url}\nquery: SELECT id FROM b\ncolumns: {{idd: text}}\n"), "no column `idd`").await;
    check(format!("url: {url}\nquery: SELECT x FROM b\ncolumns: {{x: integer}}\n"), "losing").await;
    check(
        format!("url: {url}\nquery: SELECT id FROM b\ncursor: {{column: id, lookback: 3d}}\n"),
        "`lookback` does not fit",
    )
    .await;
    check(format!("url: {url}\nquery: SELECT id, id FROM b\n"), "two columns are named `id`").await;
    check(
        format!("url: {url}\nquery: SELECT born FROM b\npartition: {{column: born}}\n"),
        "a column of integers",
    )
    .await;
    check("url: not a url with a secret\ntable: b\n".to_owned(), "the `url` cannot be read").await;
    check("url: ${env:NOT_THERE}\ntable: b\n".to_owned(), "the secret `${env:NOT_THERE}` is not there").await;
    let port = testkit::free_port();
    check(
        format!("url: postgres://etl:s3cret@127.0.0.1:{port}/x\ntable: b\n"),
        &format!("cannot connect to PostgreSQL at `127.0.0.1:{port}`"),
    )
    .await;
    let down = error(&format!("url: postgres://etl:s3cret@127.0.0.1:{port}/x\ntable: b\n")).await;
    assert!(matches!(down, EtlError::Source { is_transient: true, .. }));
    assert!(!format!("{down} {down:?}").contains("s3cret"));
    check(format!("url: {url}\ntable: b\ntls: require\n"), "tls: disable").await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_a_row_is_made_anew_and_later_is_an_error() {
    let Some(server) = Postgres::own() else { return };
    let url = server.database("pg_breaks");
    server.sql(
        "pg_breaks",
        "CREATE TABLE big AS SELECT n AS id, repeat('x', 200) AS t FROM generate_series(1, 200000) AS n",
    );
    let bench = Bench::new();
    let options = format!("url: {url}\ntable: big\nkey: [id]\nfetch_rows: 1000\n");
    let mut source = bench.open("postgres", &options).await.unwrap();
    source.units(None).await.unwrap();
    server.stop();
    server.start_again();
    let read = read_all(&mut *source, None).await.unwrap();
    assert_eq!(read.rows().len(), 200_000);

    let mut source = bench.open("postgres", &options).await.unwrap();
    let units = source.units(None).await.unwrap();
    let (out, mut pieces) = Out::channel(1);
    let reading = tokio::spawn(async move { source.read(&units[0], 0, out).await });
    pieces.recv().await.unwrap();
    server.stop();
    while pieces.recv().await.is_some() {}
    let error = reading.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("broke off while rows were read"), "{error}");
    assert!(matches!(error, EtlError::Source { is_transient: true, .. }));
    let error = bench.open("postgres", &format!("{options}retries: 1\n")).await.err().unwrap();
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

#[tokio::test]
async fn integers_are_cursors_whose_watermarks_are_compared_as_numbers() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("pg_numbers");
    server.sql(
        "pg_numbers",
        "CREATE TABLE n (id bigint, flag int); INSERT INTO n SELECT n, n % 2 FROM generate_series(1, 9) AS n",
    );
    let bench = Bench::new();
    let options = format!(
        "url: {url}\ntable: n\ncursor: {{column: id, lookback: 2}}\ncolumns: {{id: integer, flag: boolean}}\n"
    );
    let first = bench.read("postgres", &options, None).await.unwrap();
    assert_eq!(first.rows()[8], ["9", "true"]);
    let nine = first.units[0].watermark.clone().unwrap();
    server.sql("pg_numbers", "INSERT INTO n VALUES (10, 0), (6, 1)");
    let second = bench.read("postgres", &options, Some(&nine)).await.unwrap();
    let ids: Vec<String> = second.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids, ["7", "8", "9", "10"]);
    assert_eq!((nine.as_str(), second.units[0].watermark.as_deref()), ("9", Some("10")));
    let open = bench.open("postgres", &options).await.unwrap();
    assert!(open.compare_watermarks("9", "10").is_lt() && open.compare_watermarks("-10", "-9").is_lt());
    assert_eq!(second.units[0].n_rows, Some(4));
}
