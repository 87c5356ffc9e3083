//! Delta Lake tables, read and written by the Python package `deltalake` as well.

use std::sync::Arc;

use etl::EtlError;
use etl::target::TargetSpec;
use table::{Batch, Column, Columns, Type, Value};
use testkit::python;

use crate::harness::{Ground, a_load, counts, load, load_into, people, rows, run, spec, unit};

const READ: &str = r#"
import sys, deltalake
table = deltalake.DeltaTable(sys.argv[1])
rows = table.to_pyarrow_table().to_pylist()
for row in sorted(rows, key=lambda row: (row['id'] or '', row['n'], row['name'] or '')):
    print(row['id'], row['name'], row['state'], row['n'])
"#;

fn read(ground: &Ground) -> Option<String> {
    python(READ, &[ground.path("t").to_str().unwrap()])
}

fn delta(options: &str) -> Box<dyn TargetSpec> {
    spec("delta", &format!("{{path: t{options}}}")).unwrap()
}

#[test]
fn every_mode_is_read_by_deltalake_with_its_history() {
    run(async {
        for by in ["", ", partition_by: [state]"] {
            let ground = Ground::new();
            let world = ground.world(None);
            let first = vec![rows(&[("1", "Ana", "AL", 1), ("2", "", "", 2), ("3", "Cy", "A/Z %", 3)])];
            let loaded = load(&world, delta(by).as_ref(), "r1", "u1", first).await.unwrap();
            assert_eq!(counts(&loaded), (3, 0, 0, 0));
            let merge = delta(&format!(", mode: merge, key: [id]{by}"));
            let second = vec![rows(&[
                ("4", "Di", "AL", 4),
                ("1", "Ana", "AL", 1),
                ("2", "x", "AL", 9),
                ("2", "Bo", "AL", 2),
            ])];
            let loaded = load(&world, merge.as_ref(), "r2", "u2", second).await.unwrap();
            assert_eq!(counts(&loaded), (1, 1, 1, 1));
            let Some(merged) = read(&ground) else { return };
            assert_eq!(merged, "1 Ana AL 1\n2 Bo AL 2\n3 Cy A/Z % 3\n4 Di AL 4\n");
            let replace = delta(&format!(", mode: replace{by}"));
            load(&world, replace.as_ref(), "r3", "u3", vec![rows(&[("9", "Zo", "AL", 9)])]).await.unwrap();
            assert_eq!(read(&ground).unwrap(), "9 Zo AL 9\n");
            let script = r#"
import sys, json, deltalake
t = deltalake.DeltaTable(sys.argv[1])
print([entry['operation'] for entry in t.history()])
print(t.protocol().min_reader_version, t.protocol().min_writer_version, t.metadata().partition_columns, t.version())
print(t.transaction_version('test/ehr'), t.transaction_version('test/ehr#unit=u2'), t.transaction_version('nobody'))
info = [json.loads(line) for line in open(sys.argv[1] + '/_delta_log/%020d.json' % 1)][0]['commitInfo']['salus']
print(info['run'], info['units'], info['watermark'])
old = deltalake.DeltaTable(sys.argv[1], version=0).to_pyarrow_table()
print(old.num_rows, sorted(str(v) for v in old['state'].to_pylist()))
"#;
            let printed = python(script, &[ground.path("t").to_str().unwrap()]).unwrap();
            let columns = if by.is_empty() { "[]" } else { "['state']" };
            assert_eq!(
                printed,
                format!(
                    "['WRITE', 'MERGE', 'WRITE']\n1 2 {columns} 2\n3 2 None\nr2 ['u2'] w1\n3 ['A/Z %', 'AL', 'None']\n"
                )
            );
            assert!(!ground.path("t").join("_staging").exists());
        }
    });
}

