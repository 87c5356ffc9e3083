//! Orders of medication: the same substance twice, or one that the patient is allergic to. Exact codes only, and the alert says so.

use event::{Event, Medication};
use fhir::Instant;

use super::machine::Act;
use super::measured::POOR;
use super::turn::Turn;
use crate::Severity;
use crate::hash::key;
use crate::model::{Body, OrderCheck, Rule};
use crate::state::Open;

/// Orders with an alert that are remembered per patient; the oldest is forgotten first.
const ORDERS_MAX: usize = 64;

impl Turn<'_> {
    pub(super) fn ordered(&mut self, event: &Event, order: &Medication) {
        let set = self.set;
        for place in &set.orders {
            let rule = &set.rules[usize::from(*place)];
            let Body::Order { check, severity, .. } = rule.body else { continue };
            match self.applies(rule) {
                Ok(true) if set.is_poor(event) => self.note(rule, 0, POOR),
                Ok(true) => self.order(rule, check, severity, event, order),
                Ok(false) => {}
                Err(unknown) => self.note(rule, 0, unknown.reason()),
            }
        }
    }

    fn order(
        &mut self,
        rule: &Rule,
        check: OrderCheck,
        severity: Severity,
        event: &Event,
        order: &Medication,
    ) {
        let codes: Vec<&String> = order.rxnorm.iter().chain(&order.ingredients).collect();
        if codes.is_empty() {
            self.note(rule, 0, "the order has no RxNorm code: nothing could be compared");
            return;
        }
        self.unnote(rule, &[]);
        let over = match order.status.as_str() {
            "stopped" | "cancelled" | "completed" | "ended" => Some(false),
            "entered-in-error" => Some(true),
            _ => None,
        };
        if let Some(in_error) = over {
            for code in codes {
                self.order_over(rule, code, in_error);
            }
            return;
        }
        let known = match check {
            OrderCheck::Duplicate => &self.subject.medications,
            OrderCheck::Allergy => &self.subject.allergies,
        };
        let Some(code) = codes.into_iter().find(|code| known.contains(code)) else { return };
        self.forget_orders();
        let place = self.state.episode_or_new(key(&rule.name), key(code), 0);
        let episode = &mut self.state.episodes[place];
        if episode.open.is_some() {
            return;
        }
        let opening = event.id.clone();
        episode.open = Some(Box::new(Open {
            opening: opening.clone(),
            severity,
            said_at: event.at.0,
            rests: Vec::new(),
            worst: Vec::new(),
        }));
        self.say_order(rule, event, order, code, Act::Raise { severity, opening, key: 0 });
    }

    fn order_over(&mut self, rule: &Rule, code: &str, in_error: bool) {
        let Some(place) = self.state.episode(key(&rule.name), key(code)) else { return };
        let Some(open) = self.state.episodes[place].open.take() else { return };
        let opening = open.opening;
        let act = if in_error { Act::Retract { opening } } else { Act::Clear { opening } };
        let event = self.event.map(|event| event.id.clone());
        let (at, words) =
            (Instant(self.at.0), if in_error { "the order was never true" } else { "the order has ended" });
        self.say_plain(rule, at, event, act, format!("{words}; {}", self.rule_words(rule)), Some(code));
    }

    fn forget_orders(&mut self) {
        let n_orders = self.state.episodes.iter().filter(|episode| episode.about != 0).count();
        if n_orders >= ORDERS_MAX
            && let Some(oldest) = self.state.episodes.iter().position(|episode| episode.about != 0)
        {
            self.state.episodes.remove(oldest);
        }
    }
}
