//! The small numbers of a database: tenants, types and parameters. Loaded when it is opened, kept in memory, extended by the writer.

use std::collections::HashMap;
use std::sync::Arc;

use fhir::Kind;
use fhir::definitions::SearchType;
use rusqlite::{Connection, params};
use search::query::Relation;
use search::{EquityRules, ParamId};

use super::hash::HashKey;
use crate::Tenant;

/// Which rows of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Facet {
    /// Its values.
    Value,
    /// Texts of tokens, `:text`.
    Text,
    /// Identifiers by type, `:of-type`.
    OfType,
    /// Logical identifiers of references, `:identifier`.
    Identifier,
}

const FACETS: [(Facet, &str); 4] = [
    (Facet::Value, ""),
    (Facet::Text, ":text"),
    (Facet::OfType, ":of-type"),
    (Facet::Identifier, ":identifier"),
];
const RELATIONS: [(Relation, &str); 3] =
    [(Relation::Region, ":region"), (Relation::Population, ":population"), (Relation::Risk, ":risk")];

/// A parameter's place in the table of a tenant and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot(usize);

impl Slot {
    pub(crate) fn of(param: ParamId, facet: Facet) -> Slot {
        Slot(param.index() * FACETS.len() + facet as usize)
    }

    pub(crate) fn relation(relation: Relation) -> Slot {
        let at = RELATIONS.iter().position(|(r, _)| *r == relation).expect("all relations are listed");
        Slot(ParamId::all().len() * FACETS.len() + at)
    }

    /// Type and code, as the database keeps them: numbers of parameters differ between program versions.
    fn names(self) -> (&'static str, String) {
        match ParamId::at_index(self.0 / FACETS.len()) {
            Some(param) => {
                let (kind, code) = (param.def().kind.name(), param.def().code);
                (kind, format!("{code}{}", FACETS[self.0 % FACETS.len()].1))
            }
            None => (Kind::PATIENT.name(), RELATIONS[self.0 % FACETS.len()].1.to_string()),
        }
    }

    fn parse(kind: &str, code: &str) -> Option<Slot> {
        if let Some((relation, _)) = RELATIONS.iter().find(|(_, name)| *name == code) {
            return Some(Slot::relation(*relation));
        }
        let (code, facet) = match code.split_once(':') {
            None => (code, Facet::Value),
            Some((plain, _)) => {
                (plain, FACETS.iter().find(|(_, suffix)| code.ends_with(suffix) && !suffix.is_empty())?.0)
            }
        };
        Some(Slot::of(ParamId::find(Kind::parse(kind)?, code)?, facet))
    }

    fn count() -> usize {
        ParamId::all().len() * FACETS.len() + RELATIONS.len()
    }
}

/// A generation of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generations {
    /// The one that answers.
    pub(crate) serving: u32,
    /// The one that is being built beside it.
    pub(crate) building: Option<u32>,
}

/// Everything that has a small number.
#[derive(Clone)]
pub(crate) struct Catalog {
    pub(crate) hash: HashKey,
    pub(crate) generations: Generations,
    /// Name of the definitions that this program extracts by.
    pub(crate) definitions: Arc<str>,
    /// Was the serving generation built with them.
    pub(crate) is_current: bool,
    tenants: HashMap<Tenant, u32>,
    kinds: HashMap<(u32, Kind), u32>,
    by_t: HashMap<u32, (u32, Kind)>,
    params: HashMap<(u32, u32), Vec<u32>>,
}

