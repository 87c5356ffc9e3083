//! Expressions are checked in plain words and computed as SQL says; sorts and aggregates larger than memory spill and are right.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray};
use arrow::datatypes::Int32Type;
use table::{Batch, Column, Columns, Place, Type, Value};

use super::*;

fn columns() -> Columns {
    Columns::new(vec![
        Column::new("state", Type::Text),
        Column::new("zip", Type::Text),
        Column::new("n", Type::Integer),
        Column::new("born", Type::Date),
        Column::new("RPL_THEMES", Type::Number),
    ])
    .unwrap()
}

fn rows() -> Batch {
    let row = |state: Value, zip: &str, n: i64, born: i32, svi: f64| {
        vec![state, Value::from(zip), Value::Integer(n), Value::Date(born), Value::Number(svi)]
    };
    let rows = [
        row("AL".into(), "07575", 1, 0, 0.5),
        row(Value::Null, "x", 0, -1, -999.0),
        row("GA".into(), "35004", 7, 10_000, 0.25),
    ];
    Batch::from_rows(&columns(), &rows).unwrap()
}

fn texts(batch: &Batch, name: &str) -> Vec<Option<String>> {
    (0..batch.n_rows()).map(|row| batch.value(name, row).unwrap().to_text()).collect()
}

#[test]
fn an_expression_gives_the_forms_of_its_type() {
    let check = |text: &str, kind: Type, wanted: [Option<&str>; 3]| {
        let expression = expression(text, &columns()).unwrap();
        assert_eq!(expression.kind(), kind, "{text}");
        let batch = rows().with("x", expression.evaluate(&rows()).unwrap()).unwrap();
        assert_eq!(texts(&batch, "x"), wanted.map(|text| text.map(str::to_owned)), "{text}");
        assert_eq!(*batch.array("x").unwrap().data_type(), kind.data_type());
    };
    check("upper(state)", Type::Text, [Some("AL"), None, Some("GA")]);
    check("state || '-' || zip", Type::Text, [Some("AL-07575"), None, Some("GA-35004")]);
    check("n + 1", Type::Integer, [Some("2"), Some("1"), Some("8")]);
    check("length(zip)", Type::Integer, [Some("5"), Some("1"), Some("5")]);
    check("state = 'AL'", Type::Boolean, [Some("true"), None, Some("false")]);
    check("nullif(RPL_THEMES, -999)", Type::Number, [Some("0.5"), None, Some("0.25")]);
    check("born >= '1970-01-01'", Type::Boolean, [Some("true"), Some("false"), Some("true")]);
    check("try_cast(zip as bigint)", Type::Integer, [Some("7575"), None, Some("35004")]);
    check("date_part('year', born)", Type::Integer, [Some("1970"), Some("1969"), Some("1997")]);
    check("1", Type::Integer, [Some("1"), Some("1"), Some("1")]);
    check(
        "cast(born as timestamp)",
        Type::Instant,
        [
            Some("1970-01-01T00:00:00.000000Z"),
            Some("1969-12-31T00:00:00.000000Z"),
            Some("1997-05-19T00:00:00.000000Z"),
        ],
    );
    assert_eq!(expression("state = 'AL' and n > 1", &columns()).unwrap().columns(), ["state", "n"]);
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let check = |text: &str, wanted: &str| {
        let message = expression(text, &columns()).unwrap_err();
        assert_eq!(message, wanted, "{text}");
    };
    check("sate = 'AL'", "there is no column `sate`: there are `state`, `zip`, `n`, `born`, `RPL_THEMES`");
    check(
        "rpl_themes > 0",
        "there is no column `rpl_themes`: there are `state`, `zip`, `n`, `born`, `RPL_THEMES`",
    );
    check(
        "_salus_line > 3",
        "there is no column `_salus_line`: there are `state`, `zip`, `n`, `born`, `RPL_THEMES`",
    );
    check("uper(state)", "there is no function `uper`: did you mean `upper`?");
    check(
        "born < now()",
        "the function `now` is not available, because its answer changes from run to run: take it from a column",
    );
    check(
        "zip = 7575",
        "`zip` is text and `7575` is integer: write `'7575'`, or `try_cast(zip as bigint)` if it is meant as a number",
    );
    check(
        "zip in (7575)",
        "`zip` is text and `7575` is integer: write `'7575'`, or `try_cast(zip as bigint)` if it is meant as a number",
    );
    check("zip > born", "`zip` is text and `born` is date: write `try_cast(zip as date)`");
    check("sum(n)", "the function `sum` looks at more than one row: use the step `sql`");
    check("n in (select 1)", "a `SELECT` looks at more than one row: use the step `sql`");
    check(
        "null",
        "the expression is always missing: cast it to `text`, `integer`, `decimal(p,s)`, `number`, `date`, `instant`, `boolean`",
    );
    for broken in ["state =", "state = 'AL' garbage +", "", "(n", "n; drop table x"] {
        let message = expression(broken, &columns()).unwrap_err();
        assert!(message.starts_with("this is not SQL"), "{broken}: {message}");
    }
}

