//! What loading and reading PostgreSQL costs: `cargo bench -p salus-etl --bench postgres_load -- [ROWS]`. Each mode loads the same rows (14 columns), beside
//! `COPY` by psql of the same data in the same server. Seconds of the wall hold on a quiet machine only; the ratios hold better.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends where it fails")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use etl::engine::Engine;
use etl::source::{Out, Piece, Unit};
use etl::target::Load;
use etl::world::World;
use etl::{Point, Problems, Secrets, Word};
use table::{Batch, Places};
use testkit::Postgres;

const BATCH_ROWS: usize = 16_384;

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        Err(format!("`{reference}` is not there"))
    }
}

fn main() {
    let n_rows: usize = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .map_or(1_000_000, |text| text.parse().unwrap());
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("bench");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let world = Arc::new(world(folder.path()));
    let rows_from = |first: usize, changed: i64| {
        (0..n_rows)
            .step_by(BATCH_ROWS)
            .map(move |start| batch(first + start, BATCH_ROWS.min(n_rows - start), changed))
    };
    let rows = |changed: i64| rows_from(0, changed);
    println!("{n_rows} rows of 14 columns");
    runtime.block_on(async {
        let merge = "mode: merge\nkey: [patient_id]\n";
        let append = load(&world, &url, "appended", "mode: append\n", rows(0), n_rows).await;
        load(&world, &url, "merged", merge, rows(0), n_rows).await;
        load(&world, &url, "merged", merge, rows(0), n_rows).await;
        load(&world, &url, "merged", merge, rows(1), n_rows).await;
        load(&world, &url, "merged", merge, rows_from(n_rows, 1), n_rows).await;
        load(&world, &url, "appended", "mode: replace\n", rows(0), n_rows).await;
        read(&world, &url, n_rows).await;
        let file = folder.path().join("rows");
        let file = file.display();
        server.sql("bench", "CREATE TABLE copied (LIKE appended)");
        for format in ["binary", "csv"] {
            psql(&url, &format!("\\copy (SELECT * FROM appended) TO '{file}' (FORMAT {format})"));
            server.sql("bench", "TRUNCATE copied");
            let begun = Instant::now();
            psql(&url, &format!("\\copy copied FROM '{file}' (FORMAT {format})"));
            let secs = begun.elapsed().as_secs_f64();
            println!(
                "psql \\copy FROM {format:6} {secs:6.2} s  {:7.0} rows/s; appending took {:.2} of it",
                n_rows as f64 / secs,
                append / secs
            );
        }
    });
}

/// Loads the rows and prints what it took, from the first look at the target to the end of the commit.
async fn load(
    world: &Arc<World>,
    url: &str,
    table: &str,
    mode: &str,
    rows: impl Iterator<Item = Batch>,
    n_rows: usize,
) -> f64 {
    let mut problems = Problems::default();
    let node = etl::yaml::parse(&format!("url: {url}\ntable: {table}\n{mode}"), &mut problems).unwrap();
    let mut fields = node.fields("the target `out`", &mut problems);
    let decode = etl::target::KINDS.iter().find(|(kind, ..)| *kind == "postgres").unwrap().2;
    let spec = decode(&word("out"), &mut fields, &mut problems).unwrap();
    let load = Load {
        pipeline: "bench".to_owned(),
        source: "it".to_owned(),
        target: "out".to_owned(),
        run: "run".to_owned(),
        pipeline_hash: "hash".to_owned(),
    };
    // Making the rows is not part of what is measured.
    let rows: Vec<Batch> = rows.collect();
    let begun = Instant::now();
    let mut target = spec.open(load, world).await.unwrap();
    target.committed().await.unwrap();
    target.begin(&rows[0].columns().unwrap()).await.unwrap();
    for batch in rows {
        target.write(batch).await.unwrap();
    }
    let staged = begun.elapsed().as_secs_f64();
    let loaded = target.commit(&[unit()], None).await.unwrap();
    let secs = begun.elapsed().as_secs_f64();
    println!(
        "{:20} {secs:6.2} s  {:7.0} rows/s (staging {staged:.2} s): {} inserted, {} updated, {} unchanged",
        mode.lines().next().unwrap(),
        n_rows as f64 / secs,
        loaded.inserted,
        loaded.updated,
        loaded.unchanged
    );
    secs
}

