//! The table of decision-support services, as discovery tells it.

use serde_json::{Map, Value, json};

/// Where in a workflow a service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Somebody opens a patient's record.
    PatientView,
    /// Somebody selects an order.
    OrderSelect,
    /// Somebody signs orders.
    OrderSign,
}

impl Hook {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Hook::PatientView => "patient-view",
            Hook::OrderSelect => "order-select",
            Hook::OrderSign => "order-sign",
        }
    }
}

/// One service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its id, the end of its address.
    pub id: &'static str,
    /// When it is asked.
    pub hook: Hook,
    /// For people.
    pub title: &'static str,
    /// What it says.
    pub description: &'static str,
    /// What it needs: key and template. In the order in which it is looked at.
    pub prefetch: &'static [(&'static str, &'static str)],
}

const PATIENT: (&str, &str) = ("patient", "Patient/{{context.patientId}}");
const CONDITIONS: (&str, &str) = ("conditions", "Condition?patient={{context.patientId}}");
const ORDERS: (&str, &str) =
    ("serviceRequests", "ServiceRequest?patient={{context.patientId}}&status=active");
const MEDICATIONS: (&str, &str) =
    ("medications", "MedicationRequest?patient={{context.patientId}}&status=active");
const ALLERGIES: (&str, &str) = ("allergies", "AllergyIntolerance?patient={{context.patientId}}");
const VITALS: (&str, &str) =
    ("vitals", "Observation?patient={{context.patientId}}&category=vital-signs&_sort=-date&_count=100");
const PREGNANCY: (&str, &str) = (
    "pregnancy",
    "Observation?patient={{context.patientId}}&code=http://loinc.org|82810-3&_sort=-date&_count=1",
);
const LABS: (&str, &str) =
    ("labs", "Observation?patient={{context.patientId}}&category=laboratory&_sort=-date&_count=100");

/// Every service.
pub const SERVICES: [Service; 3] = [
    Service {
        id: "salus-patient-view",
        hook: Hook::PatientView,
        title: "Acute illness and critical results",
        description: "NEWS2 and critical vital signs and laboratory results of the patient, by the same rules that raise alerts.",
        prefetch: &[PATIENT, CONDITIONS, ORDERS, PREGNANCY, VITALS, LABS],
    },
    Service {
        id: "salus-order-select",
        hook: Hook::OrderSelect,
        title: "Allergies and duplicate therapy, when an order is selected",
        description: "Selected orders of medication against recorded allergies and active medication. Exact RxNorm codes only.",
        prefetch: &[PATIENT, MEDICATIONS, ALLERGIES],
    },
    Service {
        id: "salus-order-sign",
        hook: Hook::OrderSign,
        title: "Allergies and duplicate therapy, when orders are signed",
        description: "All draft orders of medication against recorded allergies and active medication. Exact RxNorm codes only.",
        prefetch: &[PATIENT, MEDICATIONS, ALLERGIES],
    },
];

/// The service of an id.
pub fn service_named(id: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.id == id)
}

/// The document of discovery.
pub fn discovery() -> Value {
    let one = |service: &Service| {
        let prefetch: Map<String, Value> =
            service.prefetch.iter().map(|(key, template)| ((*key).to_owned(), json!(template))).collect();
        json!({
            "hook": service.hook.name(),
            "title": service.title,
            "description": service.description,
            "id": service.id,
            "prefetch": prefetch,
            "usageRequirements": "Advice only. Data that is not prefetched is read from the FHIR store of this server.",
        })
    };
    json!({"services": SERVICES.iter().map(one).collect::<Vec<Value>>()})
}
