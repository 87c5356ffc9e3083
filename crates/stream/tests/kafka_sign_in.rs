//! Sign-in and TLS at a real Kafka: what is right works, what is wrong is refused and told by the name of the setting, and nothing falls back to the clear.
//! SCRAM and TLS need the feature `kafka-tls`; `./test` runs this file once more with it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::time::{Duration, Instant};

use event::Kind;
use stream::log::{Append, EventLog, FetchLimits, KafkaSettings, LogError};
use testkit::SecureKafka;

const WRONG: &str = "Umbrella-9-Harbour";

fn settings(brokers: String, client: &[(&str, &str)]) -> KafkaSettings {
    let mut settings = KafkaSettings::new(brokers, 2);
    settings.delivery_secs_max = 10;
    settings.client = client.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    // `localhost` is `::1` too, where nobody listens.
    settings.client.insert("broker.address.family".into(), "v4".into());
    settings
}

fn broker() -> Option<SecureKafka> {
    tokio::task::block_in_place(SecureKafka::own)
}

/// Who signs in, beside what says how.
fn with_user<'a>(user: (&'a str, &'a str), client: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [client, &[("sasl.username", user.0), ("sasl.password", user.1)]].concat()
}

/// An event goes in and comes out.
async fn check_works(settings: KafkaSettings) -> EventLog {
    let log = EventLog::open_kafka(settings).await.unwrap();
    let body = b"{}".to_vec();
    let append = Append {
        kind: Kind::VitalSigns,
        key: event::key_of("main", "Patient/1"),
        id: "monitor|1".into(),
        content: Append::content_of(&body),
        headers: Vec::new(),
        body,
    };
    let appended = log.append(vec![append.clone()]).await.unwrap();
    let position = &appended[0].position;
    let from = [(Kind::VitalSigns, position.offset)];
    assert!(log.wait(position.partition, &from, Duration::from_secs(120)).await.unwrap());
    let entries = log.fetch(position.partition, &from, FetchLimits::default()).await.unwrap();
    assert!(entries.len() == 1 && entries[0].append == append);
    log
}