impl Catalog {
    /// Reads all of it.
    pub(crate) fn load(conn: &Connection, definitions: Arc<str>) -> rusqlite::Result<Catalog> {
        let key: [u8; 16] =
            conn.query_row("SELECT value FROM meta WHERE name = 'hash-key'", [], |row| row.get(0))?;
        let serving: (u32, String) =
            conn.query_row("SELECT g, definitions FROM generation WHERE state = 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut catalog = Catalog {
            hash: HashKey::of(key),
            generations: Generations { serving: serving.0, building: None },
            is_current: serving.1 == *definitions,
            definitions,
            tenants: HashMap::new(),
            kinds: HashMap::new(),
            by_t: HashMap::new(),
            params: HashMap::new(),
        };
        let mut rows = conn.prepare("SELECT tenant, name FROM tenant")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            catalog.tenants.insert(Tenant::new(row.get_ref(1)?.as_str()?), row.get(0)?);
        }
        let mut rows = conn.prepare("SELECT t, tenant, name FROM kind")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(kind) = Kind::parse(row.get_ref(2)?.as_str()?) {
                catalog.add_kind(row.get(1)?, kind, row.get(0)?);
            }
        }
        let mut rows = conn.prepare("SELECT p, tenant, g, kind, code FROM param")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            // A parameter that this program does not know any more is not asked for either.
            if let Some(slot) = Slot::parse(row.get_ref(3)?.as_str()?, row.get_ref(4)?.as_str()?) {
                catalog.set_param(row.get(1)?, row.get(2)?, slot, row.get(0)?);
            }
        }
        Ok(catalog)
    }

    /// Is the serving generation whole in the snapshot that a connection sees.
    pub(crate) fn is_complete_in(&self, conn: &Connection) -> rusqlite::Result<bool> {
        let mut statement = conn.prepare_cached("SELECT 1 FROM generation WHERE g = ?1 AND state < 2")?;
        statement.exists([self.generations.serving])
    }

    pub(crate) fn tenant(&self, tenant: &Tenant) -> Option<u32> {
        self.tenants.get(tenant).copied()
    }

    /// The tenant of a number.
    pub(crate) fn tenant_of(&self, number: u32) -> Option<&Tenant> {
        self.tenants.iter().find(|(_, n)| **n == number).map(|(tenant, _)| tenant)
    }

    pub(crate) fn t(&self, tenant: u32, kind: Kind) -> Option<u32> {
        self.kinds.get(&(tenant, kind)).copied()
    }

    /// Tenant and type of a number.
    pub(crate) fn of_t(&self, t: u32) -> Option<(u32, Kind)> {
        self.by_t.get(&t).copied()
    }

    /// Types that a tenant has or had resources of, by name.
    pub(crate) fn kinds_of(&self, tenant: u32) -> Vec<(Kind, u32)> {
        let mut kinds: Vec<(Kind, u32)> = self
            .kinds
            .iter()
            .filter(|((of, _), _)| *of == tenant)
            .map(|((_, kind), t)| (*kind, *t))
            .collect();
        kinds.sort_unstable();
        kinds
    }

    /// The number of a parameter's rows; `None` when no resource has any.
    pub(crate) fn p(&self, tenant: u32, g: u32, slot: Slot) -> Option<u32> {
        self.params.get(&(tenant, g))?.get(slot.0).copied().filter(|p| *p != 0)
    }

    /// Every reference parameter that has rows.
    pub(crate) fn reference_params(&self, tenant: u32, g: u32) -> Vec<(ParamId, u32)> {
        let references = ParamId::all().filter(|param| param.def().ty == SearchType::Reference);
        references
            .filter_map(|param| Some((param, self.p(tenant, g, Slot::of(param, Facet::Value))?)))
            .collect()
    }

    /// The number of a tenant, given out when it is new. True: it was new.
    pub(crate) fn make_tenant(
        &mut self,
        conn: &Connection,
        tenant: &Tenant,
    ) -> rusqlite::Result<(u32, bool)> {
        if let Some(number) = self.tenant(tenant) {
            return Ok((number, false));
        }
        let sql = "INSERT INTO tenant (name) VALUES (?1) RETURNING tenant";
        let number = conn.prepare_cached(sql)?.query_row([tenant.as_str()], |row| row.get(0))?;
        self.tenants.insert(tenant.clone(), number);
        Ok((number, true))
    }

    /// The number of a tenant's type, given out when it is new. True: it was new.
    pub(crate) fn make_t(
        &mut self,
        conn: &Connection,
        tenant: u32,
        kind: Kind,
    ) -> rusqlite::Result<(u32, bool)> {
        if let Some(t) = self.t(tenant, kind) {
            return Ok((t, false));
        }
        let sql = "INSERT INTO kind (tenant, name) VALUES (?1, ?2) RETURNING t";
        let t = conn.prepare_cached(sql)?.query_row(params![tenant, kind.name()], |row| row.get(0))?;
        self.add_kind(tenant, kind, t);
        Ok((t, true))
    }

    /// The number of a parameter, given out when it is new. True: it was new.
    pub(crate) fn make_p(
        &mut self,
        conn: &Connection,
        tenant: u32,
        g: u32,
        slot: Slot,
    ) -> rusqlite::Result<(u32, bool)> {
        if let Some(p) = self.p(tenant, g, slot) {
            return Ok((p, false));
        }
        let (kind, code) = slot.names();
        let sql = "INSERT INTO param (tenant, g, kind, code) VALUES (?1, ?2, ?3, ?4) RETURNING p";
        let p = conn.prepare_cached(sql)?.query_row(params![tenant, g, kind, code], |row| row.get(0))?;
        self.set_param(tenant, g, slot, p);
        Ok((p, true))
    }

    /// Forgets a number that was given out in a transaction that was rolled back.
    pub(crate) fn forget(&mut self, given: &Given) {
        match given {
            Given::Tenant(tenant) => drop(self.tenants.remove(tenant)),
            Given::Kind(tenant, kind) => {
                if let Some(t) = self.kinds.remove(&(*tenant, *kind)) {
                    self.by_t.remove(&t);
                }
            }
            Given::Param(tenant, g, slot) => self.set_param(*tenant, *g, *slot, 0),
        }
    }

    /// Forgets the parameters of a generation that is no more.
    pub(crate) fn forget_generation(&mut self, g: u32) {
        self.params.retain(|(_, of), _| *of != g);
    }

    fn add_kind(&mut self, tenant: u32, kind: Kind, t: u32) {
        self.kinds.insert((tenant, kind), t);
        self.by_t.insert(t, (tenant, kind));
    }

    fn set_param(&mut self, tenant: u32, g: u32, slot: Slot, p: u32) {
        let slots = self.params.entry((tenant, g)).or_insert_with(|| vec![0; Slot::count()]);
        slots[slot.0] = p;
    }
}