async fn read(world: &Arc<World>, url: &str, n_rows: usize) {
    let mut problems = Problems::default();
    let node = etl::yaml::parse(&format!("url: {url}\ntable: appended\n"), &mut problems).unwrap();
    let mut fields = node.fields("the source `it`", &mut problems);
    let decode = etl::source::KINDS.iter().find(|(kind, ..)| *kind == "postgres").unwrap().2;
    let spec = decode(&word("it"), &mut fields, &mut problems).unwrap();
    let begun = Instant::now();
    let mut source = spec.open(world).await.unwrap();
    let units = source.units(None).await.unwrap();
    let (out, mut pieces) = Out::channel(4);
    let reading = source.read(&units[0], 0, out);
    let taking = async {
        let mut n = 0;
        while let Some(piece) = pieces.recv().await {
            if let Piece::Rows(batch) = piece {
                n += batch.n_rows();
            }
        }
        n
    };
    let (result, n) = tokio::join!(reading, taking);
    result.unwrap();
    assert_eq!(n, n_rows);
    let secs = begun.elapsed().as_secs_f64();
    println!("{:20} {secs:6.2} s  {:7.0} rows/s", "read", n_rows as f64 / secs);
}

fn psql(url: &str, command: &str) {
    let output = Command::new("psql").args(["-X", "-q", "-d", url, "-c", command]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn word(text: &str) -> Word {
    Word { text: text.to_owned(), at: Point::default() }
}

fn unit() -> Unit {
    Unit { id: "unit".to_owned(), name: "unit".to_owned(), watermark: None, n_bytes: None, n_rows: None }
}

fn world(folder: &std::path::Path) -> World {
    World {
        secrets: Arc::new(NoSecrets),
        roots: vec![folder.to_owned()],
        clock: Arc::new(testkit::FixedClock::at("2026-01-15T12:00:00Z")),
        keys: None,
        store: None,
        scratch: folder.join("scratch"),
        home: folder.to_owned(),
        engine: Arc::new(Engine::new(&folder.join("scratch"), 256 << 20).unwrap()),
        cancelled: Arc::new(AtomicBool::new(false)),
        checkpoint: Arc::new(|_| {}),
    }
}

/// Rows from a number on; every tenth has another weight when `changed` is 1.
fn batch(start: usize, n_rows: usize, changed: i64) -> Batch {
    let ids = || (start..start + n_rows).map(|id| id as i64);
    // A mixed order of keys, as files have them.
    let mixed = |id: i64| (id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let views = |of: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(ids().map(|id| Some(of(id))).collect::<StringViewArray>())
    };
    let coded = |values: &[&str]| -> ArrayRef {
        let keys: Int32Array = ids().map(|id| Some((mixed(id) % values.len() as u64) as i32)).collect();
        Arc::new(
            DictionaryArray::<Int32Type>::try_new(keys, Arc::new(StringArray::from(values.to_vec())))
                .unwrap(),
        )
    };
    let weight = |id: i64| i128::from(4_000 + id % 9_000 + if id % 10 == 0 { changed } else { 0 });
    let weights: Decimal128Array = ids().map(|id| (id % 20 != 7).then(|| weight(id))).collect();
    let heights: Float64Array = ids().map(|id| Some(140.0 + (id % 600) as f64 / 10.0)).collect();
    let instants: TimestampMicrosecondArray =
        ids().map(|id| Some(1_700_000_000_000_000 + id * 1_000_003)).collect();
    let columns: Vec<(Arc<str>, ArrayRef)> = vec![
        ("patient_id".into(), views(&|id| format!("P{:012}", mixed(id) % 1_000_000_000_000))),
        ("mrn".into(), views(&|id| format!("{:08}", id))),
        ("given_name".into(), coded(&["Ana", "Ben", "Chloé", "Dev", "Eva", "Farid", "Grace", "Hiro"])),
        ("family_name".into(), views(&|id| format!("Family{}", mixed(id) % 50_000))),
        (
            "birth_date".into(),
            Arc::new(ids().map(|id| Some((id % 30_000) as i32 - 10_000)).collect::<Date32Array>()),
        ),
        ("sex".into(), coded(&["female", "male", "unknown"])),
        ("race".into(), coded(&["1002-5", "2028-9", "2054-5", "2076-8", "2106-3"])),
        ("zip".into(), views(&|id| format!("{:05}", mixed(id) % 99_999))),
        ("state".into(), coded(&["AL", "AK", "AZ", "AR", "CA", "CO", "CT"])),
        ("weight_kg".into(), Arc::new(weights.with_precision_and_scale(7, 2).unwrap())),
        ("height_cm".into(), Arc::new(heights)),
        ("n_visits".into(), Arc::new(ids().map(|id| Some(id % 97)).collect::<Int64Array>())),
        ("is_active".into(), Arc::new(ids().map(|id| Some(id % 3 == 0)).collect::<BooleanArray>())),
        ("last_updated".into(), Arc::new(instants.with_timezone("UTC"))),
    ];
    Batch::new(columns, Places::numbered(0, start as u64 + 1, n_rows)).unwrap()
}
