//! Folders of Parquet, CSV and NDJSON.

use std::sync::Arc;

use etl::source::Division;
use etl::target::TargetSpec;
use etl::{EtlError, Problems};
use table::{Batch, Column, Columns, Type, Value};
use testkit::python;

use crate::harness::{Ground, a_load, counts, load, load_into, people, rows, run, spec, unit};

const KINDS: [&str; 3] = ["parquet", "csv", "ndjson"];

/// Reads a folder with the help of its manifest only, and prints its rows in the order of the key.
const READ: &str = r#"
import sys, json, hashlib, pyarrow as pa, pyarrow.parquet as pq, pyarrow.csv as pc, pyarrow.json as pj
import urllib.parse
folder = sys.argv[1]
manifest = json.load(open(folder + '/_manifest.json'))
out = []
for file in manifest['files']:
    path = folder + '/' + file['path']
    data = open(path, 'rb').read()
    assert len(data) == file['bytes'] and hashlib.sha256(data).hexdigest() == file['sha256'], path
    if '.parquet' in path: table = pq.read_table(path, partitioning=None)
    elif '.csv' in path: table = pc.read_csv(path, convert_options=pc.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False, column_types={'id': pa.string()}), parse_options=pc.ParseOptions(newlines_in_values=True))
    else: table = pj.read_json(path)
    rows = table.to_pylist()
    assert len(rows) == file['rows']
    for part in file['path'].split('/')[:-1]:
        name, value = part.split('=', 1)
        value = None if value == '__HIVE_DEFAULT_PARTITION__' else urllib.parse.unquote(value)
        for row in rows: row[name] = value
    out += rows
for row in sorted(out, key=lambda row: (row['id'] or '', row['n'], row['name'] or '')):
    print(row['id'], row['name'], row['state'], row['n'])
"#;

fn read(ground: &Ground, name: &str) -> Option<String> {
    python(READ, &[ground.path(name).to_str().unwrap()])
}

fn parsed(kind: &str, options: &str) -> Box<dyn TargetSpec> {
    spec(kind, options).unwrap()
}

#[test]
fn every_mode_in_every_format_is_read_by_pyarrow() {
    run(async {
        for kind in KINDS {
            for partition in ["", ", partition_by: [state]"] {
                let ground = Ground::new();
                let world = ground.world(None);
                let first = vec![
                    rows(&[("1", "Ana", "AL", 1), ("2", "Bo, \"the\r\nsecond\"", "", 2)]),
                    rows(&[("3", "Cy", "A/Z", 3)]),
                ];
                let append = parsed(kind, &format!("{{path: out{partition}}}"));
                let loaded = load(&world, append.as_ref(), "r1", "u1", first).await.unwrap();
                assert_eq!(counts(&loaded), (3, 0, 0, 0));
                let merge = parsed(kind, &format!("{{path: out, mode: merge, key: [id]{partition}}}"));
                let second = vec![rows(&[
                    ("4", "Di", "AL", 4),
                    ("1", "Ana", "AL", 1),
                    ("2", "first of two", "AL", 9),
                    ("2", "Bo", "AL", 2),
                ])];
                let loaded = load(&world, merge.as_ref(), "r2", "u2", second).await.unwrap();
                assert_eq!(counts(&loaded), (1, 1, 1, 1), "{kind}");
                let Some(merged) = read(&ground, "out") else { return };
                assert_eq!(merged, "1 Ana AL 1\n2 Bo AL 2\n3 Cy A/Z 3\n4 Di AL 4\n", "{kind}");
                let replace = parsed(kind, &format!("{{path: out, mode: replace{partition}}}"));
                let third = vec![rows(&[("9", "Zo", "AL", 9)])];
                let loaded = load(&world, replace.as_ref(), "r3", "u3", third).await.unwrap();
                assert_eq!(counts(&loaded), (1, 0, 0, 0));
                assert_eq!(read(&ground, "out").unwrap(), "9 Zo AL 9\n");
                // Besides the one file of data: the manifest and the lock.
                assert_eq!(ground.content("out").len(), 3, "{kind}");
            }
        }
    });
}

