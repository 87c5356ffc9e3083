//! The tree of routes: the first child that matches takes what comes, unless it says `continue`.

use rules::Severity;

use super::PlanError;
use crate::settings::{Match, RouteSettings};

/// Nodes below each other.
const DEPTH_MAX: usize = 8;

/// What a route is chosen by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// How bad.
    pub severity: Severity,
    /// Ward or unit.
    pub unit: Option<&'a str>,
    /// Groups of the population.
    pub population: &'a [String],
    /// Region.
    pub region: Option<&'a str>,
    /// Topic of the rule.
    pub topic: &'a str,
    /// The rule.
    pub rule: &'a str,
    /// About a population, not about a patient.
    pub is_population: bool,
}

impl Facts<'_> {
    /// About differences between groups.
    fn is_equity(&self) -> bool {
        self.topic.starts_with("disparity") || self.topic.starts_with("equity")
    }
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    matching: Match,
    severities: Vec<Severity>,
    receivers: Vec<String>,
    goes_on: bool,
    routes: Vec<Route>,
}

type Known<'a> = dyn Fn(&str, &[String]) -> Result<(), PlanError> + 'a;

impl Route {
    pub(super) fn new(place: &str, written: &RouteSettings, known: &Known<'_>) -> Result<Route, PlanError> {
        if written.matching != Match::default() {
            let why = "everything comes to the root: move `match` into `routes`".to_owned();
            return Err(PlanError::Route { place: place.to_owned(), why });
        }
        Route::node(place, written, known, 0)
    }

    fn node(
        place: &str,
        written: &RouteSettings,
        known: &Known<'_>,
        depth: usize,
    ) -> Result<Route, PlanError> {
        let wrong = |why: String| PlanError::Route { place: place.to_owned(), why };
        if depth > DEPTH_MAX {
            return Err(wrong(format!("routes are nested deeper than {DEPTH_MAX}")));
        }
        known(place, &written.receivers)?;
        let mut severities = Vec::new();
        for name in &written.matching.severity {
            let severity = Severity::named(name).ok_or_else(|| {
                wrong(format!("severity `{name}` is unknown: use critical, high, medium, low or info"))
            })?;
            severities.push(severity);
        }
        if let Some(about) = &written.matching.about
            && !["patient", "population"].contains(&about.as_str())
        {
            return Err(wrong(format!("`about: {about}` is unknown: use patient or population")));
        }
        let mut routes = Vec::new();
        for (index, child) in written.routes.iter().enumerate() {
            routes.push(Route::node(&format!("{place}.routes[{index}]"), child, known, depth + 1)?);
        }
        Ok(Route {
            matching: written.matching.clone(),
            severities,
            receivers: written.receivers.clone(),
            goes_on: written.goes_on,
            routes,
        })
    }

    /// Adds the receivers of what comes to this node.
    pub(super) fn collect<'a>(&'a self, facts: &Facts<'_>, names: &mut Vec<&'a str>) {
        let mut is_taken = false;
        for route in self.routes.iter().filter(|route| route.matches(facts)) {
            route.collect(facts, names);
            is_taken = true;
            if !route.goes_on {
                break;
            }
        }
        if is_taken {
            return;
        }
        for name in &self.receivers {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }

    fn matches(&self, facts: &Facts<'_>) -> bool {
        let one_of = |wanted: &[String], found: Option<&str>| {
            wanted.is_empty() || found.is_some_and(|found| wanted.iter().any(|one| one == found))
        };
        let wanted = &self.matching;
        let about = if facts.is_population { "population" } else { "patient" };
        (self.severities.is_empty() || self.severities.contains(&facts.severity))
            && one_of(&wanted.unit, facts.unit)
            && one_of(&wanted.region, facts.region)
            && one_of(&wanted.topic, Some(facts.topic))
            && one_of(&wanted.rule, Some(facts.rule))
            && (wanted.population.is_empty()
                || facts.population.iter().any(|g| wanted.population.contains(g)))
            && wanted.about.as_ref().is_none_or(|wanted| wanted == about)
            && wanted.equity.is_none_or(|wanted| wanted == facts.is_equity())
    }
}