#[test]
fn a_table_of_another_writer_is_appended_to_and_merged_into() {
    run(async {
        let ground = Ground::new();
        let world = ground.world(None);
        let write = r#"
import sys, pyarrow as pa, deltalake
path = sys.argv[1]
for i in range(int(sys.argv[2])):
    table = pa.table({'n': pa.array([i * 10, i * 10 + 1], pa.int64()), 'id': ['a%d' % i, 'b%d' % i], 'name': ['Ana', None], 'state': ['AL', 'A/Z']})
    deltalake.write_deltalake(path, table, mode='append', partition_by=['state'])
if len(sys.argv) > 3:
    deltalake.DeltaTable(path).create_checkpoint()
"#;
        let path = ground.path("t");
        let path = path.to_str().unwrap();
        if python(write, &[path, "2"]).is_none() {
            return;
        }
        let append = delta(", partition_by: [state]");
        load(&world, append.as_ref(), "r1", "u1", vec![rows(&[("c", "Cy", "AL", 5)])]).await.unwrap();
        // A checkpoint of the other writer keeps what was loaded.
        python(write, &[path, "1", "checkpoint"]).unwrap();
        for entry in std::fs::read_dir(ground.path("t/_delta_log")).unwrap().flatten() {
            if entry.path().extension().is_some_and(|end| end == "json") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let committed = append.open(a_load("r2"), &world).await.unwrap().committed().await.unwrap();
        assert_eq!((committed.units, committed.watermark.as_deref()), (vec!["u1".to_owned()], Some("w1")));
        let merge = delta(", mode: merge, key: [id], partition_by: [state]");
        let second = vec![rows(&[("b1", "Bo", "AL", 11), ("c", "Cy", "AL", 5), ("d", "Di", "ÄÖ", 6)])];
        let loaded = load(&world, merge.as_ref(), "r2", "u2", second).await.unwrap();
        assert_eq!(counts(&loaded), (1, 1, 1, 0));
        assert_eq!(
            read(&ground).unwrap(),
            "a0 Ana AL 0\na0 Ana AL 0\na1 Ana AL 10\nb0 None A/Z 1\nb0 None A/Z 1\nb1 Bo AL 11\nc Cy AL 5\nd Di ÄÖ 6\n"
        );
        // And the other writer goes on.
        python(write, &[path, "1", "checkpoint"]).unwrap();
        assert_eq!(read(&ground).unwrap().lines().count(), 10);
        let loaded = load(
            &world,
            delta(", mode: replace, partition_by: [state]").as_ref(),
            "r3",
            "u3",
            vec![rows(&[("z", "Zo", "AL", 1)])],
        )
        .await
        .unwrap();
        assert_eq!(counts(&loaded), (1, 0, 0, 0));
        assert_eq!(read(&ground).unwrap(), "z Zo AL 1\n");
    });
}

#[test]
fn a_checkpoint_is_written_that_others_and_we_go_on_from() {
    run(async {
        for by in ["", ", partition_by: [state, n]"] {
            let ground = Ground::new();
            let world = ground.world(None);
            for number in 0..12 {
                let (id, state) = (format!("{number:02}"), if number % 2 == 0 { "A/L" } else { "" });
                let batch = vec![rows(&[(&id, "Ana", state, number)])];
                // One row of the sixth load is taken away by the seventh, so that the log remembers a removed file.
                let spec =
                    if number == 6 { delta(&format!(", mode: merge, key: [name]{by}")) } else { delta(by) };
                load(&world, spec.as_ref(), &format!("r{number}"), &format!("u{number}"), batch)
                    .await
                    .unwrap();
            }
            let log = ground.path("t").join("_delta_log");
            assert!(log.join("00000000000000000010.checkpoint.parquet").exists());
            let Some(before) = read(&ground) else { return };
            assert_eq!(before.lines().count(), 6, "{before}");
            for version in 0..=10 {
                std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
            }
            assert_eq!(read(&ground).unwrap(), before);
            let spec = delta(by);
            let mut target = spec.open(a_load("r"), &world).await.unwrap();
            let committed = target.committed().await.unwrap();
            assert_eq!(committed.units, (0..12).map(|number| format!("u{number}")).collect::<Vec<_>>());
            load_into(target.as_mut(), "more", vec![rows(&[("99", "Zo", "A/L", 99)])]).await.unwrap();
            assert_eq!(read(&ground).unwrap(), format!("{before}99 Zo A/L 99\n"));
            let script = r#"
import sys, deltalake
t = deltalake.DeltaTable(sys.argv[1])
print(t.transaction_version('test/ehr'), len(t.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False)) > 0)
"#;
            let printed = python(script, &[ground.path("t").to_str().unwrap()]).unwrap();
            assert_eq!(printed, "13 True\n");
        }
    });
}

#[test]
fn running_twice_changes_no_byte() {
    run(async {
        for options in
            [", mode: replace", ", mode: merge, key: [id]", ", mode: replace, partition_by: [state]"]
        {
            let ground = Ground::new();
            let world = ground.world(None);
            let spec = delta(options);
            let audited = |run: &str| {
                let batch = rows(&[("1", "Ana", "AL", 1), ("2", "", "AZ", 2)]);
                vec![
                    batch
                        .with("etl_run_id", Arc::new(arrow::array::StringViewArray::from(vec![run; 2])))
                        .unwrap(),
                ]
            };
            load(&world, spec.as_ref(), "r1", "u", audited("r1")).await.unwrap();
            let before = ground.content("t");
            let loaded = load(&world, spec.as_ref(), "r2", "u", audited("r2")).await.unwrap();
            assert_eq!(counts(&loaded), (0, 0, 2, 0), "{options}");
            assert_eq!(ground.content("t"), before, "{options}");
        }
    });
}

