//! Dead letters: refused at the door, undecodable in the log, held back behind one, run again, waived.

use event::Kind;
use gate::Matter;
use stream::log::Append;
use stream::{DeadQuery, DeadState, Poison};

use crate::house::{House, vitals};

/// An entry that no event can be read of.
fn poison(id: &str, patient: &str) -> Append {
    Append {
        kind: Kind::VitalSigns,
        key: event::key_of("main", patient),
        id: format!("monitor\u{1f}{id}"),
        content: 7,
        headers: Vec::new(),
        body: b"{\"Zabriskie".to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_a_letter_with_its_bytes() {
    let house = House::new().await;
    let good = vitals("g", "Patient/1", 0, r#"{"heart_rate":"72"}"#);
    let cases: [(&str, String, &str); 9] = [
        ("no JSON", "{nonsense".into(), "malformed"),
        ("NaN", vitals("n", "Patient/1", 0, r#"{"heart_rate":NaN}"#), "malformed"),
        ("no patient", good.replace(r#""patient":"Patient/1","#, ""), "missing"),
        ("absurd", vitals("a", "Patient/1", 0, r#"{"heart_rate":9000}"#), "absurd"),
        (
            "wrong unit",
            vitals("w", "Patient/1", 0, r#"{"heart_rate":{"value":70,"unit":"mmHg"}}"#),
            "unknown-unit",
        ),
        ("no unit", vitals("u", "Patient/1", 0, r#"{"temperature":37}"#), "missing-unit"),
        ("tomorrow", vitals("t", "Patient/1", 86_400, r#"{"heart_rate":70}"#), "future"),
        ("unknown kind", good.replace("vital_signs", "horoscopes"), "wrong-type"),
        ("other content", good.replace("72", "73"), "conflict"),
    ];
    assert_eq!(house.publish(&[good]).await.accepted, 1);
    let sent: Vec<String> = cases.iter().map(|(_, text, _)| text.clone()).collect();
    let receipt = house.publish(&sent).await;
    assert_eq!(receipt.accepted, 0);
    let permit = house.permit(Matter::OpenDeadLetter).await;
    for ((name, text, cause), rejected) in cases.iter().zip(&receipt.rejected) {
        let (letter, body) = house.platform.open_dead_letter(&permit, rejected.dead_letter).await.unwrap();
        assert_eq!(
            (letter.cause.as_str(), letter.state),
            (*cause, DeadState::Open),
            "{name}: {}",
            rejected.reason
        );
        assert_eq!(body, text.as_bytes(), "{name}");
    }
    assert_eq!(receipt.rejected.len(), cases.len());
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_cannot_be_read_does_not_hide_the_rest() {
    let house = House::new().await;
    house.platform.start().unwrap();
    let receipt = house.publish(&[vitals("p", "Patient/1", 0, r#"{"heart_rate":30,"spo2":"much"}"#)]).await;
    assert_eq!(receipt.accepted, 1);
    house.settle().await;
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "Patient/1").await.unwrap().unwrap();
    assert_eq!(board.values["heart_rate"].value, "30");
    assert!(board.values["spo2"].is_absent);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_stops_nobody() {
    let house = House::new().await;
    house.publish(&[vitals("before", "Patient/1", 0, r#"{"heart_rate":72}"#)]).await;
    house.platform.log().append(vec![poison("x", "Patient/1")]).await.unwrap();
    house.publish(&[vitals("after", "Patient/1", 1, r#"{"heart_rate":73}"#)]).await;
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 2);
    let permit = house.permit(Matter::Streams).await;
    let letters = house.platform.dead_letters(&permit, DeadQuery::default()).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].cause, "wrong-type");
    assert!(letters[0].position.is_some() && letters[0].event.as_deref() == Some("x"));
    assert!(!format!("{letters:?}").contains("Zabriskie"), "content is in a list");
    // It is no better when it is run again, and stays what it is.
    let change = house.permit(Matter::ReplayDeadLetter).await;
    assert_eq!(house.platform.replay_dead_letters(&change, vec![letters[0].id]).await.unwrap(), 1);
    house.until("SELECT count(*) FROM dead_letter WHERE state = 'open'", 1).await;
    assert_eq!(house.count("SELECT count(*) FROM dead_letter").await, 1);
    assert_eq!(house.platform.waive_dead_letters(&change, vec![letters[0].id]).await.unwrap(), 1);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_patient_waits_in_order_and_others_go_on() {
    let house = House::with(|settings| settings.poison = Poison::Park).await;
    house.platform.log().append(vec![poison("x", "Patient/1")]).await.unwrap();
    let held: Vec<String> = (0..3)
        .map(|n| vitals(&format!("h{n}"), "Patient/1", n, &format!(r#"{{"heart_rate":{}}}"#, 70 + n)))
        .collect();
    house.publish(&held).await;
    house.publish(&[vitals("other", "Patient/2", 0, r#"{"heart_rate":72}"#)]).await;
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 1, "only the other patient's");
    assert_eq!(house.count("SELECT count(*) FROM dead_letter WHERE cause = 'parked'").await, 3);
    let change = house.permit(Matter::ReplayDeadLetter).await;
    let letters = house.platform.dead_letters(&change, DeadQuery::default()).await.unwrap();
    house.platform.waive_dead_letters(&change, vec![letters[0].id]).await.unwrap();
    house.until("SELECT count(*) FROM dead_letter WHERE state = 'replayed'", 3).await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 4);
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "Patient/1").await.unwrap().unwrap();
    assert_eq!(board.values["heart_rate"].value, "72", "the last of them");
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_back_stays_so_after_a_restart_that_holds_back_no_more() {
    let mut house = House::with(|settings| settings.poison = Poison::Park).await;
    house.platform.log().append(vec![poison("x", "Patient/1")]).await.unwrap();
    house.platform.start().unwrap();
    house.settle().await;
    house.settings.poison = Poison::Skip;
    house.reopen().await;
    house.publish(&[vitals("late", "Patient/1", 0, r#"{"heart_rate":72}"#)]).await;
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(
        house.count("SELECT count(*) FROM dead_letter WHERE cause = 'parked'").await,
        1,
        "order is kept"
    );
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_the_door_comes_through_it_again() {
    let house = House::new().await;
    let tomorrow = vitals("t", "Patient/1", 86_400, r#"{"heart_rate":70}"#);
    let rejected = house.publish(&[tomorrow]).await.rejected;
    let change = house.permit(Matter::ReplayDeadLetter).await;
    let again = house.platform.replay_dead_letters(&change, vec![rejected[0].dead_letter]).await;
    assert!(again.is_err(), "it is still tomorrow's");
    house.clock.advance_micros(86_400_000_000);
    let again = house.platform.replay_dead_letters(&change, vec![rejected[0].dead_letter]).await.unwrap();
    assert_eq!(again, 1);
    house.platform.start().unwrap();
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 1);
    house.platform.stop().await;
}