#[test]
fn missing_is_false_and_dictionaries_change_nothing() {
    let expression = expression("state <> 'GA'", &columns()).unwrap();
    let coded: DictionaryArray<Int32Type> =
        vec![Some("AL"), None, Some("GA"), Some("AL")].into_iter().collect();
    let coded: ArrayRef = Arc::new(coded);
    let plain = arrow::compute::cast(&coded, &Type::Text.data_type()).unwrap();
    let places = || table::Places::numbered(0, 1, 4);
    for array in [coded, plain] {
        let batch = Batch::new(vec![("state".into(), array)], places()).unwrap();
        let chosen: Vec<Option<bool>> = expression.select(&batch).unwrap().iter().collect();
        assert_eq!(chosen, [Some(true), Some(false), Some(false), Some(true)]);
    }
    let number = super::expression("n + 1", &columns()).unwrap();
    assert!(number.select(&rows()).unwrap_err().to_string().contains("not boolean"));
}

#[test]
fn a_row_that_cannot_be_computed_is_found_and_its_value_is_not_shown() {
    let division = expression("7 / n", &columns()).unwrap();
    let (values, bad) = division.evaluate_rows(&rows()).unwrap();
    assert_eq!(Value::of(&values, 0).unwrap(), Value::Integer(7));
    assert_eq!(Value::of(&values, 1).unwrap(), Value::Null);
    assert_eq!((bad.len(), bad[0].row, bad[0].error.reason), (1, 1, "divides_by_zero"));
    let cast = expression("cast(zip as bigint) > 0", &columns()).unwrap();
    let (_, bad) = cast.select_rows(&rows()).unwrap();
    assert_eq!((bad[0].row, bad[0].error.column.as_deref()), (1, Some("zip")));
    let whole = cast.evaluate(&rows()).unwrap_err().to_string();
    assert!(whole.contains("cannot be cast") && !whole.contains("'x'"), "{whole}");
}

fn engine(memory_bytes_max: u64) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::new(&folder.path().join("scratch"), memory_bytes_max).unwrap();
    (folder, engine)
}

/// `n_rows` rows `(key, text of about 60 bytes, number)` with keys in a scattered order.
fn many(engine: &Engine, n_rows: u64) -> Spooled {
    let columns = Columns::new(vec![
        Column::new("key", Type::Text),
        Column::new("text", Type::Text),
        Column::new("n", Type::Integer),
    ])
    .unwrap();
    let mut spool = engine.spool().unwrap();
    let all: Vec<u64> = (0..n_rows).collect();
    for part in all.chunks(5_000) {
        let rows = part.iter().map(|n| {
            let scattered = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            vec![
                Value::Text(format!("k{:06}", scattered % (n_rows / 4))),
                Value::Text(format!("{scattered:>60}")),
                Value::Integer(i64::try_from(*n).unwrap()),
            ]
        });
        spool.push(&Batch::from_rows(&columns, &rows.collect::<Vec<_>>()).unwrap()).unwrap();
    }
    spool.finish().unwrap()
}

