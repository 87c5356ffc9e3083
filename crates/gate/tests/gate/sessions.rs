//! Sign-in links and sessions.

use gate::{AuthProblem, Gate, GateError, LINK_HOURS_MAX, Role, Roles, SESSION_HOURS_MAX, Tenant};

use crate::house::House;

const HOUR_MICROS: i64 = 3_600_000_000;

async fn link(house: &House) -> String {
    let roles = Roles::of(&[Role::Clinician, Role::Admin]).unwrap();
    house.gate.create_setup_link("ada", roles, &Tenant::main()).await.unwrap().reveal().to_string()
}

#[tokio::test]
async fn a_link_works_once() {
    let house = House::new();
    assert!(house.gate.is_new().await.unwrap());
    let link = link(&house).await;
    let session = house.gate.sign_in(&link, "r-1").await.unwrap();
    assert_eq!(session.principal.roles.to_string(), "clinician admin");
    assert!(house.last_record().await.starts_with("login done"));
    assert!(!house.gate.is_new().await.unwrap());
    let again = house.gate.sign_in(&link, "r-2").await.err();
    assert!(matches!(again, Some(GateError::Unauthenticated(AuthProblem::Link))), "{again:?}");
}

#[tokio::test]
async fn an_old_link_is_dead() {
    let house = House::new();
    let link = link(&house).await;
    house.clock.advance_micros(LINK_HOURS_MAX * HOUR_MICROS);
    assert!(house.gate.sign_in(&link, "r-1").await.is_err());
}

#[tokio::test]
async fn a_session_ends_by_itself_and_by_signing_out() {
    let house = House::new();
    for by_itself in [true, false] {
        let session = house.gate.sign_in(&link(&house).await, "r-1").await.unwrap();
        let cookie = session.cookie.reveal();
        let (principal, csrf) = house.gate.session(cookie).await.unwrap();
        assert!(Gate::check_csrf(&csrf, Some(session.csrf.reveal())).is_ok());
        assert!(Gate::check_csrf(&csrf, Some("wrong")).is_err());
        assert!(Gate::check_csrf(&csrf, None).is_err());
        if by_itself {
            house.clock.advance_micros(SESSION_HOURS_MAX * HOUR_MICROS);
        } else {
            let access = gate::Access::new(principal, None, "r-2").unwrap();
            house.gate.sign_out(&access, cookie).await.unwrap();
        }
        let ended = house.gate.session(cookie).await.err();
        assert!(matches!(ended, Some(GateError::Unauthenticated(AuthProblem::SessionEnded))), "{ended:?}");
    }
}
