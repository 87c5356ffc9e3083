//! The same on an S3-compatible object store.

use std::sync::Arc;

use etl::target::{Load, TargetSpec};
use testkit::{Bucket, ObjectStore, python};

use crate::harness::{Ground, Known, a_load, counts, load, load_into, people, rows, run, spec, unit};

fn bucket(ground: &mut Ground, name: &str) -> Option<Bucket> {
    let bucket = ObjectStore::shared()?.bucket(name);
    let mut known = Known::default();
    known.0.insert("${env:KEY}".to_owned(), bucket.access_key_id.clone());
    known.0.insert("${env:SECRET}".to_owned(), bucket.secret_access_key.clone());
    ground.secrets = Arc::new(known);
    Some(bucket)
}

fn s3(kind: &str, bucket: &Bucket, options: &str) -> Box<dyn TargetSpec> {
    let (endpoint, region, name) = (&bucket.endpoint, &bucket.region, &bucket.name);
    let text = format!(
        "{{path: 's3://{name}/lake/t', s3: {{endpoint: '{endpoint}', region: {region}, access_key_id: '${{env:KEY}}', secret_access_key: '${{env:SECRET}}'}}{options}}}"
    );
    spec(kind, &text).unwrap()
}

/// Prints the rows of a folder or table, and how many objects there are.
const READ: &str = r#"
import sys, io, json, hashlib, boto3
kind, endpoint, bucket, region, key, secret = sys.argv[1:]
s3 = boto3.client('s3', endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret)
get = lambda name: s3.get_object(Bucket=bucket, Key='lake/t/' + name)['Body'].read()
if kind == 'delta':
    import deltalake
    options = {'AWS_ENDPOINT_URL': endpoint, 'AWS_REGION': region, 'AWS_ACCESS_KEY_ID': key, 'AWS_SECRET_ACCESS_KEY': secret, 'AWS_ALLOW_HTTP': 'true'}
    rows = deltalake.DeltaTable('s3://' + bucket + '/lake/t', storage_options=options).to_pyarrow_table().to_pylist()
else:
    import pyarrow.parquet as pq
    rows = []
    for file in json.loads(get('_manifest.json'))['files']:
        data = get(file['path'])
        assert hashlib.sha256(data).hexdigest() == file['sha256'] and len(data) == file['bytes']
        part = pq.read_table(io.BytesIO(data)).to_pylist()
        assert len(part) == file['rows']
        rows += part
for row in sorted(rows, key=lambda row: (row['id'], row['n'], row['name'] or '')):
    print(row['id'], row['name'], row['n'])
names = [o['Key'] for page in s3.get_paginator('list_objects_v2').paginate(Bucket=bucket) for o in page.get('Contents', [])]
print(len(names), [name for name in names if '_staging' in name])
"#;

fn read(kind: &str, bucket: &Bucket) -> Option<String> {
    let Bucket { endpoint, name, region, access_key_id, secret_access_key } = bucket;
    python(READ, &[kind, endpoint, name, region, access_key_id, secret_access_key])
}

