//! ExplanationOfBenefit: what the payer allows and pays of each line. Medicare answers in the words of CMS Blue Button, others in those of HL7.

use compact_str::{CompactString, format_compact};
use fhir::Value;

use super::claim::{Bill, Line, shares};
use super::coverage::Cover;
use crate::make::{Code, code, money, object, one, period, reference, word};
use crate::person::Payer;
use crate::record::Record;

const ADJUDICATION: &str = "http://terminology.hl7.org/CodeSystem/adjudication";
const BLUE_BUTTON: &str = "https://bluebutton.cms.gov/resources/codesystem/adjudication";
const SUBMITTED: Code = code(ADJUDICATION, "submitted", "Submitted Amount");
const ELIGIBLE: Code = code(ADJUDICATION, "eligible", "Eligible Amount");
const COPAY: Code = code(ADJUDICATION, "copay", "CoPay");
const BENEFIT: Code = code(ADJUDICATION, "benefit", "Benefit Amount");

const fn blue(variable: &'static str, display: &'static str) -> Code {
    code(BLUE_BUTTON, variable, display)
}

const LINE_COINSURANCE: Code = blue(
    "https://bluebutton.cms.gov/resources/variables/line_coinsrnc_amt",
    "Line Beneficiary Coinsurance Amount",
);
const LINE_PAYMENT: Code =
    blue("https://bluebutton.cms.gov/resources/variables/line_prvdr_pmt_amt", "Line Provider Payment Amount");
const LINE_SUBMITTED: Code = blue(
    "https://bluebutton.cms.gov/resources/variables/line_sbmtd_chrg_amt",
    "Line Submitted Charge Amount",
);
const LINE_ALLOWED: Code =
    blue("https://bluebutton.cms.gov/resources/variables/line_alowd_chrg_amt", "Line Allowed Charge Amount");
const LINE_DEDUCTIBLE: Code = blue(
    "https://bluebutton.cms.gov/resources/variables/line_bene_ptb_ddctbl_amt",
    "Line Beneficiary Part B Deductible Amount",
);

/// What becomes of a price, in cents.
#[derive(Clone, Copy)]
struct Answer {
    submitted: i64,
    allowed: i64,
    paid: i64,
}

impl Answer {
    fn of(line: &Line, payer: Payer) -> Answer {
        let (allowed, paid) = shares(payer);
        let allowed = line.cents * allowed / 100;
        Answer { submitted: line.cents, allowed, paid: allowed * paid / 100 }
    }
}

/// Adds the payer's answer to a claim.
pub(super) fn add(record: &mut Record<'_>, bill: &Bill, cover: &Cover, (id, claim): (CompactString, &str)) {
    let payer = record.person.payer;
    let answers: Vec<Answer> = bill.lines.iter().map(|line| Answer::of(line, payer)).collect();
    let sum = |of: fn(&Answer) -> i64| answers.iter().map(of).sum::<i64>();
    let total = |what: Code, cents: i64| object([("category", what.concept()), ("amount", money(cents))]);
    let number =
        object([("system", word("urn:salus:synth:claim")), ("value", format_compact!("C-{claim}").into())]);
    let insurance = object([("focal", true.into()), ("coverage", reference("Coverage", &cover.id))]);
    let totals = vec![total(SUBMITTED, sum(|one| one.submitted)), total(BENEFIT, sum(|one| one.paid))];
    let members = [
        ("identifier", one(number)),
        ("status", word("active")),
        ("type", bill.kind.concept()),
        ("use", word("claim")),
        ("patient", record.subject()),
        ("billablePeriod", period(bill.start.text(), Some(bill.end.text()))),
        ("created", bill.end.text().into()),
        ("insurer", reference("Organization", cover.payer)),
        ("provider", bill.provider.clone()),
        ("claim", reference("Claim", claim)),
        ("outcome", word("complete")),
        ("careTeam", one(care_team(bill))),
        ("insurance", one(insurance)),
        (
            "item",
            bill.lines
                .iter()
                .zip(&answers)
                .zip(1..)
                .map(|((line, answer), number)| item(bill, line, *answer, (number, payer)))
                .collect::<Vec<_>>()
                .into(),
        ),
        ("total", totals.into()),
        ("payment", object([("amount", money(sum(|one| one.paid)))])),
    ];
    record.add("ExplanationOfBenefit", id, members);
}

fn care_team(bill: &Bill) -> Value {
    let role = code(
        "http://terminology.hl7.org/CodeSystem/claimcareteamrole",
        "primary",
        "Primary Care Practitioner",
    );
    object([("sequence", 1.into()), ("provider", bill.practitioner.clone()), ("role", role.concept())])
}

fn item(bill: &Bill, line: &Line, answer: Answer, (number, payer): (i32, Payer)) -> Value {
    object([
        ("sequence", number.into()),
        ("careTeamSequence", one(1.into())),
        ("productOrService", line.service.clone()),
        ("servicedPeriod", period(bill.start.text(), Some(bill.end.text()))),
        ("locationCodeableConcept", bill.place.map_or(Value::Null, Code::concept)),
        ("net", money(line.cents)),
        ("encounter", one(bill.encounter.clone())),
        ("adjudication", adjudication(answer, payer)),
    ])
}

fn adjudication(answer: Answer, payer: Payer) -> Value {
    let part = |what: Code, cents: i64| object([("category", what.concept()), ("amount", money(cents))]);
    let own = answer.allowed - answer.paid;
    let parts = if payer == Payer::Medicare {
        vec![
            part(LINE_COINSURANCE, own),
            part(LINE_PAYMENT, answer.paid),
            part(LINE_SUBMITTED, answer.submitted),
            part(LINE_ALLOWED, answer.allowed),
            part(LINE_DEDUCTIBLE, 0),
        ]
    } else {
        vec![
            part(SUBMITTED, answer.submitted),
            part(ELIGIBLE, answer.allowed),
            part(COPAY, own),
            part(BENEFIT, answer.paid),
        ]
    };
    parts.into()
}