/// It is refused soon, and what is said names what to look at and no password.
async fn check_refused(settings: KafkaSettings, expected: &[&str]) -> LogError {
    let began = Instant::now();
    let error = EventLog::open_kafka(settings).await.err().unwrap();
    let told = format!("{error} {error:?}");
    assert!(expected.iter().all(|part| told.contains(part)), "{told}");
    assert!(!told.contains(WRONG), "a password is told");
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_the_clear() {
    let Some(broker) = broker() else { return };
    let brokers = || format!("127.0.0.1:{}", broker.clear_port());
    let plain = [("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "PLAIN")];
    let (name, password) = broker.user();
    let log = check_works(settings(brokers(), &with_user((name, password), &plain))).await;
    assert!(log.warnings().iter().any(|warning| warning.contains("in the clear")), "{:?}", log.warnings());
    let error =
        check_refused(settings(brokers(), &with_user((name, WRONG), &plain)), &["`sasl.password`"]).await;
    assert!(matches!(error, LogError::KafkaSignIn(_)), "{error:?}");
    let unknown = settings(brokers(), &with_user(("nobody", password), &plain));
    let error = check_refused(unknown, &["`sasl.username`"]).await;
    assert!(matches!(error, LogError::KafkaSignIn(_)), "{error:?}");
    // Without a sign-in the broker hangs up.
    check_refused(settings(brokers(), &[]), &["nothing was acknowledged", "security.protocol"]).await;
}

#[cfg(not(feature = "kafka-tls"))]
#[tokio::test(flavor = "multi_thread")]
async fn without_the_feature_scram_and_tls_are_refused_by_name() {
    for (client, name) in [
        (&[("security.protocol", "sasl_ssl")][..], "`security.protocol`"),
        (&[("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "SCRAM-SHA-512")], "`sasl.mechanism`"),
    ] {
        let error = check_refused(settings("127.0.0.1:1".into(), client), &[name, "kafka-tls"]).await;
        assert!(matches!(error, LogError::TlsNotBuilt { .. }), "{error:?}");
    }
}

#[cfg(feature = "kafka-tls")]
mod tls {
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use super::*;

    const SCRAM: (&str, &str) = ("sasl.mechanism", "SCRAM-SHA-512");

    #[tokio::test(flavor = "multi_thread")]
    async fn scram_without_tls() {
        let Some(broker) = broker() else { return };
        let brokers = || format!("127.0.0.1:{}", broker.clear_port());
        let scram = [("security.protocol", "sasl_plaintext"), SCRAM];
        check_works(settings(brokers(), &with_user(broker.user(), &scram))).await;
        let wrong = settings(brokers(), &with_user((broker.user().0, WRONG), &scram));
        let error = check_refused(wrong, &["`sasl.password`"]).await;
        assert!(matches!(error, LogError::KafkaSignIn(_)), "{error:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn scram_over_tls() {
        let Some(broker) = broker() else { return };
        let (authority, other) = (broker.authority(), broker.other_authority());
        let over = |authority| [("security.protocol", "sasl_ssl"), SCRAM, ("ssl.ca.location", authority)];
        let (right, other) = (over(authority.to_str().unwrap()), over(other.to_str().unwrap()));
        let at = |host: &str| format!("{host}:{}", broker.tls_port());
        check_works(settings(at("localhost"), &with_user(broker.user(), &right))).await;

        let wrong = with_user((broker.user().0, WRONG), &right);
        let error = check_refused(settings(at("localhost"), &wrong), &["`sasl.password`"]).await;
        assert!(matches!(error, LogError::KafkaSignIn(_)), "{error:?}");
        let unknown = settings(at("localhost"), &with_user((broker.user().0, WRONG), &other));
        let error = check_refused(unknown, &["`ssl.ca.location`"]).await;
        assert!(matches!(error, LogError::KafkaTls(_)), "{error:?}");
        // The certificate is for `localhost`.
        let elsewhere = settings(at("127.0.0.1"), &with_user((broker.user().0, WRONG), &right));
        let error = check_refused(elsewhere, &["`brokers`"]).await;
        assert!(matches!(error, LogError::KafkaTls(_)), "{error:?}");
        // Each of the two ports speaks one of the two.
        let clear = format!("127.0.0.1:{}", broker.clear_port());
        check_refused(settings(clear, &with_user((broker.user().0, WRONG), &right)), &["Kafka"]).await;
        let plain = [("security.protocol", "sasl_plaintext"), SCRAM];
        let plain = settings(at("localhost"), &with_user((broker.user().0, WRONG), &plain));
        check_refused(plain, &["nothing was acknowledged"]).await;
    }

    /// Whatever the other side answers, all that it ever gets is the beginning of TLS.
    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_said_in_the_clear() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let ears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(mut connection) = connection else { return };
                connection.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                let (mut all, mut some) = (Vec::new(), [0; 4096]);
                while let Ok(n @ 1..) = connection.read(&mut some) {
                    all.extend(&some[..n]);
                    // An answer that is none of TLS.
                    std::io::Write::write_all(&mut connection, b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
                }
                ears.lock().unwrap().push(all);
            }
        });
        let client = [("security.protocol", "sasl_ssl"), SCRAM];
        let settings = settings(format!("localhost:{port}"), &with_user(("salus", WRONG), &client));
        check_refused(settings, &["Kafka"]).await;
        let heard = heard.lock().unwrap();
        assert!(!heard.is_empty());
        for said in heard.iter().filter(|said| !said.is_empty()) {
            assert_eq!(said[..2], [0x16, 0x03], "a handshake of TLS");
            assert!(!said.windows(WRONG.len()).any(|part| part == WRONG.as_bytes()));
            assert!(!said.windows(5).any(|part| part == b"salus"), "the user's name is said");
        }
    }
}
