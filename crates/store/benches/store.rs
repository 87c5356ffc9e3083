//! What writes, reads and searches cost: `cargo bench -p salus-store -- FOLDER [REPLICAS] [DATA]` with a folder of FHIR transaction bundles (or
//! `synth:N` for N synthetic people), and a folder in which the database stays.
//! Processor seconds hold on a busy machine; seconds do not.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends where it fails")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use db::SystemClock;
use fhir::json::Limits;
use fhir::{Clock, Kind, Resource, Value};
use search::{Options, Restrictions};
use store::{Action, Author, Page, PermitAll, Store, StoreConfig, Tenant, WriteOp, WriteRequest};

const CLIENTS: usize = 20;

/// That of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let Some(folder) = args.next() else {
        println!("not measured: name a folder of FHIR transaction bundles");
        return;
    };
    let replicas: usize = args.next().map_or(3, |text| text.parse().unwrap());
    let bundles = load(&folder);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let dir = args.next().map_or(temporary.path().to_owned(), std::path::PathBuf::from);
    runtime.block_on(async {
        let config = StoreConfig::new(&dir, "http://localhost/fhir");
        let store = Store::open(config, Arc::new(SystemClock)).unwrap();
        write(&store, bundles, replicas).await;
        store.close().await.unwrap();
    });
    let size = std::fs::metadata(dir.join("salus.db")).unwrap().len();
    let config = StoreConfig::new(&dir, "http://localhost/fhir");
    let start = Instant::now();
    let store = Store::open(config, Arc::new(SystemClock)).unwrap();
    println!("open: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    runtime.block_on(async {
        let counts = store.counts(&Tenant::main(), &Restrictions::all()).await.unwrap();
        let n: u64 = counts.iter().map(|(_, n)| n).sum();
        println!("{n} resources, {:.0} bytes on disk each", size as f64 / n as f64);
        read(&store).await;
        search_all(&store).await;
        let (start, cpu) = (Instant::now(), Cpu::now());
        store.rebuild_index().await.unwrap();
        println!("rebuild: {:.1} s, {:.1} processor s", start.elapsed().as_secs_f64(), cpu.since());
        let (start, cpu) = (Instant::now(), Cpu::now());
        let report = store.check().await.unwrap();
        println!(
            "check: {:.1} s, {:.1} processor s, {} problems",
            start.elapsed().as_secs_f64(),
            cpu.since(),
            report.problems.len()
        );
    });
    tables(&dir.join("salus.db"));
}