#[test]
fn running_twice_changes_no_byte() {
    run(async {
        for kind in KINDS {
            for options in ["mode: replace", "mode: merge, key: [id]", "mode: replace, partition_by: [state]"]
            {
                let ground = Ground::new();
                let world = ground.world(None);
                let spec = parsed(kind, &format!("{{path: out, {options}}}"));
                let audited = |run: &str| {
                    let batch = rows(&[("1", "Ana", "AL", 1), ("2", "", "AZ", 2)]);
                    let audit = arrow::array::StringViewArray::from(vec![run; 2]);
                    vec![batch.with("etl_run_id", Arc::new(audit)).unwrap()]
                };
                load(&world, spec.as_ref(), "r1", "u", audited("r1")).await.unwrap();
                let before = ground.content("out");
                assert!(before.len() > 2);
                let loaded = load(&world, spec.as_ref(), "r2", "u", audited("r2")).await.unwrap();
                assert_eq!(counts(&loaded), (0, 0, 2, 0), "{kind} {options}");
                assert_eq!(ground.content("out"), before, "{kind} {options}");
            }
            // An appended unit is not loaded again: the run leaves it out, and the target refuses it.
            let ground = Ground::new();
            let world = ground.world(None);
            let spec = parsed(kind, "{path: out}");
            load(&world, spec.as_ref(), "r1", "u", vec![rows(&[("1", "Ana", "AL", 1)])]).await.unwrap();
            let before = ground.content("out");
            let mut target = spec.open(a_load("r2"), &world).await.unwrap();
            let committed = target.committed().await.unwrap();
            assert_eq!(committed.units, ["u"]);
            assert_eq!(committed.watermark.as_deref(), Some("w1"));
            target.begin(&people()).await.unwrap();
            target.commit(&[], None).await.unwrap();
            assert_eq!(ground.content("out"), before);
            let again = load(&world, spec.as_ref(), "r3", "u", vec![rows(&[("1", "Ana", "AL", 1)])]).await;
            assert!(again.unwrap_err().to_string().contains("another run loaded the same unit"));
        }
    });
}

#[test]
fn a_load_that_is_killed_leaves_the_old_content_and_its_garbage_is_removed() {
    run(async {
        for (point, is_committed) in
            [("staged", false), ("renamed", false), ("before-manifest", false), ("after-manifest", true)]
        {
            for options in ["", ", mode: replace", ", mode: merge, key: [id]", ", partition_by: [state]"] {
                let ground = Ground::new();
                let spec = parsed("parquet", &format!("{{path: out{options}}}"));
                let first = vec![rows(&[("1", "Ana", "AL", 1), ("2", "Bo", "AL", 2)])];
                load(&ground.world(None), spec.as_ref(), "r1", "u1", first).await.unwrap();
                let before = ground.content("out");
                let Some(old) = read(&ground, "out") else { return };
                let second = || vec![rows(&[("2", "Bob", "AL", 2), ("3", "Cy", "AZ", 3)])];
                let world = ground.world(Some(point));
                let spec_ = &spec;
                let died = tokio::task::LocalSet::new()
                    .run_until(async move {
                        let load = load(&world, spec_.as_ref(), "r2", "u2", second());
                        futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(load)).await
                    })
                    .await;
                assert!(died.is_err(), "{point}");
                let now = read(&ground, "out").unwrap();
                if is_committed {
                    assert_ne!(now, old, "{point}{options}");
                } else {
                    assert_eq!(now, old, "{point}{options}");
                    assert!(
                        ground.content("out").len() > before.len(),
                        "{point}: there is no garbage to remove"
                    );
                }
                // The next run first removes what was left over, then does what was not done.
                let mut target = spec.open(a_load("r3"), &ground.world(None)).await.unwrap();
                let is_known = target.committed().await.unwrap().units.contains(&"u2".to_owned());
                assert_eq!(is_known, is_committed);
                target.begin(&people()).await.unwrap();
                target.abort().await.unwrap();
                if !is_committed {
                    assert_eq!(ground.content("out"), before, "{point}{options}");
                    let mut target = spec.open(a_load("r4"), &ground.world(None)).await.unwrap();
                    load_into(target.as_mut(), "u2", second()).await.unwrap();
                }
                let undisturbed = Ground::new();
                let first = vec![rows(&[("1", "Ana", "AL", 1), ("2", "Bo", "AL", 2)])];
                load(&undisturbed.world(None), spec.as_ref(), "r1", "u1", first).await.unwrap();
                load(&undisturbed.world(None), spec.as_ref(), "r2", "u2", second()).await.unwrap();
                assert_eq!(read(&ground, "out"), read(&undisturbed, "out"), "{point}{options}");
                assert_eq!(ground.content("out").len(), undisturbed.content("out").len(), "{point}{options}");
            }
        }
    });
}

