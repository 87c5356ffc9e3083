//! Search: the mix of `docs/performance.md` with random values from the server's own data, one in ten a guaranteed miss.

use egress::Method;
use fhir::Value;
use fhir::uri::encode;
use rand::Rng;
use rand::rngs::StdRng;

use super::Recorder;
use super::sample::sample;
use crate::bench::drive::Drive;

const SAMPLE_MAX: usize = 2_000;
/// One value in so many is one that the server does not have.
const MISS_ONE_IN: u32 = 10;

/// Values that searches are made of.
pub(crate) struct SearchLoad {
    families: Vec<String>,
    cities: Vec<String>,
    organizations: Vec<String>,
    birth_dates: Vec<String>,
    observation_dates: Vec<String>,
    encounter_dates: Vec<String>,
    codes: Vec<String>,
    /// `code$value` of observations with a quantity, and the bare value with its unit code.
    code_values: Vec<(String, String, String)>,
    /// The same of components.
    component_values: Vec<(String, String, String)>,
    patients: Vec<String>,
    encounters: Vec<String>,
    practitioners: Vec<String>,
}

/// What can be asked, and under which name it is reported.
const TEMPLATES: [&str; 24] = [
    "string name",
    "string name:contains",
    "string address",
    "string organization",
    "date birthdate",
    "date birthdate prefix",
    "date observation",
    "date observation prefix",
    "date encounter prefix",
    "token code",
    "token code bare",
    "token code or",
    "token category",
    "token status",
    "token class",
    "quantity value",
    "quantity component",
    "quantity combo",
    "composite code-value",
    "composite component",
    "composite combo",
    "reference subject",
    "reference encounter",
    "reference participant",
];

impl SearchLoad {
    /// Samples the server's data.
    pub(crate) async fn prepare(drive: &Drive) -> anyhow::Result<SearchLoad> {
        let mut connection = drive.connect()?;
        let patients = sample(&mut connection, "Patient?_count=500", SAMPLE_MAX).await?;
        let organizations = sample(&mut connection, "Organization?_count=500", SAMPLE_MAX).await?;
        let encounters = sample(&mut connection, "Encounter?_count=500", SAMPLE_MAX).await?;
        let observations = sample(&mut connection, "Observation?_count=500", SAMPLE_MAX).await?;
        if patients.is_empty() || observations.is_empty() || encounters.is_empty() {
            anyhow::bail!(
                "the server holds too little to search: import patients with encounters and observations first"
            );
        }
        let components: Vec<Value> = observations
            .iter()
            .flat_map(|o| o.get("component").map(Value::items).unwrap_or_default().to_vec())
            .collect();
        Ok(SearchLoad {
            families: texts(&patients, |p| p.get("name")?.items().first()?.text("family")),
            cities: texts(&patients, |p| p.get("address")?.items().first()?.text("city")),
            organizations: texts(&organizations, |o| o.text("name")),
            birth_dates: texts(&patients, |p| p.text("birthDate")),
            observation_dates: texts(&observations, |o| o.text("effectiveDateTime")),
            encounter_dates: texts(&encounters, |e| e.get("period")?.text("start")),
            codes: observations.iter().filter_map(code_of).collect(),
            code_values: observations.iter().filter_map(code_value_of).collect(),
            component_values: components.iter().filter_map(code_value_of).collect(),
            patients: texts(&patients, |p| p.text("id")),
            encounters: texts(&encounters, |e| e.text("id")),
            practitioners: texts(&encounters, |e| {
                e.get("participant")?.items().first()?.get("individual")?.text("reference")
            }),
        })
    }

    pub(super) async fn step(&self, recorder: &mut Recorder, rng: &mut StdRng) -> bool {
        let name = TEMPLATES[rng.random_range(0..TEMPLATES.len())];
        if let Some(query) = self.query(name, rng) {
            recorder.call(name, Method::GET, &format!("{query}&_count=20"), None, &[200]).await;
        }
        true
    }

