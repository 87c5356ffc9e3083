//! ZIP codes under Safe Harbor: three digits, and 000 where few people live.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::manifest::DataFile;
use crate::{Cell, Effect, PrivacyError};

const FILE: &str = include_str!("../data/zip3.txt");

static LISTS: LazyLock<Lists> = LazyLock::new(|| parse(FILE));

struct Lists {
    version: String,
    lists: Vec<(String, BTreeSet<[u8; 3]>)>,
}

/// Which list of areas with 20,000 people or fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Zip3List {
    /// 17 areas of the guidance, by the census of 2000.
    Census2000,
    /// 14 areas by a later census.
    Newer,
    /// Both, 19 areas: the strictest.
    #[default]
    Union,
}

impl Zip3List {
    /// As pipelines and manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Zip3List::Census2000 => "census-2000",
            Zip3List::Newer => "newer",
            Zip3List::Union => "union",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Result<Zip3List, PrivacyError> {
        [Zip3List::Census2000, Zip3List::Newer, Zip3List::Union]
            .into_iter()
            .find(|list| list.name() == name)
            .ok_or_else(|| PrivacyError::BadParameter {
                name: "zip3_list",
                problem: format!("`{name}` is unknown: use one of census-2000, newer, union"),
            })
    }

    /// The areas that become 000, those without a census population included.
    fn areas(self) -> BTreeSet<[u8; 3]> {
        let names: &[&str] = match self {
            Zip3List::Census2000 => &["census-2000", "no-population"],
            Zip3List::Newer => &["newer", "no-population"],
            Zip3List::Union => &["census-2000", "newer", "no-population"],
        };
        let chosen = LISTS.lists.iter().filter(|(name, _)| names.contains(&name.as_str()));
        chosen.flat_map(|(_, areas)| areas.iter().copied()).collect()
    }

    /// The file it is in, for manifests.
    pub(crate) fn data_file(self) -> DataFile {
        DataFile::of(&format!("zip3 {}", self.name()), &LISTS.version, FILE.as_bytes())
    }
}

fn parse(text: &str) -> Lists {
    let mut parsed = Lists { version: String::new(), lists: Vec::new() };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        if name == "version" {
            words.next().unwrap_or_default().clone_into(&mut parsed.version);
            continue;
        }
        let areas = words.map(|word| word.as_bytes().try_into().expect("an area has three digits"));
        parsed.lists.push((name.to_owned(), areas.collect()));
    }
    parsed
}

/// The rule with its list.
pub(crate) struct Zip3 {
    restricted: BTreeSet<[u8; 3]>,
}

impl Zip3 {
    pub(crate) fn new(list: Zip3List) -> Zip3 {
        Zip3 { restricted: list.areas() }
    }

    /// Five digits or ZIP+4 give three digits; anything else says nothing that could be kept safely.
    pub(crate) fn apply<'a>(&self, value: &'a str) -> Cell<'a> {
        let value = value.trim();
        match value.as_bytes() {
            [a, b, c, d, e, ..] if [a, b, c, d, e].iter().all(|byte| byte.is_ascii_digit()) => {
                let area = if self.restricted.contains(&[*a, *b, *c]) { "000" } else { &value[..3] };
                Cell::new(area, Effect::Generalised)
            }
            _ => Cell::empty(Effect::Unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip3(list: Zip3List, value: &str) -> Option<String> {
        Zip3::new(list).apply(value).text().map(str::to_owned)
    }

    #[test]
    fn vectors_of_the_reference_program() {
        let check = |value: &str, expected: Option<&str>| {
            assert_eq!(zip3(Zip3List::Census2000, value).as_deref(), expected, "{value}");
        };
        check("03601", Some("000"));
        check("10001", Some("100"));
        check("02138-1234", Some("021"));
        check("00501", Some("005"));
        check("8305", None);
        check("63701", Some("637"));
        check("89399", Some("000"));
        check(" 10001 ", Some("100"));
        check("1000é", None);
        check("", None);
    }

    #[test]
    fn lists_have_their_sizes_and_nobody_lives_in_the_military_post() {
        let n_military = 15usize;
        let check =
            |list: Zip3List, n_areas| assert_eq!(list.areas().len(), n_areas + n_military, "{list:?}");
        check(Zip3List::Census2000, 17);
        check(Zip3List::Newer, 14);
        check(Zip3List::Union, 19);
        assert_eq!(zip3(Zip3List::Newer, "06301").as_deref(), Some("063"));
        assert_eq!(zip3(Zip3List::Union, "06301").as_deref(), Some("000"));
        assert_eq!(zip3(Zip3List::Union, "36901").as_deref(), Some("000"));
        assert_eq!(zip3(Zip3List::Newer, "96201").as_deref(), Some("000"));
        assert_eq!(LISTS.version, "2026-11");
        for list in [Zip3List::Census2000, Zip3List::Newer, Zip3List::Union] {
            assert_eq!(Zip3List::parse(list.name()).unwrap(), list);
        }
        assert!(Zip3List::parse("2000").is_err());
    }
}
