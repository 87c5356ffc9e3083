//! Search on SQLite: golden cases are those of `search`; here is what only a store can show.

use crate::house::House;

#[tokio::test]
async fn an_empty_store_finds_nothing() {
    let house = House::new();
    assert_eq!(house.find("Patient?name=x").await, [""; 0]);
    assert_eq!(house.find("?_type=Patient,Observation").await, [""; 0]);
    let page = house.page("Patient?_total=accurate", 10, &search::Restrictions::all()).await.unwrap();
    assert_eq!(page.total, Some(0));
}