/// A number that was given out.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// To a tenant.
    Tenant(Tenant),
    /// To a type of a tenant.
    Kind(u32, Kind),
    /// To a parameter of a tenant and generation.
    Param(u32, u32, Slot),
}

/// A name for the definitions that this program extracts index rows by, rules of the configuration included: when it changes, the index is
/// to be built anew.
pub(crate) fn definitions(rules: &EquityRules) -> Arc<str> {
    static OF_PROGRAM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let of_program = OF_PROGRAM.get_or_init(|| {
        let texts = ParamId::all().map(|param| {
            let def = param.def();
            format!("{param} {:?} {:?} {:?} {:?}\n", def.ty, def.source, def.targets, def.components)
        });
        digest_of(std::iter::once(EXTRACTION.to_string()).chain(texts))
    });
    if rules.is_empty() {
        return of_program.as_str().into();
    }
    digest_of([of_program.clone(), format!("{rules:?}")]).into()
}

fn digest_of(texts: impl IntoIterator<Item = String>) -> String {
    use sha2::{Digest, Sha256};
    let mut sum = Sha256::new();
    texts.into_iter().for_each(|text| sum.update(text));
    sum.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Goes up when rows are made in another way from the same definitions.
const EXTRACTION: &str = "4\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_have_names_that_are_read_back() {
        for param in ParamId::all() {
            for (facet, _) in FACETS {
                let slot = Slot::of(param, facet);
                let (kind, code) = slot.names();
                assert_eq!(Slot::parse(kind, &code), Some(slot), "{param} {facet:?}");
            }
        }
        for (relation, _) in RELATIONS {
            let slot = Slot::relation(relation);
            let (kind, code) = slot.names();
            assert_eq!(Slot::parse(kind, &code), Some(slot), "{relation:?}");
        }
        assert_eq!(Slot::parse("Patient", "color"), None);
        assert_eq!(Slot::parse("Patient", "name:color"), None);
    }
}