#[test]
fn a_load_that_is_killed_leaves_the_old_content_and_its_garbage_is_removed() {
    run(async {
        for (point, is_committed) in [("staged", false), ("before-commit", false), ("after-commit", true)] {
            for options in ["", ", mode: replace", ", mode: merge, key: [id]", ", partition_by: [state]"] {
                let ground = Ground::new();
                let spec = delta(options);
                let first = || vec![rows(&[("1", "Ana", "AL", 1), ("2", "Bo", "AL", 2)])];
                load(&ground.world(None), spec.as_ref(), "r1", "u1", first()).await.unwrap();
                let before = ground.content("t");
                let Some(old) = read(&ground) else { return };
                let second = || vec![rows(&[("2", "Bob", "AL", 2), ("3", "Cy", "AZ", 3)])];
                let world = ground.world(Some(point));
                let load_ = load(&world, spec.as_ref(), "r2", "u2", second());
                let died = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(load_)).await;
                assert!(died.is_err());
                let now = read(&ground).unwrap();
                assert_eq!(now != old, is_committed, "{point}{options}");
                let mut target = spec.open(a_load("r3"), &ground.world(None)).await.unwrap();
                let is_known = target.committed().await.unwrap().units.contains(&"u2".to_owned());
                assert_eq!(is_known, is_committed);
                target.begin(&people()).await.unwrap();
                target.abort().await.unwrap();
                if !is_committed {
                    assert_eq!(ground.content("t"), before, "{point}{options}");
                    load(&ground.world(None), spec.as_ref(), "r4", "u2", second()).await.unwrap();
                }
                let undisturbed = Ground::new();
                load(&undisturbed.world(None), spec.as_ref(), "r1", "u1", first()).await.unwrap();
                load(&undisturbed.world(None), spec.as_ref(), "r2", "u2", second()).await.unwrap();
                assert_eq!(read(&ground), read(&undisturbed), "{point}{options}");
                assert_eq!(ground.content("t").len(), undisturbed.content("t").len(), "{point}{options}");
            }
        }
    });
}

#[test]
fn every_type_comes_back_also_as_a_partition() {
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
    let most = 10_i128.pow(38) - 1;
    let full = vec![
        Value::from("å\u{1F600}/ ="),
        Value::Integer(i64::MIN),
        Value::Decimal(most, 10),
        Value::Number(f64::MAX),
        Value::Date(2_932_896),
        Value::Instant(253_402_300_799_999_999),
        Value::Boolean(true),
    ];
    let batch = Batch::from_rows(&columns, &[full, vec![Value::Null; 7]]).unwrap();
    let script = r#"
import sys, deltalake
t = deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table()
rows = sorted(t.to_pylist(), key=lambda row: row['i'] is None)
print([str(rows[0][name]) for name in ['t', 'i', 'd', 'x', 'day', 'at', 'yes']])
print(set(rows[1].values()))
"#;
    run(async {
        for by in ["", ", partition_by: [day]", ", partition_by: [t, yes]", ", partition_by: [d]"] {
            let ground = Ground::new();
            let spec = delta(by);
            load(&ground.world(None), spec.as_ref(), "r", "u", vec![batch.clone()]).await.unwrap();
            let Some(printed) = python(script, &[ground.path("t").to_str().unwrap()]) else { return };
            assert_eq!(
                printed,
                "['å😀/ =', '-9223372036854775808', '9999999999999999999999999999.9999999999', '1.7976931348623157e+308', '9999-12-31', '9999-12-31 23:59:59.999999+00:00', 'True']\n{None}\n",
                "{by}"
            );
            let again = delta(&format!(", mode: merge, key: [i]{by}"));
            let loaded =
                load(&ground.world(None), again.as_ref(), "r2", "u2", vec![batch.slice(0, 1)]).await.unwrap();
            assert_eq!(counts(&loaded), (0, 0, 1, 0), "{by}");
        }
    });
}

