//! How fast delimited text becomes typed columns, against a search for line ends in the same file in the same run.
//!
//! `cargo bench -p salus-table --bench csv -- patients.csv=born:date labs.csv=result_value:decimal(9,1)` reads each file three times:
//! all columns as text, then with the types that are given, and prints MB/s and CPU seconds of the best run.

#![allow(clippy::print_stdout, reason = "it prints its result")]

use std::fs::File;
use std::io::Read as _;
use std::time::Instant;

use table::csv::{Options, Wanted, open};
use table::{OnError, Reading, Type};

/// CPU seconds of this process so far.
fn cpu_secs() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit(')').next().unwrap_or_default();
    let ticks =
        |n: usize| rest.split_whitespace().nth(n).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Best of some runs: CPU seconds, wall seconds, and what the run gave.
fn best<T>(mut run: impl FnMut() -> T) -> (f64, f64, T) {
    let mut best: Option<(f64, f64, T)> = None;
    for _ in 0..3 {
        let (cpu, wall) = (cpu_secs(), Instant::now());
        let result = run();
        let (cpu, wall) = (cpu_secs() - cpu, wall.elapsed().as_secs_f64());
        if best.as_ref().is_none_or(|(least, ..)| cpu < *least) {
            best = Some((cpu, wall, result));
        }
    }
    best.expect("there was a run")
}

fn count_lines(path: &str) -> (u64, u64) {
    let mut file = File::open(path).expect("the file opens");
    let mut block = vec![0; 1 << 20];
    let (mut n_lines, mut n_bytes) = (0, 0);
    loop {
        let n = file.read(&mut block).expect("the file is read");
        if n == 0 {
            return (n_lines, n_bytes);
        }
        n_bytes += n as u64;
        n_lines += memchr::memchr_iter(b'\n', &block[..n]).count() as u64;
    }
}

fn read(path: &str, types: &[(&str, Type)]) -> (usize, usize) {
    let opened =
        open(Box::new(File::open(path).expect("the file opens")), Options::default()).expect("a header");
    let wanted = opened.names().iter().enumerate().map(|(at, name)| {
        let kind = types.iter().find(|(typed, _)| typed == name).map_or(Type::Text, |(_, kind)| *kind);
        Wanted {
            name: name.as_str().into(),
            at,
            reading: Reading { on_error: OnError::Null, ..Reading::new(kind) },
        }
    });
    let wanted = wanted.collect();
    let (mut n_rows, mut n_rejects) = (0, 0);
    for piece in opened.read(0, wanted) {
        let piece = piece.expect("the file is read");
        n_rows += piece.batch.map_or(0, |batch| batch.n_rows());
        n_rejects += piece.rejects.len();
    }
    (n_rows, n_rejects)
}

fn main() {
    for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let (path, types) = argument.split_once('=').unwrap_or((&argument, ""));
        let types: Vec<(&str, Type)> = types
            .split(';')
            .filter_map(|typed| typed.split_once(':'))
            .map(|(name, kind)| (name, Type::parse(kind).expect("a type")))
            .collect();
        let shown = |what: &str, n_bytes: u64, (cpu, wall): (f64, f64)| {
            let speed = n_bytes as f64 / 1e6 / cpu.max(0.01);
            println!("{path}: {what}: {cpu:.2} CPU s, {wall:.2} s, {speed:.0} MB per CPU s");
        };
        let (cpu, wall, (n_lines, n_bytes)) = best(|| count_lines(path));
        shown(&format!("{n_lines} line ends"), n_bytes, (cpu, wall));
        let (cpu, wall, (n_rows, n_rejects)) = best(|| read(path, &[]));
        shown(&format!("text, {n_rows} rows, {n_rejects} rejects"), n_bytes, (cpu, wall));
        if !types.is_empty() {
            let (cpu, wall, (n_rows, n_rejects)) = best(|| read(path, &types));
            shown(&format!("typed, {n_rows} rows, {n_rejects} rejects"), n_bytes, (cpu, wall));
        }
    }
}
