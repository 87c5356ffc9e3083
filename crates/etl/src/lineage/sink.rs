//! Where events go: a file to which lines are appended, a server, both, or nowhere. What goes wrong is a text for the record of the run.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use egress::{Backoff, Client, HeaderMap, HeaderValue, Method, Options, Reach, Request, Url, header};

use crate::lineage::Event;

/// An answer that says more than "thank you" is of no interest.
const RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// Where events go.
#[derive(Default)]
pub struct Sink {
    /// A file that grows by a line per event.
    pub file: Option<FileSink>,
    /// A server that takes events by POST.
    pub http: Option<HttpSink>,
}

impl Sink {
    /// Sends an event everywhere. Gives what went wrong: a warning, never a reason to end a run.
    pub async fn send(&self, event: &Event) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(file) = &self.file {
            let (file, line) = (file.clone(), event.to_line());
            let written = tokio::task::spawn_blocking(move || file.append(&line)).await;
            let failure = match written {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("the writing was interrupted".to_owned()),
            };
            warnings.extend(failure.map(|why| format!("lineage was not written to its file: {why}")));
        }
        if let Some(http) = &self.http
            && let Err(why) = http.post(event).await
        {
            warnings.push(format!("lineage was not sent: {why}"));
        }
        warnings
    }
}

/// A file that grows by a line per event, each of them durable.
#[derive(Clone, Debug)]
pub struct FileSink {
    path: PathBuf,
}

impl FileSink {
    /// The file; it is made when the first event comes.
    pub fn new(path: &Path) -> FileSink {
        FileSink { path: path.to_owned() }
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        let is_new = !self.path.exists();
        let mut file = std::fs::OpenOptions::new().create(true).read(true).append(true).open(&self.path)?;
        let mut text = String::with_capacity(line.len() + 2);
        if has_torn_end(&mut file)? {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
        // One write: lines of several processes do not mix.
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if is_new && let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// Whether a writer was stopped in the middle of a line.
fn has_torn_end(file: &mut std::fs::File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// A server that takes events by POST: the `/api/v1/lineage` of a lineage service.
pub struct HttpSink {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

impl HttpSink {
    /// A server at a URL that the operator wrote, with a bearer token if it wants one.
    pub fn new(url: &str, token: Option<&str>) -> Result<HttpSink, String> {
        let url: Url = url.parse().map_err(|_| "the URL of the lineage server cannot be read".to_owned())?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| "the token of the lineage server cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let options = Options {
            reach: Reach::configured(&url),
            connect_timeout_secs: 5,
            request_timeout_secs: 15,
            response_bytes_max: RESPONSE_BYTES_MAX,
            backoff: Backoff {
                attempts_max: 4,
                first: Duration::from_millis(200),
                max: Duration::from_secs(5),
            },
            ..Options::default()
        };
        let client = Client::new(options).map_err(|error| error.to_string())?;
        Ok(HttpSink { client, url, headers })
    }

    async fn post(&self, event: &Event) -> Result<(), String> {
        let request = Request {
            method: Method::POST,
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: Some(Bytes::from(event.to_line())),
            // Run, time and type are in the event: a second copy says nothing new.
            idempotent: true,
        };
        let response = self.client.send(request).await.map_err(|error| error.to_string())?;
        if response.status.is_success() {
            return Ok(());
        }
        Err(format!("the lineage server answered {}", response.status.as_u16()))
    }
}