    /// A query of a template; none when the sample has no value for it.
    fn query(&self, name: &str, rng: &mut StdRng) -> Option<String> {
        let date = |dates: &[String], rng: &mut StdRng| Some(pick(dates, rng)?.get(..10)?.to_owned());
        let prefix = |rng: &mut StdRng| ["gt", "lt", "ge", "le", "sa", "eb", "ne"][rng.random_range(0..7)];
        Some(match name {
            "string name" => format!("Patient?name={}", text(&self.families, rng)?),
            "string name:contains" => format!("Patient?name:contains={}", part(&text(&self.families, rng)?)),
            "string address" => format!("Patient?address={}", text(&self.cities, rng)?),
            "string organization" => format!("Organization?name={}", text(&self.organizations, rng)?),
            "date birthdate" => format!("Patient?birthdate={}", date(&self.birth_dates, rng)?),
            "date birthdate prefix" => {
                format!("Patient?birthdate={}{}", prefix(rng), date(&self.birth_dates, rng)?)
            }
            "date observation" => format!("Observation?date={}", date(&self.observation_dates, rng)?),
            "date observation prefix" => {
                format!("Observation?date={}{}", prefix(rng), date(&self.observation_dates, rng)?)
            }
            "date encounter prefix" => {
                format!("Encounter?date={}{}", prefix(rng), date(&self.encounter_dates, rng)?)
            }
            "token code" => format!("Observation?code={}", encode(pick(&self.codes, rng)?)),
            "token code bare" => {
                format!("Observation?code={}", encode(pick(&self.codes, rng)?.rsplit('|').next()?))
            }
            "token code or" => {
                let codes = [pick(&self.codes, rng)?, pick(&self.codes, rng)?, pick(&self.codes, rng)?]
                    .map(|code| encode(code));
                format!("Observation?code={}", codes.join(","))
            }
            "token category" => format!(
                "Observation?category={}",
                ["vital-signs", "laboratory", "survey", "absent"][rng.random_range(0..4)]
            ),
            "token status" => {
                format!("Encounter?status={}", ["finished", "in-progress", "planned"][rng.random_range(0..3)])
            }
            "token class" => {
                format!("Encounter?class={}", ["AMB", "EMER", "IMP", "VR"][rng.random_range(0..4)])
            }
            "quantity value" => quantity("value-quantity", pick(&self.code_values, rng)?, rng),
            "quantity component" => {
                quantity("component-value-quantity", pick(&self.component_values, rng)?, rng)
            }
            "quantity combo" => quantity("combo-value-quantity", pick(&self.code_values, rng)?, rng),
            "composite code-value" => composite("code-value-quantity", pick(&self.code_values, rng)?, rng),
            "composite component" => {
                composite("component-code-value-quantity", pick(&self.component_values, rng)?, rng)
            }
            "composite combo" => composite("combo-code-value-quantity", pick(&self.code_values, rng)?, rng),
            "reference subject" => format!("Observation?subject=Patient/{}", id(&self.patients, rng)?),
            "reference encounter" => {
                format!("Observation?encounter=Encounter/{}", id(&self.encounters, rng)?)
            }
            _ => format!("Encounter?participant={}", pick(&self.practitioners, rng)?),
        })
    }
}

fn texts<'a>(resources: &'a [Value], of: impl Fn(&'a Value) -> Option<&'a str>) -> Vec<String> {
    resources.iter().filter_map(of).map(str::to_owned).collect()
}

fn code_of(observation: &Value) -> Option<String> {
    let coding = observation.get("code")?.get("coding")?.items().first()?;
    Some(format!("{}|{}", coding.text("system")?, coding.text("code")?))
}

fn code_value_of(observation: &Value) -> Option<(String, String, String)> {
    let quantity = observation.get("valueQuantity")?;
    let value = quantity.get("value")?.as_number()?.as_str().to_owned();
    Some((code_of(observation)?, value, quantity.text("code")?.to_owned()))
}

fn pick<'a, T>(values: &'a [T], rng: &mut StdRng) -> Option<&'a T> {
    if values.is_empty() { None } else { values.get(rng.random_range(0..values.len())) }
}

fn misses(rng: &mut StdRng) -> bool {
    rng.random_range(0..MISS_ONE_IN) == 0
}

fn text(values: &[String], rng: &mut StdRng) -> Option<String> {
    if misses(rng) { Some("Zzyzx".to_owned()) } else { pick(values, rng).map(|value| encode(value)) }
}

fn id(values: &[String], rng: &mut StdRng) -> Option<String> {
    if misses(rng) { Some("no-such-id".to_owned()) } else { pick(values, rng).cloned() }
}

// Some letters from inside a text.
fn part(text: &str) -> String {
    let inner: String = text.chars().filter(char::is_ascii_alphabetic).skip(1).take(4).collect();
    if inner.is_empty() { "a".to_owned() } else { inner }
}

fn quantity(param: &str, (code, value, unit): &(String, String, String), rng: &mut StdRng) -> String {
    let prefix = ["", "gt", "lt", "ge", "le"][rng.random_range(0..5)];
    format!("Observation?code={}&{param}={prefix}{value}||{}", encode(code), encode(unit))
}

fn composite(param: &str, (code, value, unit): &(String, String, String), rng: &mut StdRng) -> String {
    let prefix = ["", "gt", "lt", "ge", "le"][rng.random_range(0..5)];
    format!("Observation?{param}={}${prefix}{value}||{}", encode(code), encode(unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn every_template_makes_a_query_that_is_understood() {
        let some = |text: &str| vec![text.to_owned()];
        let value = vec![("http://loinc.org|4548-4".to_owned(), "9.1".to_owned(), "%".to_owned())];
        let load = SearchLoad {
            families: some("O'Neil"),
            cities: some("Fall River"),
            organizations: some("Clinic & Co"),
            birth_dates: some("1970-01-02"),
            observation_dates: some("2020-01-02T03:04:05Z"),
            encounter_dates: some("2020-01-02T03:04:05Z"),
            codes: some("http://loinc.org|4548-4"),
            code_values: value.clone(),
            component_values: value,
            patients: some("p1"),
            encounters: some("e1"),
            practitioners: some("Practitioner/d1"),
        };
        let mut rng = StdRng::seed_from_u64(1);
        for name in TEMPLATES {
            for _ in 0..20 {
                let query = load.query(name, &mut rng).unwrap();
                let (kind, rest) = query.split_once('?').unwrap();
                let options = search::Options::new(true, Vec::new(), fhir::Instant(0));
                let parsed = search::parse(Some(fhir::Kind::named(kind)), rest, &options);
                assert!(parsed.is_ok(), "{query}: {:?}", parsed.err());
            }
        }
    }
}
