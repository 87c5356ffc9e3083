//! An S3-compatible object store: the moto server of PyPI. Knows nothing of what is stored in it.

use std::sync::OnceLock;

use super::http::request;
use super::installed::not_installed;
use super::python::environment_program;
use super::supervised::{Plan, Supervised};

const REGION: &str = "us-east-1";

/// S3-compatible server, one per test process, started on first use. It keeps objects in memory and honours conditions of writes (`If-Match`,
/// `If-None-Match`), ranges and multipart uploads; it wants requests to be signed but does not check the signature.
#[derive(Debug)]
pub struct ObjectStore {
    server: Supervised,
}

/// What a client needs to reach a bucket, with path-style addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// The bucket's name.
    pub name: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The first half of the credentials.
    pub access_key_id: String,
    /// The second half of the credentials.
    pub secret_access_key: String,
}

impl ObjectStore {
    /// The one of this test process. Prints `not checked: …` and returns `None` when it is not installed.
    pub fn shared() -> Option<&'static ObjectStore> {
        static SHARED: OnceLock<Option<ObjectStore>> = OnceLock::new();
        SHARED
            .get_or_init(ObjectStore::find_and_start)
            .as_ref()
            .or_else(|| not_installed("the S3-compatible server"))
    }

    fn find_and_start() -> Option<ObjectStore> {
        let program = environment_program("moto_server")?;
        let plan = Plan {
            name: "moto",
            signal: "KILL",
            prepare: Box::new(|_| {}),
            command: Box::new(move |_, port| {
                let port = port.to_string();
                [program.as_os_str(), "-H".as_ref(), "127.0.0.1".as_ref(), "-p".as_ref(), port.as_ref()]
                    .map(Into::into)
                    .to_vec()
            }),
        };
        let is_ready = |_: &_, port| {
            request(port, "GET", "/moto-api/data.json", &[], "").is_ok_and(|answer| answer.status == 200)
        };
        Some(ObjectStore { server: Supervised::start(&plan, is_ready) })
    }

    /// Creates an empty bucket. Panics when there is one of that name, or when S3 allows no such name (3 to 63 of `a-z0-9.-`).
    pub fn bucket(&self, name: &str) -> Bucket {
        let path = format!("/{name}");
        let ask = |method| {
            request(self.server.port, method, &path, &[], "").expect("the S3-compatible server answers")
        };
        assert_eq!(ask("GET").status, 404, "there is a bucket `{name}` already: take a name per test");
        let answer = ask("PUT");
        assert_eq!(answer.status, 200, "cannot create bucket `{name}`: {}", answer.body);
        Bucket {
            endpoint: format!("http://127.0.0.1:{}", self.server.port),
            name: name.to_owned(),
            region: REGION.to_owned(),
            access_key_id: "test-access-key".to_owned(),
            secret_access_key: "test-secret-key".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::check_ends_with_its_process;
    use super::super::python;
    use super::*;

    /// A client that is not ours: objects are kept, and a write that must be the first is refused the second time.
    const CLIENT: &str = "
import sys, boto3, botocore
endpoint, bucket, region, key, secret = sys.argv[1:]
s3 = boto3.client('s3', endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret)
s3.put_object(Bucket=bucket, Key='a/b', Body=b'hello', IfNoneMatch='*')
try:
    s3.put_object(Bucket=bucket, Key='a/b', Body=b'again', IfNoneMatch='*')
except botocore.exceptions.ClientError as error:
    print(error.response['Error']['Code'])
print(s3.get_object(Bucket=bucket, Key='a/b', Range='bytes=1-3')['Body'].read().decode())
";

    #[test]
    fn objects_are_kept_and_conditions_honoured() {
        let Some(store) = ObjectStore::shared() else { return };
        let bucket = store.bucket("kept-objects");
        let arguments = [
            &bucket.endpoint,
            &bucket.name,
            &bucket.region,
            &bucket.access_key_id,
            &bucket.secret_access_key,
        ];
        let printed = python(CLIENT, &arguments.map(String::as_str)).unwrap();
        assert_eq!(printed, "PreconditionFailed\nell\n");
    }

    #[test]
    fn names_are_taken_once_and_checked() {
        let Some(store) = ObjectStore::shared() else { return };
        store.bucket("taken");
        for name in ["taken", "x"] {
            std::panic::catch_unwind(|| store.bucket(name)).unwrap_err();
        }
    }

    #[test]
    fn it_ends_with_its_process() {
        check_ends_with_its_process(concat!(module_path!(), "::it_ends_with_its_process"), || {
            let store = ObjectStore::shared()?;
            Some((store.server.port, store.server.folder.clone()))
        });
    }
}