#[test]
fn folders_and_tables_in_every_mode() {
    run(async {
        for kind in ["parquet", "delta"] {
            let mut ground = Ground::new();
            let Some(bucket) = bucket(&mut ground, &format!("modes-{kind}")) else { return };
            let world = ground.world(None);
            let first = vec![rows(&[("1", "Ana", "AL", 1), ("2", "", "AZ", 2)])];
            let append = s3(kind, &bucket, ", partition_by: [state]");
            load(&world, append.as_ref(), "r1", "u1", first).await.unwrap();
            let committed = append.open(a_load("r2"), &world).await.unwrap().committed().await.unwrap();
            assert_eq!(
                (committed.units.as_slice(), committed.watermark.as_deref()),
                (&["u1".to_owned()][..], Some("w1"))
            );
            let merge = s3(kind, &bucket, ", mode: merge, key: [id], partition_by: [state]");
            let second = || vec![rows(&[("2", "Bo", "AL", 2), ("1", "Ana", "AL", 1), ("3", "Cy", "AL", 3)])];
            let loaded = load(&world, merge.as_ref(), "r2", "u2", second()).await.unwrap();
            assert_eq!(counts(&loaded), (1, 1, 1, 0));
            let Some(printed) = read(kind, &bucket) else { return };
            assert!(printed.starts_with("1 Ana 1\n2 Bo 2\n3 Cy 3\n"), "{printed}");
            let loaded = load(&world, merge.as_ref(), "r3", "u2", second()).await.unwrap();
            assert_eq!(counts(&loaded), (0, 0, 3, 0));
            assert_eq!(read(kind, &bucket).unwrap(), printed, "{kind}: running twice changed something");
            let replace = s3(kind, &bucket, ", mode: replace, partition_by: [state]");
            let loaded = load(&world, replace.as_ref(), "r4", "u3", second()).await.unwrap();
            assert_eq!(counts(&loaded), (3, 0, 0, 0));
            let printed = read(kind, &bucket).unwrap();
            assert!(
                printed.starts_with("1 Ana 1\n2 Bo 2\n3 Cy 3\n") && printed.ends_with(" []\n"),
                "{printed}"
            );
            let loaded = load(&world, replace.as_ref(), "r5", "u3", second()).await.unwrap();
            assert_eq!(counts(&loaded), (0, 0, 3, 0));
            assert_eq!(read(kind, &bucket).unwrap(), printed);
        }
    });
}

#[test]
fn a_load_that_is_killed_leaves_the_old_content_and_its_garbage_is_removed() {
    run(async {
        for (kind, points) in [
            ("parquet", [("staged", false), ("renamed", false), ("after-manifest", true)]),
            ("delta", [("staged", false), ("before-commit", false), ("after-commit", true)]),
        ] {
            for (point, is_committed) in points {
                let mut ground = Ground::new();
                let Some(bucket) = bucket(&mut ground, &format!("killed-{kind}-{point}")) else { return };
                let spec = s3(kind, &bucket, "");
                let first = vec![rows(&[("1", "Ana", "AL", 1)])];
                load(&ground.world(None), spec.as_ref(), "r1", "u1", first).await.unwrap();
                let Some(before) = read(kind, &bucket) else { return };
                let second = || vec![rows(&[("2", "Bo", "AL", 2)])];
                let world = ground.world(Some(point));
                let dying = load(&world, spec.as_ref(), "r2", "u2", second());
                assert!(
                    futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(dying)).await.is_err()
                );
                let rows_of = |printed: &str| printed.lines().filter(|line| !line.ends_with(']')).count();
                let dead = read(kind, &bucket).unwrap();
                assert_eq!(rows_of(&dead), if is_committed { 2 } else { 1 }, "{kind} {point}: {dead}");
                let mut target = spec.open(a_load("r3"), &ground.world(None)).await.unwrap();
                let is_known = target.committed().await.unwrap().units.contains(&"u2".to_owned());
                assert_eq!(is_known, is_committed);
                if is_known {
                    target.begin(&people()).await.unwrap();
                    target.commit(&[], None).await.unwrap();
                } else {
                    load_into(target.as_mut(), "u2", second()).await.unwrap();
                }
                let after = read(kind, &bucket).unwrap();
                assert_eq!(rows_of(&after), 2);
                assert!(after.ends_with(" []\n"), "{kind} {point}: {after}");
                let n_objects = |printed: &str| -> u64 {
                    printed.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap()
                };
                // One more file of data; of a table also one more commit, and one more that kept the dead load out.
                let more = match (kind, point) {
                    ("delta", "staged") | ("delta", "after-commit") if point == "staged" => 2,
                    ("delta", _) => 3,
                    _ => 1,
                };
                assert_eq!(n_objects(&after), n_objects(&before) + more, "{kind} {point}");
            }
        }
    });
}