/// Every type with the least, the most and nothing.
fn extremes() -> Batch {
    let kinds = [
        ("t", Type::Text),
        ("i", Type::Integer),
        ("d", Type::Decimal { precision: 38, scale: 10 }),
        ("x", Type::Number),
        ("day", Type::Date),
        ("at", Type::Instant),
        ("yes", Type::Boolean),
    ];
    let columns = Columns::new(kinds.iter().map(|(name, kind)| Column::new(*name, *kind)).collect()).unwrap();
    let row = |t: &str, i, d, x, day, at, yes| {
        vec![
            Value::from(t),
            Value::Integer(i),
            Value::Decimal(d, 10),
            Value::Number(x),
            Value::Date(day),
            Value::Instant(at),
            Value::Boolean(yes),
        ]
    };
    let most = 10_i128.pow(38) - 1;
    Batch::from_rows(
        &columns,
        &[
            row("", i64::MIN, -most, f64::MIN, -719_162, -62_135_596_800_000_000, false),
            row(
                "å\u{1F600}\"'\n",
                i64::MAX,
                most,
                f64::MIN_POSITIVE,
                2_932_896,
                253_402_300_799_999_999,
                true,
            ),
            vec![Value::Null; 7],
        ],
    )
    .unwrap()
}

#[test]
fn every_type_comes_back_with_its_extremes() {
    let batch = extremes();
    let script = r#"
import sys, json, pyarrow.parquet as pq
folder = sys.argv[1]
manifest = json.load(open(folder + '/_manifest.json'))
table = pq.read_table(folder + '/' + manifest['files'][0]['path'])
for field in table.schema: print(field.name, field.type)
for row in table.to_pylist(): print(list(row.values()))
"#;
    run(async {
        let ground = Ground::new();
        let spec = parsed("parquet", "{path: out}");
        load(&ground.world(None), spec.as_ref(), "r1", "u1", vec![batch.clone()]).await.unwrap();
        let Some(printed) = python(script, &[ground.path("out").to_str().unwrap()]) else { return };
        let expected = "t string\ni int64\nd decimal128(38, 10)\nx double\nday date32[day]\nat timestamp[us, tz=UTC]\nyes bool
['', -9223372036854775808, Decimal('-9999999999999999999999999999.9999999999'), -1.7976931348623157e+308, datetime.date(1, 1, 1), datetime.datetime(1, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), False]
['å😀\"\\'\\n', 9223372036854775807, Decimal('9999999999999999999999999999.9999999999'), 2.2250738585072014e-308, datetime.date(9999, 12, 31), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc), True]
[None, None, None, None, None, None, None]
";
        assert_eq!(printed.replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc"), expected);
        // The text formats hold the same digits.
        for kind in ["csv", "ndjson"] {
            let spec = parsed(kind, &format!("{{path: {kind}}}"));
            load(&ground.world(None), spec.as_ref(), "r1", "u1", vec![batch.clone()]).await.unwrap();
            let content = ground.content(kind);
            let file = content.iter().find(|(path, _)| path.to_string_lossy().contains("part-")).unwrap();
            let text = String::from_utf8(file.1.clone()).unwrap();
            for part in [
                "9999999999999999999999999999.9999999999",
                "-9223372036854775808",
                "0001-01-01T00:00:00.000000Z",
                "9999-12-31",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    });
}

#[test]
fn statistics_of_a_file_with_a_privacy_manifest_hold_no_text() {
    run(async {
        for is_private in [true, false] {
            let ground = Ground::new();
            let spec = parsed("parquet", "{path: out, text_statistics: true, compression: snappy}");
            let mut target = spec.open(a_load("r1"), &ground.world(None)).await.unwrap();
            if is_private {
                target.attach("privacy_manifest", serde_json::json!({"profile": "safe_harbor"}));
            }
            load_into(target.as_mut(), "u", vec![rows(&[("MRN-4711", "Ana Abel", "AL", 77)])]).await.unwrap();
            let script = r#"
import sys, json, pyarrow.parquet as pq
folder = sys.argv[1]
manifest = json.load(open(folder + '/_manifest.json'))
group = pq.ParquetFile(folder + '/' + manifest['files'][0]['path']).metadata.row_group(0)
for i in range(group.num_columns):
    s = group.column(i).statistics
    print(group.column(i).path_in_schema, group.column(i).compression, s.max if s and s.has_min_max else '-')
"#;
            let Some(printed) = python(script, &[ground.path("out").to_str().unwrap()]) else { return };
            let expected = if is_private {
                "id SNAPPY -\nname SNAPPY -\nstate SNAPPY -\nn SNAPPY 77\n"
            } else {
                "id SNAPPY MRN-4711\nname SNAPPY Ana Abel\nstate SNAPPY AL\nn SNAPPY 77\n"
            };
            assert_eq!(printed, expected);
            let shown = ground.path("out").join("_privacy_manifest.json");
            assert_eq!(shown.exists(), is_private);
            if is_private {
                let json: serde_json::Value =
                    serde_json::from_slice(&std::fs::read(&shown).unwrap()).unwrap();
                assert_eq!(json["test/ehr"]["profile"], "safe_harbor");
                // It is part of the commit: a copy that is lost comes back.
                std::fs::remove_file(&shown).unwrap();
                let mut target = spec.open(a_load("r2"), &ground.world(None)).await.unwrap();
                target.begin(&people()).await.unwrap();
                target.abort().await.unwrap();
                assert!(shown.exists());
            }
        }
    });
}

#[test]
fn files_and_row_groups_have_limits_and_partitions_are_read_as_hive_writes_them() {
    run(async {
        let ground = Ground::new();
        let world = ground.world(None);
        let spec = parsed(
            "parquet",
            "{path: out, partition_by: [state, n], file_rows_max: 1000, row_group_rows: 300}",
        );
        let many: Vec<(String, i64)> = (0..2500).map(|n| (format!("{n:05}"), n % 2)).collect();
        let many: Vec<_> = many.iter().map(|(id, n)| (id.as_str(), "x", "A B/C=%", *n)).collect();
        load(&world, spec.as_ref(), "r1", "u", vec![rows(&many)]).await.unwrap();
        let script = r#"
import sys, pyarrow.dataset as ds, pyarrow.parquet as pq
d = ds.dataset(sys.argv[1], format='parquet', partitioning='hive')
t = d.to_table()
print(len(d.files), t.num_rows, sorted(set(t['state'].to_pylist())), sorted(set(t['n'].to_pylist())))
print(sorted(pq.ParquetFile(f).metadata.num_row_groups for f in d.files), len(set(t['id'].to_pylist())))
"#;
        let Some(printed) = python(script, &[ground.path("out").to_str().unwrap()]) else { return };
        assert_eq!(printed, "4 2500 ['A B/C=%'] [0, 1]\n[1, 1, 4, 4] 2500\n");
    });
}

#[test]
fn what_does_not_fit_is_refused_and_the_old_content_stays() {
    run(async {
        let ground = Ground::new();
        let world = ground.world(None);
        let spec_ = parsed("parquet", "{path: out}");
        load(&world, spec_.as_ref(), "r1", "u1", vec![rows(&[("1", "Ana", "AL", 1)])]).await.unwrap();
        let before = ground.content("out");
        let refused = async |kind: &str, options: &str, batch: Batch, text: &str| {
            let spec = parsed(kind, options);
            let error = load(&world, spec.as_ref(), "r2", "u2", vec![batch]).await.unwrap_err().to_string();
            assert!(error.starts_with("target `lake`: ") && error.contains(text), "{error}");
            assert!(!error.contains("Ana"), "{error}");
        };
        let ana = || rows(&[("1", "Ana", "AL", 1)]);
        let narrow = ana().select(&["id", "name"]).unwrap();
        refused(
            "parquet",
            "{path: out}",
            narrow,
            "has the columns [id text, name text, state text, n integer]",
        )
        .await;
        refused("csv", "{path: out}", ana(), "holds Parquet files").await;
        refused("parquet", "{path: out, partition_by: [state]}", ana(), "is partitioned by []").await;
        refused("parquet", "{path: ../x}", ana(), "contains `..`").await;
        refused("parquet", "{path: out/_manifest.json}", ana(), "is a file, not a folder").await;
        let empty_state =
            ana().with("state", Arc::new(arrow::array::StringViewArray::from(vec![""]))).unwrap();
        refused("parquet", "{path: new, partition_by: [state]}", empty_state, "holds an empty text").await;
        std::fs::write(ground.path("new").join("other.parquet"), "x").unwrap();
        refused("parquet", "{path: new}", ana(), "which salus did not write").await;
        let late = ana().with("n", Arc::new(arrow::array::Date32Array::from(vec![i32::MAX]))).unwrap();
        refused("ndjson", "{path: late}", late, "outside of the years 0000 to 9999").await;
        let keys = "{path: out, mode: merge, key: [id], merge_keys_max: 1}";
        refused("parquet", keys, rows(&[("1", "", "", 1), ("2", "", "", 2)]), "`merge_keys_max`").await;
        // A disk that is full shows itself as an error of the system; here a name that cannot be a folder does.
        std::fs::remove_dir_all(ground.path("out").join("_staging")).unwrap();
        std::fs::write(ground.path("out").join("_staging"), "in the way").unwrap();
        refused("parquet", "{path: out}", ana(), "cannot use `_staging`").await;
        std::fs::remove_file(ground.path("out").join("_staging")).unwrap();
        let mut target = spec_.open(a_load("r9"), &world).await.unwrap();
        target.begin(&people()).await.unwrap();
        target.abort().await.unwrap();
        assert_eq!(ground.content("out"), before);
        world.cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        let cancelled = load(&world, spec_.as_ref(), "r2", "u2", vec![ana()]).await;
        assert!(matches!(cancelled, Err(EtlError::Cancelled)));
    });
}

#[test]
fn a_full_disk_is_an_error_and_the_old_content_stays() {
    let ground = Ground::new();
    std::fs::create_dir_all(ground.path("small")).unwrap();
    let Some(_mounted) = SmallDisk::mount(&ground.path("small")) else {
        println!("not checked: mounting a small disk is not allowed here");
        return;
    };
    run(async {
        let spec = parsed("parquet", "{path: small, compression: none, row_group_rows: 1000}");
        let world = ground.world(None);
        load(&world, spec.as_ref(), "r1", "u1", vec![rows(&[("1", "Ana", "AL", 1)])]).await.unwrap();
        let before = ground.content("small");
        let names: Vec<String> = (0..60_000).map(|n| format!("{n:060}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str(), "AL", 1)).collect();
        let error = load(&world, spec.as_ref(), "r2", "u2", vec![rows(&many)]).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("No space left on device") && text.contains("free space"), "{text}");
        assert!(matches!(error, EtlError::Target { is_transient: true, .. }));
        let mut target = spec.open(a_load("r3"), &world).await.unwrap();
        target.begin(&people()).await.unwrap();
        target.abort().await.unwrap();
        assert_eq!(ground.content("small"), before);
    });
}

/// A disk of one megabyte in memory, unmounted at the end.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(path: &std::path::Path) -> Option<SmallDisk> {
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(path)
            .output();
        mount.ok()?.status.success().then(|| SmallDisk(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn two_sources_share_a_folder_and_keep_apart() {
    run(async {
        let ground = Ground::new();
        let world = ground.world(None);
        let spec = parsed("parquet", "{path: out, mode: replace}");
        let of = |source: &str, run: &str| etl::target::Load { source: source.to_owned(), ..a_load(run) };
        // Both have begun before one commits: neither removes what the other has staged.
        let mut one = spec.open(of("ehr", "r1"), &world).await.unwrap();
        let mut two = spec.open(of("labs", "r1"), &world).await.unwrap();
        one.begin(&people()).await.unwrap();
        two.begin(&people()).await.unwrap();
        one.write(rows(&[("1", "Ana", "AL", 1)])).await.unwrap();
        two.write(rows(&[("2", "Bo", "AL", 2)])).await.unwrap();
        two.commit(&[unit("b")], None).await.unwrap();
        one.commit(&[unit("a")], None).await.unwrap();
        let mut one = spec.open(of("ehr", "r2"), &world).await.unwrap();
        load_into(one.as_mut(), "c", vec![rows(&[("3", "Cy", "AL", 3)])]).await.unwrap();
        let Some(printed) = read(&ground, "out") else { return };
        assert_eq!(printed, "2 Bo AL 2\n3 Cy AL 3\n");
        let two = spec.open(of("labs", "r3"), &world).await.unwrap().committed().await.unwrap();
        assert_eq!(two.units, ["b"]);
    });
}

#[test]
fn wrong_options_are_said_with_their_place() {
    let problems = |kind: &str, options: &str| spec(kind, options).unwrap_err().join("; ");
    assert_eq!(
        problems("parquet", "{mode: merge, path: x}"),
        "1:1: the target `lake` merges and needs `key: [column, ...]`"
    );
    assert!(problems("csv", "{path: x, compression: snappy}").contains("must be one of `zstd`, `none`"));
    assert!(problems("ndjson", "{path: x, row_group_rows: 5}").contains("unknown key `row_group_rows`"));
    assert!(problems("parquet", "{path: x, file_rows_max: 0}").contains("must be at least 1"));
    let plan = |options: &str, division| {
        let mut problems = Problems::default();
        parsed("parquet", options).plan(&people(), division, &mut problems);
        problems.into_sorted().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(plan("{path: x}", Division::Files), "");
    assert!(plan("{path: x}", Division::Window).contains("use `mode: merge`"));
    assert!(plan("{path: x}", Division::Snapshot).contains("use `mode: replace`"));
    assert!(plan("{path: x, mode: replace}", Division::Window).contains("use `mode: merge`"));
    assert!(
        plan("{path: x, mode: merge, key: [idd]}", Division::Window)
            .contains("1:30: the target `lake` needs the column `idd`")
    );
    assert!(plan("{path: x, partition_by: [id, id]}", Division::Files).contains("stands here twice"));
    assert!(plan("{path: x, partition_by: [id, name, state, n]}", Division::Files).contains("all columns"));
}
