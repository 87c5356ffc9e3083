//! Where a card leads: pages of this server, when the address at which others reach it is configured, and only to what is there.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use crate::alert::{Query, list};

/// Pages that there are about the patient of a request.
#[derive(Default)]
pub(crate) struct Leads {
    base: String,
    /// Page of vital signs, when there are any.
    vitals: Option<String>,
    /// Topic and page of each alert that is not over.
    alerts: Vec<(String, String)>,
}

impl Leads {
    /// Looks for them; `base` is the server's public address.
    pub(crate) fn find(
        conn: &Connection,
        base: &str,
        tenant: &str,
        patient: &str,
    ) -> rusqlite::Result<Leads> {
        let subject = format!("Patient/{patient}");
        let known = conn
            .prepare_cached("SELECT 1 FROM patient_state WHERE tenant = ?1 AND patient = ?2")?
            .query_row(params![tenant, subject], |_| Ok(()))
            .optional()?;
        let wanted = Query { subject: Some(subject), live: true, ..Query::default() };
        let alerts = list(conn, tenant, &wanted)?.alerts.into_iter();
        let page = |id: &str| format!("{base}/alerts/{}", fhir::uri::encode(id));
        Ok(Leads {
            base: base.to_owned(),
            vitals: known.map(|()| format!("{base}/patients/{}/vitals", fhir::uri::encode(patient))),
            alerts: alerts.map(|alert| (alert.topic, page(&alert.id))).collect(),
        })
    }

    /// There is a page of the patient, as far as streams know.
    pub(crate) fn has_page(&self) -> bool {
        self.vitals.is_some()
    }

    /// There is none.
    pub(crate) fn without_page(&mut self) {
        self.vitals = None;
    }

    /// The page of a rule; `None` without a public address.
    pub(crate) fn rule(&self, name: &str) -> Option<String> {
        (!self.base.is_empty()).then(|| format!("{}/rules/{}", self.base, fhir::uri::encode(name)))
    }

    /// The links of a card about a topic.
    pub(crate) fn links(&self, topic: &str) -> Vec<Value> {
        let alert = self.alerts.iter().find(|(of, _)| of == topic);
        let alert = alert.map(|(_, page)| ("The open alert about this", page));
        let vitals = self.vitals.as_ref().map(|page| ("Vital signs and alerts of the patient", page));
        let links = alert.into_iter().chain(vitals);
        links.map(|(label, url)| json!({"label": label, "url": url, "type": "absolute"})).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_of_the_topic_stands_first() {
        let leads = Leads {
            base: "https://h".into(),
            vitals: Some("https://h/patients/1/vitals".into()),
            alerts: vec![("potassium".into(), "https://h/alerts/a".into())],
        };
        let urls = |topic: &str| {
            let links = leads.links(topic);
            links.iter().map(|link| link["url"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(urls("potassium"), ["https://h/alerts/a", "https://h/patients/1/vitals"]);
        assert_eq!(urls("sodium"), ["https://h/patients/1/vitals"]);
        assert!(leads.links("sodium").iter().all(|link| link["type"] == "absolute"));
        assert_eq!(leads.rule("a/b").as_deref(), Some("https://h/rules/a%2Fb"));
    }

    #[test]
    fn without_an_address_there_is_nothing_to_lead_to() {
        assert_eq!(Leads::default().rule("a/b"), None);
        assert!(Leads::default().links("sodium").is_empty());
    }
}
