//! What writing Parquet costs: the rows of the pipelines' bench (1M patients, 2M labs, 17 columns each) through the target `parquet`, beside the
//! general writer of the `parquet` crate with every text as a view. Prints CPU seconds, sizes, and the ratio.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, StringArray, StringViewBuilder,
};
use arrow::datatypes::DataType;
use etl::target::{KINDS, Load};
use etl::world::World;
use etl::{Problems, Secrets, Word};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use table::{Batch, Places};

const ROWS: u64 = 16_384;

/// A number that looks random and is the same each time.
fn mixed(stream: u64, row: u64) -> u64 {
    let seed = 0x005A_1105_u64.wrapping_add(stream.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut z = seed.wrapping_add(row.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Rows from `first`, of one table.
struct Rows {
    first: u64,
    n: u64,
}

impl Rows {
    fn each<T>(&self, of: impl Fn(u64) -> T) -> impl Iterator<Item = T> {
        (self.first..self.first + self.n).map(of)
    }

    fn some(stream: u64, row: u64, one_in: u64) -> bool {
        !mixed(stream + 100, row).is_multiple_of(one_in)
    }

    fn words(&self, stream: u64, n_words: u64, width: usize, missing_one_in: u64) -> ArrayRef {
        let values: StringArray = (0..n_words).map(|word| Some(format!("{word:0width$}"))).collect();
        let key = |row| {
            let key = i32::try_from(mixed(stream, row) % n_words).unwrap();
            Rows::some(stream, row, missing_one_in).then_some(key)
        };
        Arc::new(DictionaryArray::new(self.each(key).collect::<Int32Array>(), Arc::new(values)))
    }

    fn ids(&self, stream: u64, of: u64) -> ArrayRef {
        let mut ids = StringViewBuilder::new();
        for row in self.first..self.first + self.n {
            let id = mixed(stream, mixed(stream, row) % of);
            ids.append_value(format!("{id:016x}{:010x}", mixed(7, id) & 0xff_ffff_ffff));
        }
        Arc::new(ids.finish())
    }

    fn numbers(&self, stream: u64) -> ArrayRef {
        let number = |row| {
            let tenths = u32::try_from(mixed(stream, row) % 2_000).unwrap();
            Rows::some(stream, row, 30).then(|| f64::from(tenths) / 10.0)
        };
        Arc::new(self.each(number).collect::<Float64Array>())
    }

    fn decimals(&self, stream: u64) -> ArrayRef {
        let decimal = |row| Rows::some(stream, row, 30).then(|| i128::from(mixed(stream, row) % 2_000));
        let decimals = self.each(decimal).collect::<Decimal128Array>();
        Arc::new(decimals.with_precision_and_scale(18, 4).unwrap())
    }

    fn dates(&self, stream: u64, days: u64) -> ArrayRef {
        Arc::new(
            self.each(|row| Some(i32::try_from(mixed(stream, row) % days).unwrap())).collect::<Date32Array>(),
        )
    }

    fn integers(&self, stream: u64, of: u64) -> ArrayRef {
        let integer = |row| {
            let integer = i64::try_from(mixed(stream, row) % of).unwrap();
            Rows::some(stream, row, 90).then_some(integer)
        };
        Arc::new(self.each(integer).collect::<Int64Array>())
    }

    fn flags(&self, stream: u64) -> ArrayRef {
        let flag = |row| Rows::some(stream, row, 90).then(|| mixed(stream, row).is_multiple_of(2));
        Arc::new(self.each(flag).collect::<BooleanArray>())
    }

    fn batch(&self, columns: Vec<ArrayRef>) -> Batch {
        let named = columns.into_iter().enumerate().map(|(index, array)| (format!("c{index}").into(), array));
        Batch::new(named.collect(), Places::numbered(0, self.first + 1, usize::try_from(self.n).unwrap()))
            .unwrap()
    }
}

const NEVER: u64 = 1 << 40;

fn patients(rows: &Rows) -> Batch {
    rows.batch(vec![
        rows.ids(1, u64::MAX),
        rows.words(2, 4, 7, 100),
        rows.words(3, 7, 6, 40),
        rows.words(4, 3, 8, 30),
        rows.words(5, 5, 10, 25),
        rows.words(6, 3, 6, 10),
        rows.words(7, 890, 3, 200),
        rows.dates(8, 36_525),
        rows.dates(9, 60),
        rows.integers(10, 100),
        rows.numbers(11),
        rows.flags(12),
        rows.integers(13, 9),
        rows.words(14, 10, 10, 3),
        rows.flags(15),
        rows.words(16, 2, 32, NEVER),
        rows.words(17, 1, 36, NEVER),
    ])
}

fn labs(rows: &Rows) -> Batch {
    rows.batch(vec![
        rows.ids(1, 1_000_000),
        rows.ids(2, u64::MAX),
        rows.words(3, 5, 6, NEVER),
        rows.words(4, 5, 12, NEVER),
        rows.decimals(5),
        rows.words(6, 5, 5, NEVER),
        rows.words(7, 5, 8, NEVER),
        rows.dates(8, 365),
        rows.dates(9, 365),
        rows.words(10, 22, 7, 50),
        rows.words(11, 9, 5, NEVER),
        rows.numbers(12),
        rows.numbers(13),
        rows.numbers(14),
        rows.words(15, 5, 10, 20),
        rows.words(16, 1, 32, NEVER),
        rows.words(17, 1, 36, NEVER),
    ])
}

fn table(n_rows: u64, of: fn(&Rows) -> Batch) -> Vec<Batch> {
    (0..n_rows.div_ceil(ROWS))
        .map(|part| of(&Rows { first: part * ROWS, n: ROWS.min(n_rows - part * ROWS) }))
        .collect()
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok()).sum();
    ticks / 100.0
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        Err(format!("{reference} is not set"))
    }
}

fn world(folder: &std::path::Path) -> Arc<World> {
    Arc::new(World {
        secrets: Arc::new(NoSecrets),
        roots: vec![folder.to_owned()],
        clock: Arc::new(testkit::FixedClock::at("2026-01-15T12:00:00Z")),
        keys: None,
        store: None,
        scratch: folder.to_owned(),
        home: folder.to_owned(),
        engine: Arc::new(etl::engine::Engine::new(folder, 64 << 20).unwrap()),
        cancelled: Arc::default(),
        checkpoint: Arc::new(|_| {}),
    })
}

/// CPU seconds and bytes of a load through the target.
async fn through_the_target(batches: &[Batch], compression: &str) -> (f64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let mut problems = Problems::default();
    let options = format!("{{path: out, mode: replace, compression: {compression}}}");
    let node = etl::yaml::parse(&options, &mut problems).unwrap();
    let mut fields = node.fields("the target", &mut problems);
    let decode = KINDS.iter().find(|(name, ..)| *name == "parquet").unwrap().2;
    let spec = decode(&Word { text: "out".to_owned(), at: fields.at() }, &mut fields, &mut problems).unwrap();
    let word = |text: &str| text.to_owned();
    let load = Load {
        pipeline: word("bench"),
        source: word("rows"),
        target: word("out"),
        run: word("1"),
        pipeline_hash: word("0"),
    };
    let mut target = spec.open(load, &world).await.unwrap();
    let start = cpu();
    target.begin(&batches[0].columns().unwrap()).await.unwrap();
    for batch in batches {
        target.write(batch.clone()).await.unwrap();
    }
    let loaded = target.commit(&[], None).await.unwrap();
    (cpu() - start, loaded.n_bytes.unwrap_or_default())
}

/// CPU seconds and bytes of the general writer, with texts as views.
fn with_views(batches: &[Batch], compression: Compression) -> (f64, u64) {
    let record = |batch: &Batch| {
        let record = batch.without_places();
        let schema = record.schema();
        let columns = schema.fields().iter().zip(record.columns()).map(|(field, array)| {
            let is_coded = matches!(array.data_type(), DataType::Dictionary(_, _));
            let plain = || arrow::compute::cast(array, &DataType::Utf8View).unwrap();
            (field.name().clone(), if is_coded { plain() } else { array.clone() }, true)
        });
        arrow::array::RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    let records: Vec<_> = batches.iter().map(record).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(131_072))
        .build();
    let start = cpu();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, records[0].schema(), Some(properties)).unwrap();
    for record in &records {
        writer.write(record).unwrap();
    }
    writer.into_inner().unwrap().sync_all().unwrap();
    (cpu() - start, path.metadata().unwrap().len())
}

#[expect(clippy::print_stdout, reason = "a bench reports on standard output")]
fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --benches` only builds it.
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, batches) in [("patients", table(1_000_000, patients)), ("labs", table(2_000_000, labs))] {
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
        for (word, compression) in
            [("zstd", zstd), ("snappy", Compression::SNAPPY), ("none", Compression::UNCOMPRESSED)]
        {
            let least = |runs: [(f64, u64); 3]| runs.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
            let ours = least(std::array::from_fn(|_| runtime.block_on(through_the_target(&batches, word))));
            let general = least(std::array::from_fn(|_| with_views(&batches, compression)));
            println!(
                "{name:8} {word:6}  target {:5.2} CPU s {:4} MiB   general writer, views {:5.2} CPU s {:4} MiB   ratio {:.2}",
                ours.0,
                ours.1 >> 20,
                general.0,
                general.1 >> 20,
                general.0 / ours.0
            );
        }
    }
}