async fn write(store: &Store, bundles: Vec<Vec<u8>>, replicas: usize) {
    let (bundles, next, n) =
        (Arc::new(bundles), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (start, cpu) = (Instant::now(), Cpu::now());
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (store, bundles, next, n) =
                (store.clone(), Arc::clone(&bundles), Arc::clone(&next), Arc::clone(&n));
            tokio::spawn(async move {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= bundles.len() * replicas {
                        return;
                    }
                    let bundles = Arc::clone(&bundles);
                    let ops = tokio::task::spawn_blocking(move || ops_of(&bundles[at % bundles.len()]))
                        .await
                        .unwrap();
                    n.fetch_add(ops.len(), Ordering::Relaxed);
                    let request = WriteRequest {
                        tenant: Tenant::main(),
                        author: author(),
                        atomic: true,
                        ops,
                        decide: Arc::new(PermitAll),
                        restrictions: Restrictions::all(),
                    };
                    store.write(request).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (secs, used, n) = (start.elapsed().as_secs_f64(), cpu.since(), n.load(Ordering::Relaxed) as f64);
    println!(
        "write: {n} resources, {:.0}/s, {:.0} per processor second, processor s {used:.1}",
        n / secs,
        n / used
    );
    println!("  of which threads: {:?}", Cpu::now().threads_since(&cpu));
}

async fn read(store: &Store) {
    let names: Vec<(Kind, String)> = find(store, "Observation?_count=1000", 1_000).await;
    const ROUNDS: usize = 50;
    let (start, cpu) = (Instant::now(), Cpu::now());
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (store, names) = (store.clone(), names.clone());
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    for (kind, id) in &names {
                        store.read(&Tenant::main(), *kind, id).await.unwrap().unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let n = (names.len() * ROUNDS * CLIENTS) as f64;
    let used = Cpu::now().threads_since(&cpu);
    let readers: f64 =
        used.iter().filter(|(name, _)| name.starts_with("db-read")).map(|(_, secs)| secs).sum();
    println!(
        "read: {:.0}/s, {:.0} per processor second of a reader thread",
        n / start.elapsed().as_secs_f64(),
        n / readers
    );
}

const SEARCHES: [&str; 24] = [
    "Patient?name=a",
    "Patient?name:contains=er",
    "Patient?address=bos",
    "Patient?birthdate=gt1980-01-01",
    "Observation?code=http://loinc.org|8302-2",
    "Observation?code=8302-2&_total=accurate",
    "Observation?code=http://loinc.org|8302-2,http://loinc.org|4548-4",
    "Observation?category=vital-signs",
    "Observation?date=gt2015-01-01",
    "Observation?date=lt1990",
    "Observation?code=http://loinc.org|4548-4&date=ge2010&date=lt2012",
    "Observation?code=http://loinc.org|4548-4&value-quantity=gt6",
    "Observation?value-quantity=gt180",
    "Observation?code-value-quantity=http://loinc.org|4548-4$gt6",
    "Observation?component-code-value-quantity=http://loinc.org|8480-6$gt140",
    "Observation?combo-value-quantity=gt180",
    "Encounter?status=finished&class=AMB",
    "Encounter?date=ge2018-06-01",
    "Observation?patient.gender=female&code=http://loinc.org|4548-4",
    "Observation?patient.birthdate=lt1950&code=http://loinc.org|4548-4",
    "Patient?_has:Observation:patient:code=http://loinc.org|4548-4",
    "Observation?code=http://loinc.org|4548-4&_include=Observation:patient",
    "Observation?code=http://loinc.org|4548-4&_sort=-date",
    "Patient?_sort=family",
];

async fn search_all(store: &Store) {
    for text in SEARCHES {
        let mut times = Vec::new();
        let cpu = Cpu::now();
        let mut found = 0;
        const ROUNDS: usize = 20;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            found = find(store, text, 20).await.len();
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "search {:.2} ms median, {:.2} ms worst, {:.2} ms processor, {found} found: {text}",
            times[times.len() / 2],
            times[times.len() - 1],
            cpu.since() * 1e3 / ROUNDS as f64
        );
    }
}

async fn find(store: &Store, text: &str, count: u32) -> Vec<(Kind, String)> {
    let (kind, text) = text.split_once('?').unwrap();
    let options = Options::new(true, vec!["http://localhost/fhir".into()], SystemClock.now());
    let query = search::parse(Some(Kind::named(kind)), text, &options).unwrap().query;
    let page = Page { count, cursor_secret: b"secret", principal: "bench" };
    let page = store.search(&Tenant::main(), &query, &Restrictions::all(), &page).await.unwrap();
    page.matches.iter().map(|stored| (stored.kind, stored.id.to_string())).collect()
}

fn author() -> Author {
    Author {
        principal: "bench".into(),
        purpose: "HOPERAT".into(),
        request: "3e1f6c1e-0000-4000-8000-000000000000".into(),
        decision: "role service".into(),
        on_behalf_of: None,
    }
}

fn load(folder: &str) -> Vec<Vec<u8>> {
    if let Some(n) = folder.strip_prefix("synth:") {
        let population = synth::Population::new(synth::Config::new(n.parse().unwrap(), 7));
        let people = (0..population.config().patients).map(|at| population.patient(at));
        return people.map(|resources| synth::bundle_of(resources).to_bytes()).collect();
    }
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn ops_of(bytes: &[u8]) -> Vec<WriteOp> {
    let Value::Object(mut bundle) = fhir::json::parse(bytes, &Limits::default()).unwrap() else {
        panic!("not a bundle")
    };
    let Some(Value::Array(entries)) = bundle.remove("entry") else { panic!("no entries") };
    let op = |mut entry: Value| {
        let full_url = entry.text("fullUrl").map(str::to_owned);
        let resource = Resource::from_value(entry.get_mut("resource").unwrap().take()).unwrap();
        WriteOp { full_url, action: Action::Create { resource, if_none_exist: None } }
    };
    entries.into_iter().map(op).collect()
}

/// Processor seconds of all threads by name.
struct Cpu(BTreeMap<String, f64>);

impl Cpu {
    fn now() -> Cpu {
        let mut threads = BTreeMap::new();
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            let Ok(text) = std::fs::read_to_string(task.unwrap().path().join("stat")) else { continue };
            let (head, rest) = text.rsplit_once(')').unwrap();
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
            *threads.entry(head.split_once('(').unwrap().1.to_string()).or_insert(0.0) += ticks / 100.0;
        }
        Cpu(threads)
    }

    fn since(&self) -> f64 {
        Cpu::now().threads_since(self).iter().map(|(_, secs)| secs).sum()
    }

    fn threads_since(&self, before: &Cpu) -> Vec<(String, f64)> {
        let since = |(name, secs): (&String, &f64)| (name.clone(), secs - before.0.get(name).unwrap_or(&0.0));
        self.0.iter().map(since).collect()
    }
}

/// Bytes of each table.
fn tables(path: &std::path::Path) {
    let conn = rusqlite::Connection::open(path).unwrap();
    let Ok(mut statement) =
        conn.prepare("SELECT name, sum(pgsize), sum(ncell) FROM dbstat GROUP BY name ORDER BY 2 DESC")
    else {
        return;
    };
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?, row.get::<_, f64>(2)?)))
        .unwrap();
    for (name, bytes, cells) in rows.flatten() {
        println!(
            "table {name}: {:.1} MB, {cells} rows, {:.1} bytes each",
            bytes / 1e6,
            bytes / cells.max(1.0)
        );
    }
}
