//! Objects of a bucket of an S3-compatible store.

use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Once};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _};
use tokio::runtime::Handle;

use super::{Found, StorageError, folder, storage_error};
use crate::secret::SecretFields as _;
use crate::world::World;
use crate::yaml::Node;
use crate::{Point, Problems, Secret};

/// Objects are read in ranges of this size: a slow pipeline holds no connection open.
const RANGE_BYTES: u64 = 8 << 20;
const OBJECTS_MAX: usize = 1_000_000;

/// Bucket and key of `s3://bucket/key`.
pub(super) fn split(written: &str) -> Option<(&str, &str)> {
    let rest = written.strip_prefix("s3://")?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, key))
}

/// How a bucket is reached.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Address of the store; absent: AWS. `http://` only on this machine.
    pub endpoint: Option<Secret>,
    /// The region requests are signed for. Default `us-east-1`.
    pub region: String,
    /// Who asks.
    pub credentials: Credentials,
    /// `bucket.host` instead of `host/bucket`.
    pub virtual_hosted: bool,
}

/// Who asks a store.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A key pair, by reference to secrets, with the token of a session if it has one.
    Keys {
        /// The key's id.
        access_key_id: Secret,
        /// Its secret.
        secret_access_key: Secret,
        /// The session's token.
        session_token: Option<Secret>,
    },
    /// The role of the machine (AWS instance metadata).
    Instance,
    /// Nobody: the bucket is public.
    Anonymous,
}

#[derive(Clone, Copy)]
enum Who {
    Keys,
    Instance,
    Anonymous,
}

impl S3Options {
    pub(super) fn decode(node: Option<&Node>, at: Point, problems: &mut Problems) -> Option<S3Options> {
        let Some(node) = node else {
            problems.add(at, "a path in a bucket needs `s3` with `access_key_id` and `secret_access_key` (or `credentials: instance` or `anonymous`)");
            return None;
        };
        let mut fields = node.fields("`s3`", problems);
        let endpoint = fields.secret("endpoint", problems);
        if let Some(endpoint) = &endpoint
            && let Some(rest) = endpoint.written().strip_prefix("http://")
            && !is_this_machine(rest)
        {
            problems.add(
                endpoint.at,
                "the store must be reached by `https://`: keys and rows would be readable on the way",
            );
        }
        let region = fields.text("region", problems).map(|word| word.text);
        let virtual_hosted = fields.flag("virtual_hosted", problems).unwrap_or(false);
        let choices = [("keys", Who::Keys), ("instance", Who::Instance), ("anonymous", Who::Anonymous)];
        let who = fields.choice("credentials", &choices, problems).unwrap_or(Who::Keys);
        let (id, secret) =
            (fields.secret("access_key_id", problems), fields.secret("secret_access_key", problems));
        let session_token = fields.secret("session_token", problems);
        let at = fields.at();
        fields.end(problems);
        let credentials = match (who, id, secret) {
            (Who::Keys, Some(access_key_id), Some(secret_access_key)) => {
                Credentials::Keys { access_key_id, secret_access_key, session_token }
            }
            (Who::Keys, ..) => {
                problems.add(at, "`s3` needs `access_key_id` and `secret_access_key`, or `credentials: instance` or `anonymous`");
                return None;
            }
            (Who::Instance, None, None) => Credentials::Instance,
            (Who::Anonymous, None, None) => Credentials::Anonymous,
            _ => {
                problems.add(at, "`s3` has keys, and `credentials` that use none: remove one");
                return None;
            }
        };
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        Some(S3Options { endpoint, region, credentials, virtual_hosted })
    }
}

/// Whether `host:port/path` is on this machine.
fn is_this_machine(address: &str) -> bool {
    let authority = address.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// An open bucket, with the folder (prefix) that names are relative to.
#[derive(Debug)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    name: String,
    prefix: String,
    runtime: Handle,
}

