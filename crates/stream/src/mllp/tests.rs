//! Messages over TCP: whole, in pieces, cut off, sent again, and what their senders hear.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::Database;
use event::{Event, Sources};
use fhir::{Clock, Instant};
use hl7v2::mllp::{Decoder, Found, encode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Claim, Inbox, Kept, Letter, MessageKey, Mllp, MllpCounts, MllpLimits, MllpStats, Received};
use super::{claim, release, serve, settle};
use crate::StreamError;

const NOW: &str = "2026-11-25T12:00:00Z";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Instant {
        Instant::parse(NOW).unwrap()
    }
}

/// Keeps events in memory and what was seen in the file of streams.
struct Memory {
    db: Database,
    events: Mutex<Vec<Event>>,
    letters: Mutex<Vec<String>>,
    is_down: AtomicBool,
}

impl Inbox for Memory {
    async fn receive(&self, received: Received) -> Kept {
        let down = || StreamError::Unavailable("the disk is full".to_owned());
        if self.is_down.load(Ordering::Relaxed) {
            return Kept::Unavailable(down());
        }
        let (tenant, hash, at) = ("t".to_owned(), received.hash, received.received_at);
        let key = MessageKey { tenant, source: received.source, control_id: received.control_id };
        let mine = key.clone();
        match self.db.write(move |conn| claim(conn, &mine, &hash, at)).await {
            Ok(Claim::Publish) => {}
            Ok(Claim::Kept) => return Kept::StoredBefore,
            Ok(Claim::Other) => return Kept::OtherContent,
            Err(_) => return Kept::Unavailable(down()),
        }
        for event in received.events {
            // As the log: an event that is there is not appended again.
            let mut events = self.events.lock().unwrap();
            if !events.iter().any(|known| known.id == event.id && known.source == event.source) {
                events.push(event);
            }
        }
        let settled = self.db.write(move |conn| settle(conn, &key)).await;
        settled.map_or_else(|_| Kept::Unavailable(down()), |()| Kept::Stored)
    }

    async fn set_aside(&self, letter: Letter) -> Result<(), StreamError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StreamError::Unavailable("the disk is full".to_owned()));
        }
        self.letters.lock().unwrap().push(format!("{} {}", letter.source, letter.slug));
        Ok(())
    }
}

struct Running {
    address: std::net::SocketAddr,
    inbox: Arc<Memory>,
    stats: Arc<MllpStats>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn begin(limits: MllpLimits) -> Running {
        Running::with(limits, None).await
    }

    async fn with(limits: MllpLimits, tls: Option<TlsAcceptor>) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::open(&folder.path().join("stream.db")).unwrap();
        let (events, letters) = (Mutex::default(), Mutex::default());
        let inbox = Arc::new(Memory { db, events, letters, is_down: AtomicBool::new(false) });
        let stats = Arc::new(MllpStats::default());
        let mut sources = Sources::default();
        sources.default.zone_minutes = Some(0);
        let (sources, clock) = (Arc::new(sources), Arc::new(Noon));
        let mllp = Arc::new(Mllp { limits, sources, clock, tls, stats: Arc::clone(&stats) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(listener, mllp, Arc::clone(&inbox), stopped));
        Running { address, inbox, stats, stop, task, _folder: folder }
    }

    async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, decoder: Decoder::new(1 << 20), answers: Vec::new() }
    }

    fn n_events(&self) -> usize {
        self.inbox.events.lock().unwrap().len()
    }

    fn letters(&self) -> Vec<String> {
        self.inbox.letters.lock().unwrap().clone()
    }

    async fn end(self) -> MllpCounts {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(120), self.task).await.unwrap().unwrap();
        self.stats.counts()
    }
}

struct Client<S = TcpStream> {
    stream: S,
    decoder: Decoder,
    answers: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next answer: MSA-1, MSA-2 and the ERR segment if there is one; `closed` at the connection's end.
    async fn hear(&mut self) -> String {
        let mut bytes = [0; 4096];
        while self.answers.is_empty() {
            let read = tokio::time::timeout(Duration::from_secs(120), self.stream.read(&mut bytes)).await;
            match read.expect("an answer within two minutes") {
                Ok(0) | Err(_) => return "closed".to_owned(),
                Ok(n) => {
                    for event in self.decoder.push(&bytes[..n]) {
                        let Found::Message(message) = event.found else { panic!("a whole frame") };
                        self.answers.push(shown(&message));
                    }
                }
            }
        }
        self.answers.remove(0)
    }
}