#[test]
fn tables_that_are_not_understood_are_refused_and_stay() {
    run(async {
        let ground = Ground::new();
        let world = ground.world(None);
        let write = r#"
import sys, pyarrow as pa, deltalake
table = pa.table({'id': ['1'], 'name': ['Ana'], 'state': ['AL'], 'n': pa.array([1], pa.int64())})
deltalake.write_deltalake(sys.argv[1] + '/append-only', table, configuration={'delta.appendOnly': 'true'})
deltalake.write_deltalake(sys.argv[1] + '/vectors', table, configuration={'delta.enableDeletionVectors': 'true'})
deltalake.write_deltalake(sys.argv[1] + '/feed', table, configuration={'delta.enableChangeDataFeed': 'true'})
deltalake.write_deltalake(sys.argv[1] + '/types', table.set_column(3, 'n', pa.array([1], pa.int32())))
"#;
        let folder = ground.path("");
        std::fs::create_dir_all(&folder).unwrap();
        if python(write, &[folder.to_str().unwrap()]).is_none() {
            return;
        }
        let refused = async |name: &str, options: &str, text: &str| {
            let before = ground.content(name);
            let spec = spec("delta", &format!("{{path: {name}{options}}}")).unwrap();
            let error = load(&world, spec.as_ref(), "r", "u", vec![rows(&[("1", "Ana", "AL", 1)])])
                .await
                .unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
            assert!(!error.to_string().contains("Ana"), "{error}");
            assert_eq!(ground.content(name), before);
        };
        refused("append-only", ", mode: merge, key: [id]", "takes new rows only").await;
        refused("vectors", "", "`deletionVectors`").await;
        refused("feed", "", "change data feed").await;
        refused("types", "", "[id string, name string, state string, n integer], the load has").await;
        refused("append-only", ", partition_by: [state]", "is partitioned by [], not by [state]").await;
        let fits = spec("delta", "{path: append-only}").unwrap();
        load(&world, fits.as_ref(), "r", "u", vec![rows(&[("2", "Bo", "AL", 1)])]).await.unwrap();
    });
}

#[test]
fn two_sources_at_once_both_arrive_and_the_same_twice_does_not() {
    run(async {
        let ground = Ground::new();
        let world = ground.world(None);
        let spec = Arc::new(delta(", mode: merge, key: [id]"));
        let tasks: Vec<_> = (0..6)
            .map(|number| {
                let (spec, world) = (spec.clone(), world.clone());
                tokio::spawn(async move {
                    let of = etl::target::Load { source: format!("s{number}"), ..a_load("r") };
                    let mut target = spec.open(of, &world).await.unwrap();
                    let id = format!("k{}", number / 2);
                    load_into(target.as_mut(), "u", vec![rows(&[(&id, &format!("by {number}"), "AL", 1)])])
                        .await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let Some(printed) = read(&ground) else { return };
        assert_eq!(printed.lines().count(), 3, "{printed}");
        let append = delta("");
        let mut one = append.open(a_load("r1"), &world).await.unwrap();
        let mut two = append.open(a_load("r2"), &world).await.unwrap();
        one.begin(&people()).await.unwrap();
        two.begin(&people()).await.unwrap();
        for target in [&mut one, &mut two] {
            target.write(rows(&[("x", "Xi", "AL", 1)])).await.unwrap();
        }
        one.commit(&[unit("same")], None).await.unwrap();
        let error = two.commit(&[unit("same")], None).await.unwrap_err();
        assert!(error.to_string().contains("another run loaded `ehr` into the table meanwhile"), "{error}");
        assert!(matches!(error, EtlError::Target { is_transient: true, .. }));
        assert_eq!(read(&ground).unwrap().lines().count(), 4);
    });
}

#[test]
fn the_log_holds_no_text_of_a_row() {
    run(async {
        let ground = Ground::new();
        let spec = delta(", text_statistics: true");
        let mut target = spec.open(a_load("r1"), &ground.world(None)).await.unwrap();
        target.attach("privacy_manifest", serde_json::json!({"profile": "safe_harbor"}));
        let batch = rows(&[("MRN-4711", "Ana Abel", "AL", 77), ("MRN-4712", "", "AL", 78)]);
        load_into(target.as_mut(), "u", vec![batch]).await.unwrap();
        let content = ground.content("t");
        let log: Vec<String> = content
            .iter()
            .filter(|(path, _)| path.extension().is_some_and(|end| end == "json"))
            .map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap())
            .collect();
        assert_eq!(log.len(), 2);
        assert!(
            log.iter().all(|text| !text.contains("MRN") && !text.contains("Abel") && !text.contains(":77"))
        );
        assert!(log.iter().all(|text| text.contains("safe_harbor")));
        let commit = log.iter().find(|text| text.contains("commitInfo")).unwrap();
        let add = commit.lines().find(|line| line.starts_with("{\"add\"")).unwrap();
        let add: serde_json::Value = serde_json::from_str(add).unwrap();
        let stats: serde_json::Value = serde_json::from_str(add["add"]["stats"].as_str().unwrap()).unwrap();
        let nulls = serde_json::json!({"id": 0, "name": 1, "state": 0, "n": 0});
        assert_eq!(stats, serde_json::json!({"numRecords": 2, "nullCount": nulls}));
    });
}