impl Bucket {
    pub(super) fn open(
        name: &str,
        prefix: &str,
        options: &S3Options,
        world: &World,
    ) -> Result<Bucket, StorageError> {
        static PROVIDER: Once = Once::new();
        // The process may have chosen one already; either way there is one afterwards.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let reveal =
            |secret: &Secret| secret.reveal(&*world.secrets).map_err(|why| storage_error(name, why, false));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&options.region)
            .with_virtual_hosted_style_request(options.virtual_hosted);
        let mut allow_http = false;
        if let Some(endpoint) = &options.endpoint {
            let address = reveal(endpoint)?;
            allow_http = address.strip_prefix("http://").is_some_and(is_this_machine);
            builder = builder.with_endpoint(address);
        }
        builder = match &options.credentials {
            Credentials::Keys { access_key_id, secret_access_key, session_token } => {
                builder = builder
                    .with_access_key_id(reveal(access_key_id)?)
                    .with_secret_access_key(reveal(secret_access_key)?);
                match session_token {
                    Some(token) => builder.with_token(reveal(token)?),
                    None => builder,
                }
            }
            Credentials::Instance => builder,
            Credentials::Anonymous => builder.with_skip_signature(true),
        };
        let builder = builder.with_client_options(ClientOptions::new().with_allow_http(allow_http));
        let store = builder.build().map_err(|error| failed(name, &error))?;
        let runtime = Handle::try_current().map_err(|error| storage_error(name, error, false))?;
        Ok(Bucket { store: Arc::new(store), name: name.to_owned(), prefix: prefix.to_owned(), runtime })
    }

    /// The store behind it.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        self.store.clone()
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder (prefix) that names are relative to, without a slash at the end; may be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of a name.
    pub fn key(&self, name: &str) -> Path {
        if self.prefix.is_empty() { Path::from(name) } else { Path::from(format!("{}/{name}", self.prefix)) }
    }

    /// `s3://bucket/key` for error texts.
    fn shown(&self, name: &str) -> String {
        format!("s3://{}/{}", self.name, self.key(name))
    }

    pub(super) async fn list(&self, pattern: &str) -> Result<Vec<Found>, StorageError> {
        if !pattern.contains(['*', '?', '[']) {
            return match self.store.head(&self.key(pattern)).await {
                Ok(meta) => Ok(vec![found(pattern, &meta)]),
                Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
                Err(error) => Err(failed(&self.shown(pattern), &error)),
            };
        }
        let matcher = glob::Pattern::new(pattern).map_err(|error| {
            storage_error(pattern, format!("this is not a pattern of files: {error}"), false)
        })?;
        let prefix = (!self.prefix.is_empty()).then(|| Path::from(self.prefix.as_str()));
        let (mut objects, mut all) = (self.store.list(prefix.as_ref()), Vec::new());
        let begin = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        let shown = self.shown(pattern);
        while let Some(meta) = objects.try_next().await.map_err(|error| failed(&shown, &error))? {
            let Some(name) = meta.location.as_ref().get(begin..) else { continue };
            if matcher.matches_with(name, folder::OPTIONS) {
                all.push(found(name, &meta));
            }
            if all.len() > OBJECTS_MAX {
                return Err(storage_error(
                    pattern,
                    format!("`{pattern}` matches more than {OBJECTS_MAX} objects: divide them"),
                    false,
                ));
            }
        }
        Ok(all)
    }

    pub(super) async fn look(&self, name: &str) -> Result<Found, StorageError> {
        let meta =
            self.store.head(&self.key(name)).await.map_err(|error| failed(&self.shown(name), &error))?;
        Ok(found(name, &meta))
    }

    /// Bytes of an object that must be the one that was found.
    pub async fn range(&self, wanted: &Found, range: Range<u64>) -> Result<Bytes, StorageError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: tag_of(wanted),
            ..GetOptions::default()
        };
        let shown = || self.shown(&wanted.name);
        let got = self.store.get_opts(&self.key(&wanted.name), options).await;
        let got = got.map_err(|error| failed(&shown(), &error))?;
        // A store that does not know the condition sends the tag.
        if got.meta.e_tag.is_some() && mark(&got.meta) != wanted.mark {
            return Err(storage_error(&shown(), CHANGED, false));
        }
        got.bytes().await.map_err(|error| failed(&shown(), &error))
    }

    pub(super) fn read(self: &Arc<Self>, wanted: &Found) -> Ranges {
        Ranges { bucket: self.clone(), wanted: wanted.clone(), next: 0, block: Bytes::new() }
    }
}

const CHANGED: &str = "the object changed while it was read: run again when nobody writes it";

fn mark(meta: &ObjectMeta) -> String {
    match &meta.e_tag {
        Some(tag) => format!("{}-{tag}", meta.size),
        None => format!("{}-{}", meta.size, meta.last_modified.to_rfc3339()),
    }
}

/// The entity tag in a mark.
fn tag_of(found: &Found) -> Option<String> {
    let (_, tag) = found.mark.split_once('-')?;
    tag.starts_with(['"', 'W']).then(|| tag.to_owned())
}

fn found(name: &str, meta: &ObjectMeta) -> Found {
    Found { name: name.to_owned(), n_bytes: meta.size, mark: mark(meta) }
}

fn failed(shown: &str, error: &object_store::Error) -> StorageError {
    use object_store::Error;
    match error {
        Error::NotFound { .. } => storage_error(shown, "there is no such object or bucket", false),
        Error::Precondition { .. } => storage_error(shown, CHANGED, false),
        Error::Unauthenticated { .. } => storage_error(shown, "the store does not accept the keys", false),
        Error::PermissionDenied { .. } => storage_error(shown, "the keys do not allow it", false),
        // Its text may hold the address and the answer of the store, which is not needed to act.
        Error::Generic { .. } => storage_error(shown, "the store does not answer as it should", true),
        other => storage_error(shown, other, false),
    }
}

/// An object as a stream of ranges, for a blocking thread.
pub(super) struct Ranges {
    bucket: Arc<Bucket>,
    wanted: Found,
    next: u64,
    block: Bytes,
}

impl Read for Ranges {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.block.is_empty() && self.next < self.wanted.n_bytes {
            let end = (self.next + RANGE_BYTES).min(self.wanted.n_bytes);
            let range = self.bucket.range(&self.wanted, self.next..end);
            self.block = self.bucket.runtime.block_on(range).map_err(std::io::Error::other)?;
            if self.block.len() as u64 != end - self.next {
                return Err(std::io::Error::other(CHANGED));
            }
            self.next = end;
        }
        let n = self.block.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.block.split_to(n));
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_only() {
        for (address, expected) in [
            ("127.0.0.1:9000", true),
            ("localhost/x", true),
            ("[::1]:9000/", true),
            ("store.example:9000", false),
            ("localhost.example", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_this_machine(address), expected, "{address}");
        }
        assert_eq!(split("s3://b/a/x.csv"), Some(("b", "a/x.csv")));
        assert_eq!((split("s3:///x"), split("a/b")), (None, None));
    }
}