fn shown(message: &[u8]) -> String {
    let message = hl7v2::Message::parse(message, &hl7v2::Limits::default()).unwrap();
    let text = |path: &str| message.get(path).unwrap().text().unwrap_or("-").to_owned();
    let error = match message.segments("ERR").next() {
        Some(_) => format!(" {}.{} {}", text("ERR-2.1"), text("ERR-2.3"), text("ERR-3.1")),
        None => String::new(),
    };
    format!("{} {}{error}", text("MSA-1"), text("MSA-2"))
}

fn message(id: &str, value: &str, mode: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|LAB|NORTH|EHR|SOUTH|20261125110000+0000||ORU^R01^ORU_R01|{id}|P|2.5.1|||{mode}\rPID|1||123^^^NORTH^MR\rOBR|1||F1\rOBX|1|NM|2823-3^K^LN||{value}|mmol/L|||||F\r"
    )
    .into_bytes()
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(message, &mut frame).unwrap();
    frame
}

#[tokio::test]
async fn whole_in_one_packet_and_byte_by_byte() {
    let running = Running::begin(MllpLimits::default()).await;
    let mut client = running.connect().await;
    client.send(&framed(&message("1", "4.1", ""))).await;
    assert_eq!(client.hear().await, "AA 1");
    assert_eq!(running.n_events(), 1, "it is kept before it is answered");
    let two = [framed(&message("2", "4.2", "")), framed(&message("3", "4.3", ""))].concat();
    client.send(&two).await;
    assert_eq!((client.hear().await, client.hear().await), ("AA 2".to_owned(), "AA 3".to_owned()));
    for byte in framed(&message("4", "4.4", "")) {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.hear().await, "AA 4");
    let ids: Vec<String> = running
        .inbox
        .events
        .lock()
        .unwrap()
        .iter()
        .map(|event| format!("{} {}", event.source, event.id))
        .collect();
    assert_eq!(ids, ["LAB@NORTH 1/1", "LAB@NORTH 2/1", "LAB@NORTH 3/1", "LAB@NORTH 4/1"]);
    assert_eq!(running.end().await, MllpCounts { connections: 1, stored: 4, ..MllpCounts::default() });
}

/// A client that is cut off mid-message has no answer; sent again whole, the message is there once.
#[tokio::test]
async fn cut_off_and_sent_again() {
    let running = Running::begin(MllpLimits::default()).await;
    let frame = framed(&message("7", "6.9", ""));
    for n in [1, 2, 40, frame.len() - 2] {
        let mut client = running.connect().await;
        client.send(&frame[..n]).await;
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.hear().await, "closed");
    }
    assert_eq!(running.n_events(), 0);
    let mut client = running.connect().await;
    client.send(&frame).await;
    assert_eq!(client.hear().await, "AA 7");
    let counts = running.end().await;
    assert_eq!((counts.stored, counts.cut_off), (1, 4));
}