#[test]
fn a_run_that_was_taken_over_cannot_commit() {
    run(async {
        for kind in ["parquet", "delta"] {
            let mut ground = Ground::new();
            let Some(bucket) = bucket(&mut ground, &format!("taken-{kind}")) else { return };
            let spec = s3(kind, &bucket, "");
            load(&ground.world(None), spec.as_ref(), "r0", "u0", vec![rows(&[("0", "Zo", "AL", 0)])])
                .await
                .unwrap();
            // The first run stops for a while, just before its commit, while the second begins and removes its objects.
            let (reached, wait) =
                (Arc::new(std::sync::Barrier::new(2)), Arc::new(std::sync::Barrier::new(2)));
            let slow = {
                let (reached, wait) = (reached.clone(), wait.clone());
                let mut world = Arc::into_inner(ground.world(None)).unwrap();
                let stop_at = if kind == "delta" { "before-commit" } else { "before-manifest" };
                world.checkpoint = Arc::new(move |point| {
                    if point == stop_at {
                        reached.wait();
                        wait.wait();
                    }
                });
                Arc::new(world)
            };
            let spec = Arc::new(spec);
            let first = tokio::spawn({
                let spec = spec.clone();
                async move {
                    load(&slow, spec.as_ref().as_ref(), "r1", "u", vec![rows(&[("1", "Ana", "AL", 1)])]).await
                }
            });
            tokio::task::spawn_blocking(move || reached.wait()).await.unwrap();
            let mut second = spec.open(a_load("r2"), &ground.world(None)).await.unwrap();
            second.begin(&people()).await.unwrap();
            tokio::task::spawn_blocking(move || wait.wait()).await.unwrap();
            let error = first.await.unwrap().unwrap_err().to_string();
            assert!(error.contains("another run"), "{error}");
            second.write(rows(&[("1", "Ana", "AL", 1)])).await.unwrap();
            second.commit(&[unit("u")], None).await.unwrap();
            let Some(printed) = read(kind, &bucket) else { return };
            assert!(printed.starts_with("0 Zo 0\n1 Ana 1\n"), "{kind}: {printed}");
            assert!(printed.ends_with(" []\n"), "{kind}: {printed}");
        }
    });
}

#[test]
fn writers_at_once_all_arrive() {
    run(async {
        for kind in ["parquet", "delta"] {
            let mut ground = Ground::new();
            let Some(bucket) = bucket(&mut ground, &format!("at-once-{kind}")) else { return };
            let world = ground.world(None);
            let spec = Arc::new(s3(kind, &bucket, ", mode: merge, key: [id]"));
            let tasks: Vec<_> = (0..4)
                .map(|number| {
                    let (spec, world) = (spec.clone(), world.clone());
                    tokio::spawn(async move {
                        let of = Load { source: format!("s{number}"), ..a_load("r") };
                        let mut target = spec.open(of, &world).await.unwrap();
                        let shared = ("shared", "same", "AL", 1);
                        let own = format!("own {number}");
                        load_into(target.as_mut(), "u", vec![rows(&[shared, (&own, "one", "AL", 1)])]).await
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let Some(printed) = read(kind, &bucket) else { return };
            assert_eq!(printed.lines().count(), 6, "{kind}: {printed}");
        }
    });
}

#[test]
fn what_the_store_refuses_is_said_without_the_keys() {
    run(async {
        let mut ground = Ground::new();
        let Some(mut bucket) = bucket(&mut ground, "refused-things") else { return };
        bucket.name = "there-is-no-such-bucket".to_owned();
        let spec = s3("parquet", &bucket, "");
        let error =
            load(&ground.world(None), spec.as_ref(), "r", "u", vec![rows(&[("1", "Ana", "AL", 1)])]).await;
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("there-is-no-such-bucket") && !text.contains(&bucket.secret_access_key),
            "{text}"
        );
        ground.secrets = Arc::default();
        let opened = spec.open(a_load("r"), &ground.world(None)).await.err().unwrap().to_string();
        assert!(opened.contains("is not set"), "{opened}");
    });
}
