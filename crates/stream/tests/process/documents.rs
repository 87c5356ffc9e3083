//! Documents that come as HL7 v2 over MLLP become DocumentReferences, as notes of HTTP do.

use std::sync::Arc;

use hl7v2::mllp::encode;
use stream::PlatformInbox;
use stream::mllp::{Mllp, MllpLimits, MllpStats, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::house::House;

/// A word that no log, list or answer may have.
const SECRET: &str = "Zabriskie";

struct Sender(TcpStream);

impl Sender {
    /// Sends a document, and gives the code of the answer.
    async fn send(&mut self, id: &str, trigger: &str, rest: &str) -> String {
        let message = format!(
            "MSH|^~\\&|DICT|NORTH|EHR|SOUTH|20261125110000+0000||MDM^{trigger}|{id}|P|2.5.1\rPID|1||123^^^urn:oid:1.2.3^MR\rPV1|1|I|7A\rTXA|1|DS|TX|||20261125103000|||9^Weber^Anna|||D-7^DICT|||||LA|R|AV\r{rest}"
        );
        let mut frame = Vec::new();
        encode(message.as_bytes(), &mut frame).unwrap();
        self.0.write_all(&frame).await.unwrap();
        let (mut answer, mut some) = (Vec::new(), [0; 1024]);
        while !answer.ends_with(&[0x1c, 0x0d]) {
            let n = self.0.read(&mut some).await.unwrap();
            assert!(n > 0, "an answer comes");
            answer.extend(&some[..n]);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(!answer.contains(SECRET), "{answer}");
        answer.split("MSA|").nth(1).unwrap().chars().take(2).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_kept_changed_and_taken_back() {
    let house = House::new().await;
    house.platform.start().unwrap();
    let mllp = Mllp {
        limits: MllpLimits::default(),
        sources: Arc::clone(house.platform.sources()),
        clock: Arc::new(house.clock.clone()),
        tls: None,
        stats: Arc::new(MllpStats::default()),
    };
    let inbox = PlatformInbox { platform: house.platform.clone(), tenant: "main".to_owned() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let listening = tokio::spawn(serve(listener, Arc::new(mllp), Arc::new(inbox), stopped));
    let mut sender = Sender(TcpStream::connect(address).await.unwrap());

    let text = format!("OBX|1|TX|18842-5^Discharge summary^LN||Dr {SECRET}~Heart rate 190.||||||F");
    assert_eq!(sender.send("1", "T02", &text).await, "AA");
    let query = "type=http://loinc.org|18842-5&_security=R&status=current&date=2026-11-25";
    let found = house.until_found("DocumentReference", query, 1).await;
    for part in
        [r#""docStatus":"final""#, r#""display":"Anna Weber""#, r#""description":"Discharge summary""#]
    {
        assert!(found[0].contains(part), "{part} in {}", found[0]);
    }
    assert!(found[0].contains("\"data\":") && !found[0].contains(SECRET), "the text is in the attachment");
    // What edits it is the same document, and a picture beside it is kept as it came.
    let both = format!("{text}\rOBX|2|ED|X^Scan^L||^IM^JPEG^Base64^AAAA||||||F");
    assert_eq!(sender.send("2", "T08", &both).await, "AA");
    let mut all = house.found("DocumentReference", "").await;
    for _ in 0..12_000 {
        if all[0].contains(r#""docStatus":"amended""#) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        all = house.found("DocumentReference", "").await;
    }
    assert!(all.len() == 1 && all[0].contains(r#""docStatus":"amended""#), "{all:?}");
    assert_eq!(sender.send("3", "T02", "OBX|1|ED|X^Text^L||^TEXT^^Base64^***").await, "AE");
    house.until("SELECT count(*) FROM dead_letter WHERE door = 'mllp'", 1).await;
    assert_eq!(sender.send("4", "T11", "").await, "AA");
    house.until_found("DocumentReference", "status=entered-in-error", 1).await;
    // No rule has read a heart rate of 190 out of it.
    assert_eq!(house.count("SELECT count(*) FROM alert").await, 0);
    stop.send(true).unwrap();
    listening.await.unwrap();
    house.platform.stop().await;
}