/// The answer was lost: the same bytes are accepted again and kept once. The same id for something else is not.
#[tokio::test]
async fn a_lost_answer_and_a_used_id() {
    let running = Running::begin(MllpLimits::default()).await;
    let frame = framed(&message("8", "6.9", ""));
    let mut client = running.connect().await;
    client.send(&frame).await;
    drop(client);
    let mut client = running.connect().await;
    client.send(&frame).await;
    assert_eq!(client.hear().await, "AA 8");
    client.send(&framed(&message("8", "3.9", ""))).await;
    assert_eq!(client.hear().await, "AE 8 MSH.10 205");
    assert_eq!(running.n_events(), 1);
    assert_eq!(running.letters(), ["LAB@NORTH other-content"]);
    let counts = running.end().await;
    // The two sendings may have met.
    assert_eq!((counts.stored + counts.repeated, counts.conflicts), (2, 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_and_an_error() {
    let running = Running::begin(MllpLimits::default()).await;
    let mut client = running.connect().await;
    client.send(&framed(&message("9", "high", ""))).await;
    assert_eq!(client.hear().await, "AE 9 OBX.5 102");
    client.send(&framed(b"MSH|^~\\&|LAB|NORTH|||20261125||ORU^R01|10|P|2.5.1\rthis is no segment\r")).await;
    assert_eq!(client.hear().await, "AE 10 -.- 207");
    client.send(&framed(b"hello")).await;
    assert_eq!(client.hear().await, "AE - -.- 207");
    client.send(&framed(b"MSH|^~\\&|LAB|NORTH|||20261125||ACK|10|P|2.5.1\rMSA|CA|1\r")).await;
    client.send(&framed(&message("11", "4", ""))).await;
    assert_eq!(client.hear().await, "AA 11", "an acknowledgement is not answered");
    let letters = running.letters();
    assert_eq!(letters[..2], ["LAB@NORTH not-a-number", "LAB@NORTH malformed"]);
    assert!(letters[2].starts_with("127.0.0.1:") && letters[2].ends_with(" malformed"), "{letters:?}");
    assert_eq!(running.end().await.refused, 3);
}

#[tokio::test]
async fn enhanced_mode() {
    let running = Running::begin(MllpLimits::default()).await;
    let mut client = running.connect().await;
    client.send(&framed(&message("20", "4", "AL|NE"))).await;
    assert_eq!(client.hear().await, "CA 20");
    client.send(&framed(&message("21", "4", "AL|AL"))).await;
    assert_eq!((client.hear().await, client.hear().await), ("CA 21".to_owned(), "AA 21".to_owned()));
    client.send(&framed(&message("22", "4", "ER|ER"))).await;
    client.send(&framed(&message("23", "x", "ER|NE"))).await;
    assert_eq!(client.hear().await, "CE 23 OBX.5 102", "of success nothing was to be heard");
    assert_eq!(running.n_events(), 3);
    running.end().await;
}

/// Nothing is acknowledged that is not kept.
#[tokio::test]
async fn while_nothing_can_be_kept() {
    let running = Running::begin(MllpLimits::default()).await;
    let mut client = running.connect().await;
    running.inbox.is_down.store(true, Ordering::Relaxed);
    client.send(&framed(&message("30", "4", ""))).await;
    assert_eq!(client.hear().await, "AR 30 -.- 207");
    client.send(&framed(&message("31", "x", "AL|NE"))).await;
    assert_eq!(client.hear().await, "CR 31 -.- 207");
    running.inbox.is_down.store(false, Ordering::Relaxed);
    client.send(&framed(&message("30", "4", ""))).await;
    assert_eq!(client.hear().await, "AA 30");
    assert_eq!(running.end().await.unavailable, 2);
}

#[tokio::test]
async fn limits() {
    let limits = MllpLimits {
        frame_bytes_max: 400,
        connections_max: 1,
        idle_secs_max: 4,
        frame_secs_max: 2,
        cr_millis_max: 50,
        ..MllpLimits::default()
    };
    let running = Running::begin(limits).await;
    let mut client = running.connect().await;
    client.send(&framed(&message("40", &"4".repeat(400), ""))).await;
    assert_eq!(client.hear().await, "AR 40 -.- 207");
    let mut frame = framed(&message("41", "4", ""));
    frame.pop();
    client.send(&frame).await;
    assert_eq!(client.hear().await, "AA 41", "a sender that never writes the CR is answered");
    let mut second = running.connect().await;
    assert_eq!(second.hear().await, "closed", "one connection is the most");
    client.send(&frame[..50]).await;
    assert_eq!(client.hear().await, "closed", "a message must come in time");
    let mut idle = running.connect().await;
    assert_eq!(idle.hear().await, "closed", "nothing came");
    let mut noise = running.connect().await;
    noise.send(&vec![b'x'; 70_000]).await;
    assert_eq!(noise.hear().await, "closed", "no frames of MLLP");
    let counts = running.end().await;
    assert_eq!((counts.too_large, counts.turned_away, counts.cut_off, counts.timed_out), (1, 1, 1, 2));
    assert!(counts.outside_bytes > 65_536);
}

/// All messages of the shared data, one connection each, all at once; each is answered, and again when it is sent again.
#[tokio::test]
async fn messages_that_others_wrote() {
    let Some(folder) = testkit::shared_data("hl7v2-messages.tar.zst") else { return };
    let running = Arc::new(Running::begin(MllpLimits::default()).await);
    let mut talks = tokio::task::JoinSet::new();
    // Many of them have the same sender and control id: of those the first is kept, which is what the listener must tell apart.
    let mut ids = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(folder.join("messages")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let message = hl7v2::Message::parse(&bytes, &hl7v2::Limits::default()).unwrap();
        let names = [message.sending_application(), message.sending_facility(), message.control_id()];
        ids.insert(names.map(|name| name.map(std::borrow::Cow::into_owned)));
        let running = Arc::clone(&running);
        talks.spawn(async move {
            let mut client = running.connect().await;
            let mut heard = Vec::new();
            // Some of them want to hear nothing of success: they are asked for an answer by a message that is none.
            for _ in 0..2 {
                client.send(&framed(&bytes)).await;
                client.send(&framed(b"?")).await;
                loop {
                    let answer = client.hear().await;
                    if answer.starts_with("AE -") {
                        break;
                    }
                    heard.push(answer.split(' ').next().unwrap_or_default().to_owned());
                }
            }
            heard
        });
    }
    while let Some(heard) = talks.join_next().await {
        let heard = heard.unwrap();
        assert_eq!(heard[..heard.len() / 2], heard[heard.len() / 2..], "sent again it is answered alike");
    }
    let counts = running.stats.counts();
    // One names no sender.
    assert_eq!(usize::try_from(counts.stored).unwrap(), ids.len() - 1);
    assert_eq!(counts.stored + counts.repeated + counts.conflicts + counts.refused, 4 * 70);
    assert_eq!((counts.unavailable, counts.cut_off), (0, 0));
}

/// A message whose events were claimed and perhaps not published is published again; a claim that was released is nobody's.
#[tokio::test]
async fn claims() {
    let folder = tempfile::tempdir().unwrap();
    let db = crate::open(&folder.path().join("stream.db")).unwrap();
    let key = MessageKey { tenant: "t".into(), source: "LAB@NORTH".into(), control_id: "1".into() };
    db.write(move |conn| {
        let claimed = |hash: u8| claim(conn, &key, &[hash; 32], Instant(5));
        assert_eq!(claimed(1)?, Claim::Publish);
        assert_eq!(claimed(1)?, Claim::Publish);
        assert_eq!(claimed(2)?, Claim::Other);
        release(conn, &key)?;
        assert_eq!(claimed(2)?, Claim::Publish);
        settle(conn, &key)?;
        release(conn, &key)?;
        assert_eq!(claimed(2)?, Claim::Kept);
        assert_eq!(super::forget_before(conn, Instant(5))?, 0);
        assert_eq!(super::forget_before(conn, Instant(6))?, 1);
        assert_eq!(claimed(1)?, Claim::Publish);
        Ok(())
    })
    .await
    .unwrap();
}

/// Certificate and key for tests only.
fn file(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/http/tls_files").join(name)
}

/// A connection of a sender that trusts the server, with a certificate of its own or without. It may be turned away later.
async fn over(running: &Running, is_known: bool) -> Client<tokio_rustls::client::TlsStream<TcpStream>> {
    let pem = |name: &str| std::fs::read(file(name)).unwrap();
    let chain: Vec<_> = rustls_pemfile::certs(&mut pem("cert.pem").as_slice()).map(Result::unwrap).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone()).unwrap();
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
    let config = match is_known {
        true => {
            let key = rustls_pemfile::private_key(&mut pem("key.pem").as_slice()).unwrap().unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
        false => config.with_no_client_auth(),
    };
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(running.address).await.unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    Client { stream, decoder: Decoder::new(1 << 20), answers: Vec::new() }
}

#[tokio::test]
async fn over_tls() {
    let tls = super::tls_acceptor(&file("cert.pem"), &file("key.pem"), None).unwrap();
    let limits = MllpLimits { answer_secs_max: 60, ..MllpLimits::default() };
    let running = Running::with(limits, Some(tls)).await;
    let mut client = over(&running, false).await;
    client.send(&framed(&message("50", "4.1", ""))).await;
    assert_eq!(client.hear().await, "AA 50");
    let mut plain = running.connect().await;
    plain.send(&framed(&message("51", "4.1", ""))).await;
    assert_eq!(running.n_events(), 1, "what is not over TLS is not read");
    running.end().await;
}

#[tokio::test]
async fn over_tls_only_senders_with_a_certificate_are_heard() {
    let tls = super::tls_acceptor(&file("cert.pem"), &file("key.pem"), Some(&file("cert.pem"))).unwrap();
    let limits = MllpLimits { answer_secs_max: 60, ..MllpLimits::default() };
    let running = Running::with(limits, Some(tls)).await;
    let mut known = over(&running, true).await;
    known.send(&framed(&message("60", "4.1", ""))).await;
    assert_eq!(known.hear().await, "AA 60");
    // With TLS 1.3 a client learns only afterwards that it is not wanted.
    let mut stranger = over(&running, false).await;
    let _ = stranger.stream.write_all(&framed(&message("61", "4.1", ""))).await;
    let mut bytes = [0; 16];
    let heard = tokio::io::AsyncReadExt::read(&mut stranger.stream, &mut bytes).await;
    assert!(matches!(heard, Ok(0) | Err(_)), "{heard:?}");
    assert_eq!(running.n_events(), 1);
    running.end().await;
}

#[test]
fn files_that_are_not_for_tls_are_named() {
    let wrong = super::tls_acceptor(&file("key.pem"), &file("key.pem"), None).err().unwrap().to_string();
    assert!(wrong.contains("key.pem") && wrong.contains("certificate"), "{wrong}");
    let absent =
        super::tls_acceptor(&file("cert.pem"), &file("nothing.pem"), None).err().unwrap().to_string();
    assert!(absent.contains("nothing.pem"), "{absent}");
}