#[test]
fn a_spool_gives_back_what_was_put_in_and_leaves_no_file() {
    let (folder, engine) = engine(MEMORY_BYTES_MIN);
    let mut spool = engine.spool().unwrap();
    let coded: DictionaryArray<Int32Type> = vec![Some("AL"), None, Some("AL")].into_iter().collect();
    let coded = rows().with("state", Arc::new(coded)).unwrap();
    spool.push(&rows()).unwrap();
    spool.push(&coded.slice(1, 2)).unwrap();
    let spooled = spool.finish().unwrap();
    assert_eq!((spooled.n_rows(), spooled.columns()), (5, &columns()));
    for _ in 0..2 {
        let batches: Vec<Batch> = spooled.read().unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(batches.len(), 1);
        assert_eq!(
            texts(&batches[0], "state"),
            ["AL", "", "GA", "", "AL"].map(|s| (!s.is_empty()).then(|| s.to_owned()))
        );
        assert_eq!(batches[0].place(4), Place { unit: 0, line: 3, offset: None });
    }
    let reader = spooled.read().unwrap();
    drop(spooled);
    assert_eq!(reader.count(), 1);
    assert_eq!(
        std::fs::read_dir(folder.path().join("scratch"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("spool"))
            .count(),
        0
    );
    let none = engine.spool_of(&columns()).unwrap().finish().unwrap();
    assert_eq!((none.n_rows(), none.read().unwrap().count()), (0, 0));
    assert_eq!(engine.query("select count(*) as n from input", &[("input", &none)]).unwrap().count(), 1);
}

#[test]
fn a_sort_larger_than_memory_is_complete_ordered_and_stable() {
    let (_folder, engine) = engine(MEMORY_BYTES_MIN);
    let n_rows = 200_000_u64;
    let spooled = many(&engine, n_rows);
    let sorted = engine.sort(&spooled, &[SortKey::descending("key")]).unwrap();
    let mut before: Option<(String, i64)> = None;
    let (mut count, mut sum) = (0_u64, 0_i64);
    for batch in sorted {
        let batch = batch.unwrap();
        for row in 0..batch.n_rows() {
            let key = batch.text("key").unwrap().get(row).unwrap().to_owned();
            let Value::Integer(n) = batch.value("n", row).unwrap() else { panic!() };
            if let Some((last, order)) = &before {
                assert!(*last > key || (*last == key && *order < n));
            }
            assert_eq!(batch.place(row).line, u64::try_from(n).unwrap() % 5_000 + 1);
            before = Some((key, n));
            count += 1;
            sum += n;
        }
    }
    assert_eq!((count, sum), (n_rows, i64::try_from(n_rows * (n_rows - 1) / 2).unwrap()));
}

#[test]
fn an_aggregate_and_a_join_larger_than_memory_are_right() {
    let (_folder, engine) = engine(MEMORY_BYTES_MIN);
    let spooled = many(&engine, 100_000);
    let sql = "select key, count(*) as n_rows, max(text) as longest from input group by key";
    let groups: Vec<Batch> =
        engine.query(sql, &[("input", &spooled)]).unwrap().collect::<Result<_, _>>().unwrap();
    let total: i64 = groups
        .iter()
        .flat_map(|batch| (0..batch.n_rows()).map(|row| batch.value("n_rows", row).unwrap()))
        .map(|n| if let Value::Integer(n) = n { n } else { 0 })
        .sum();
    assert_eq!(total, 100_000);
    let lines: Vec<u64> =
        groups.iter().flat_map(|batch| (0..batch.n_rows()).map(|row| batch.place(row).line)).collect();
    assert_eq!(lines, (1..=lines.len() as u64).collect::<Vec<_>>());
    let sql = "select count(*) as n from input join other using (n)";
    let mut joined = engine.query(sql, &[("input", &spooled), ("other", &spooled)]).unwrap();
    assert_eq!(joined.next().unwrap().unwrap().value("n", 0).unwrap(), Value::Integer(100_000));
}

#[test]
fn places_survive_a_query_that_keeps_them() {
    let (_folder, engine) = engine(MEMORY_BYTES_MIN);
    let mut spool = engine.spool().unwrap();
    spool.push(&rows()).unwrap();
    let spooled = spool.finish().unwrap();
    let kept: Vec<Batch> = engine
        .query("select * from input where n > 1", &[("input", &spooled)])
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!((kept[0].n_rows(), kept[0].place(0).line), (1, 3));
    let new: Vec<Batch> = engine
        .query("select n from input where n > 1", &[("input", &spooled)])
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!((kept[0].columns().unwrap(), new[0].place(0).line), (columns(), 1));
}

#[test]
fn a_query_is_checked_against_its_tables() {
    let check = |sql: &str, wanted: Result<&[&str], &str>| {
        let found = query_columns(sql, &[("input", &columns()), ("labs", &columns())]);
        let found = found.map(|columns| columns.names().into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(
            found,
            wanted.map(|names| names.iter().map(|name| (*name).to_owned()).collect()).map_err(str::to_owned),
            "{sql}"
        );
    };
    check("select zip, count(*) as n from input group by zip", Ok(&["zip", "n"]));
    check("select * from input", Ok(&["state", "zip", "n", "born", "RPL_THEMES"]));
    check("select i.zip, l.n from input i join labs l using (zip)", Ok(&["zip", "n"]));
    check(
        "select x from input",
        Err("there is no column `x`: there are `state`, `zip`, `n`, `born`, `RPL_THEMES`"),
    );
    check("select 1 as x from lab", Err("there is no table `lab`: there are `input`, `labs`"));
    check("drop table input", Err("only `SELECT` can stand here"));
    check("copy input to '/tmp/x.csv'", Err("only `SELECT` can stand here"));
    check("explain select n from input", Err("only `SELECT` can stand here"));
    check(
        "select i.n, l.n from input i join labs l on i.zip = l.n",
        Err("`i.zip` is text and `l.n` is integer: write `try_cast(i.zip as bigint)`"),
    );
    check(
        "select i.n, l.n from input i join labs l using (zip)",
        Err("two columns are named `n`: give one another name"),
    );
    check("select * from '/etc/passwd'", Err("there is no table `/etc/passwd`: there are `input`, `labs`"));
}

#[test]
fn too_little_memory_is_an_error_that_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let error = Engine::new(folder.path(), 1_000).unwrap_err();
    assert!(error.to_string().contains("run.memory"));
}
