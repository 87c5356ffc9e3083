//! Coverage: who pays, with the payer as an organization; without insurance the patient.

use compact_str::{CompactString, format_compact};
use fhir::Value;

use crate::day::Day;
use crate::make::{ACT_CODE, Code, code, concept, identifier, object, one, period, reference, word};
use crate::person::Payer;
use crate::record::Record;

const SOPT: &str = "https://nahdo.org/sopt";

/// A payer with the codes of its plans.
pub(crate) struct Plan {
    /// Id of the Organization; `None` when the patient pays.
    pub(crate) organization: Option<&'static str>,
    pub(crate) name: &'static str,
    codes: [Code; 2],
}

pub(crate) const MEDICARE: Plan = Plan {
    organization: Some("payer-medicare"),
    name: "Medicare (synthetic)",
    codes: [code(SOPT, "1", "MEDICARE"), code(ACT_CODE, "PUBLICPOL", "public healthcare")],
};
pub(crate) const MEDICAID: Plan = Plan {
    organization: Some("payer-medicaid"),
    name: "Medicaid (synthetic)",
    codes: [code(SOPT, "2", "MEDICAID"), code(ACT_CODE, "PUBLICPOL", "public healthcare")],
};
/// Private insurers; a person belongs to one by number.
pub(crate) const PRIVATE: [Plan; 2] = [
    Plan {
        organization: Some("payer-mutual"),
        name: "Placeholder Mutual Health (synthetic)",
        codes: [code(SOPT, "5", "PRIVATE HEALTH INSURANCE"), code(ACT_CODE, "EHCPOL", "extended healthcare")],
    },
    Plan {
        organization: Some("payer-sample"),
        name: "Sample Health Plan (synthetic)",
        codes: [code(SOPT, "5", "PRIVATE HEALTH INSURANCE"), code(ACT_CODE, "EHCPOL", "extended healthcare")],
    },
];
const SELF_PAY: Plan = Plan {
    organization: None,
    name: "",
    codes: [
        code(SOPT, "81", "Self-pay"),
        code("http://terminology.hl7.org/CodeSystem/coverage-selfpay", "pay", "pay"),
    ],
};

/// Who pays, and since when.
pub(crate) struct Cover {
    /// Id of the Coverage.
    pub(crate) id: CompactString,
    /// Id of the payer's Organization.
    pub(crate) payer: &'static str,
    pub(crate) since: Day,
}

/// Adds the Coverage in force at the end, and gives it when somebody other than the patient pays.
pub(crate) fn add(record: &mut Record<'_>, since: Day) -> Option<Cover> {
    let person = record.person;
    let plan = match person.payer {
        Payer::Medicare => &MEDICARE,
        Payer::Medicaid => &MEDICAID,
        Payer::Private => &PRIVATE[usize::from(person.number.is_multiple_of(3))],
        Payer::Uninsured => &SELF_PAY,
    };
    let member = format_compact!("M{}", person.id);
    let start = Day::of(since.year() - record.draw.between(0, 3), 1, 1).max(person.birth);
    let end = person.death.map(|death| death.day().text());
    let payor = plan.organization.map_or_else(|| record.subject(), |id| reference("Organization", id));
    let (kind, text) = (concept(&plan.codes, ""), plan.organization.is_some());
    let id = record.next_id();
    let members = [
        (
            "identifier",
            if text { one(identifier("MB", "urn:salus:synth:member", member.clone())) } else { Value::Null },
        ),
        ("status", word("active")),
        ("type", kind),
        ("subscriberId", if text { member.into() } else { Value::Null }),
        ("beneficiary", record.subject()),
        ("relationship", object([("coding", one(self_relationship()))])),
        ("period", period(start.text(), end)),
        ("payor", one(payor)),
    ];
    record.add("Coverage", id.clone(), members);
    plan.organization.map(|payer| Cover { id, payer, since: start })
}

fn self_relationship() -> Value {
    code("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self", "Self").coding()
}
