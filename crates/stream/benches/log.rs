//! What a durable append costs: `cargo bench -p salus-stream --bench log -- [SECONDS] [kafka]`. Events/s and latency at 1, 64 and 256 in flight, beside raw
//! durable appends of the same rows in the same run: to a plain file (write, then one `fdatasync` for all that wait) and to a plain SQLite table.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends where it fails")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use event::Kind;
use stream::log::{Append, EventLog, KafkaSettings};
use testkit::{DataFolder, Kafka};
use tokio::sync::{mpsc, oneshot};

const IN_FLIGHT: [u64; 3] = [1, 64, 256];
const N_PARTITIONS: u32 = 8;
const ROUNDS: usize = 2;
const PATIENTS: u64 = 1000;

/// Where rows are appended.
#[derive(Clone)]
enum Target {
    Log(EventLog),
    File(mpsc::UnboundedSender<(Append, oneshot::Sender<()>)>),
    Table(db::Database),
}

impl Target {
    async fn append(&self, row: Append) {
        match self {
            Target::Log(log) => {
                log.append(vec![row]).await.unwrap();
            }
            Target::File(writer) => {
                let (done, is_done) = oneshot::channel();
                writer.send((row, done)).ok().unwrap();
                is_done.await.unwrap();
            }
            Target::Table(database) => {
                let insert = move |conn: &rusqlite::Connection| {
                    let sql = "INSERT INTO raw (key, id, header, body) VALUES (?1, ?2, ?3, ?4)";
                    conn.prepare_cached(sql)?.execute((row.key, row.id, &row.headers[0].1, row.body))
                };
                database.write(insert).await.unwrap();
            }
        }
    }
}

/// One thread that writes all that waits, syncs once and answers.
fn raw_file(path: &Path) -> Target {
    let mut file = File::create(path).unwrap();
    let (writer, mut rows) = mpsc::unbounded_channel::<(Append, oneshot::Sender<()>)>();
    std::thread::spawn(move || {
        let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
        while let Some(first) = rows.blocking_recv() {
            let mut next = Some(first);
            while let Some((row, done)) = next {
                for part in [row.key.as_bytes(), row.id.as_bytes(), row.headers[0].1.as_bytes(), &row.body] {
                    bytes.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
                    bytes.extend(part);
                }
                waiting.push(done);
                next = rows.try_recv().ok();
            }
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            bytes.clear();
            for done in waiting.drain(..) {
                done.send(()).unwrap();
            }
        }
    });
    Target::File(writer)
}

fn raw_table(path: &Path) -> Target {
    const TABLE: &str =
        "CREATE TABLE raw (n INTEGER PRIMARY KEY, key TEXT, id TEXT, header TEXT, body BLOB) STRICT";
    Target::Table(db::Database::open(db::Options::new(path, 0x5a17, &[TABLE])).unwrap())
}

/// Vital signs as a monitor sends them, about 450 bytes.
fn row(n: u64) -> Append {
    let patient = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % PATIENTS;
    let body = format!(
        "{{\"schema\":1,\"id\":\"{n}\",\"kind\":\"vital_signs\",\"patient\":\"Patient/{patient}\",\"at\":\"2026-11-25T13:17:43.123Z\",\
         \"source\":\"monitor\",\"unit\":\"ward-3\",\"data\":[{{\"name\":\"heart_rate\",\"loinc\":\"8867-4\",\"value\":{},\"unit\":\"/min\"}},\
         {{\"name\":\"spo2\",\"loinc\":\"59408-5\",\"value\":97,\"unit\":\"%\"}},{{\"name\":\"systolic\",\"loinc\":\"8480-6\",\"value\":{},\
         \"unit\":\"mm[Hg]\"}},{{\"name\":\"respiratory_rate\",\"loinc\":\"9279-1\",\"value\":16,\"unit\":\"/min\"}}]}}",
        60 + n % 60,
        100 + n % 50,
    );
    Append {
        kind: Kind::VitalSigns,
        key: event::key_of("main", &format!("Patient/{patient}")),
        id: format!("monitor|{n}"),
        content: Append::content_of(body.as_bytes()),
        headers: vec![("tenant".into(), "main".into())],
        body: body.into_bytes(),
    }
}

/// Events/s, p50 and p99 in milliseconds.
async fn measure(
    target: &Target,
    in_flight: u64,
    numbers: &Arc<AtomicU64>,
    time: Duration,
) -> (f64, f64, f64) {
    let begun = Instant::now();
    let tasks = (0..in_flight).map(|_| {
        let (target, numbers) = (target.clone(), Arc::clone(numbers));
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                let row = row(numbers.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                target.append(row).await;
                latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        latencies.extend(task.await.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    #[allow(clippy::cast_precision_loss, reason = "far fewer events than that")]
    let per_second = latencies.len() as f64 / seconds;
    (per_second, latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100])
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let seconds = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(5);
    let with_kafka = arguments.iter().any(|argument| argument == "kafka");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = DataFolder::new();
        let database = stream::open_log(&folder.join("log.db")).unwrap();
        let embedded = EventLog::open_embedded(database.clone(), N_PARTITIONS).await.unwrap();
        let mut targets = vec![
            ("raw file", raw_file(&folder.join("raw"))),
            ("raw table", raw_table(&folder.join("raw.db"))),
            ("embedded", Target::Log(embedded)),
        ];
        let broker = if with_kafka { Kafka::shared() } else { None };
        if let Some(broker) = broker {
            let settings = KafkaSettings::new(broker.bootstrap_servers(), N_PARTITIONS);
            targets.push(("kafka", Target::Log(EventLog::open_kafka(settings).await.unwrap())));
        }
        let numbers = Arc::new(AtomicU64::new(0));
        println!("{:<10} {:>9} {:>12} {:>9} {:>9}", "target", "in flight", "events/s", "p50 ms", "p99 ms");
        for in_flight in IN_FLIGHT {
            for _ in 0..ROUNDS {
                // In turns: the disk's mood changes.
                for (name, target) in &targets {
                    let (rate, p50, p99) =
                        measure(target, in_flight, &numbers, Duration::from_secs(seconds)).await;
                    println!("{name:<10} {in_flight:>9} {rate:>12.0} {p50:>9.2} {p99:>9.2}");
                }
            }
        }
        database.close().await.unwrap();
    });
}
