//! Tokens: hashed, expiring, revocable.

use gate::{AuthProblem, GateError, Role, TokenRequest};

use crate::house::{House, of};

fn request(expires: &str) -> TokenRequest {
    TokenRequest {
        role: Role::Analyst,
        name: "n".into(),
        scopes: None,
        patient: None,
        expires: expires.into(),
    }
}

fn problem(outcome: Result<impl std::fmt::Debug, GateError>) -> AuthProblem {
    match outcome {
        Err(GateError::Unauthenticated(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_opens_the_gate_until_it_expires() {
    let house = House::new();
    let (token, secret) = house.gate.create_token(&of(Role::Admin), &request("1h")).await.unwrap();
    let principal = house.gate.authenticate(secret.reveal(), "r-2").await.unwrap();
    assert_eq!(principal.id, format!("token:{}", token.id));
    house.clock.advance_micros(3_600_000_000 - 1);
    assert!(house.gate.authenticate(secret.reveal(), "r-2").await.is_ok());
    house.clock.advance_micros(1);
    assert_eq!(problem(house.gate.authenticate(secret.reveal(), "r-3").await), AuthProblem::Expired);
    assert!(house.last_record().await.starts_with("login denied"));
}

#[tokio::test]
async fn a_revoked_token_is_dead_at_once() {
    let house = House::new();
    let (token, secret) = house.gate.create_token(&of(Role::Admin), &request("1d")).await.unwrap();
    assert!(house.gate.authenticate(secret.reveal(), "r-2").await.is_ok());
    house.gate.revoke_token(&of(Role::SecurityOfficer), &token.id).await.unwrap();
    assert_eq!(problem(house.gate.authenticate(secret.reveal(), "r-3").await), AuthProblem::Revoked);
    let listed = house.gate.list_tokens(&of(Role::Admin)).await.unwrap();
    assert!(listed[0].revoked.is_some());
    let unknown = house.gate.revoke_token(&of(Role::Admin), "nobody").await;
    assert!(matches!(unknown, Err(GateError::UnknownToken(_))));
}

#[tokio::test]
async fn a_made_up_token_leaves_no_record() {
    let house = House::new();
    assert_eq!(problem(house.gate.authenticate("salus_made-up", "r-2").await), AuthProblem::Unknown);
    assert_eq!(house.last_record().await, "none");
}

#[tokio::test]
async fn no_secret_is_on_disk() {
    let house = House::new();
    let (_, secret) = house.gate.create_token(&of(Role::Admin), &request("1d")).await.unwrap();
    house.gate.authenticate(secret.reveal(), "r-2").await.unwrap();
    let needle = secret.reveal().as_bytes();
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", path.display());
    }
}
