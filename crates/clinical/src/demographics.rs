//! Text of sex, race and ethnicity → FHIR and OMB codes. What is not in the tables is `None`, for the caller to count; there is no default.
//!
//! Race and ethnicity: OMB Statistical Policy Directive 15 (1997) with the codes of CDC Race & Ethnicity (2.16.840.1.113883.6.238) and the
//! null flavours of US Core. Gender: FHIR administrative-gender with the letters of HL7 v2 table 0001 as HL7's v2-to-FHIR map reads them.

/// `http://hl7.org/fhir/administrative-gender`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gender {
    /// `female`.
    Female,
    /// `male`.
    Male,
    /// `other`.
    Other,
    /// `unknown`: said to be unknown, which is not the same as a text that nobody can map.
    Unknown,
}

impl Gender {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Gender::Female => "female",
            Gender::Male => "male",
            Gender::Other => "other",
            Gender::Unknown => "unknown",
        }
    }
}

/// A category of race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Race {
    /// `1002-5`.
    AmericanIndianOrAlaskaNative,
    /// `2028-9`.
    Asian,
    /// `2054-5`.
    BlackOrAfricanAmerican,
    /// `2076-8`.
    NativeHawaiianOrOtherPacificIslander,
    /// `2106-3`.
    White,
    /// `2131-1`: another race, outside the OMB categories; US Core carries it in `detailed` and as `UNK`.
    Other,
    /// `UNK`: asked, not known.
    Unknown,
    /// `ASKU`: asked, declined.
    AskedButUnknown,
}

impl Race {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Race::AmericanIndianOrAlaskaNative => "1002-5",
            Race::Asian => "2028-9",
            Race::BlackOrAfricanAmerican => "2054-5",
            Race::NativeHawaiianOrOtherPacificIslander => "2076-8",
            Race::White => "2106-3",
            Race::Other => "2131-1",
            Race::Unknown => "UNK",
            Race::AskedButUnknown => "ASKU",
        }
    }

    /// Its name in the code system.
    pub fn display(self) -> &'static str {
        match self {
            Race::AmericanIndianOrAlaskaNative => "American Indian or Alaska Native",
            Race::Asian => "Asian",
            Race::BlackOrAfricanAmerican => "Black or African American",
            Race::NativeHawaiianOrOtherPacificIslander => "Native Hawaiian or Other Pacific Islander",
            Race::White => "White",
            Race::Other => "Other Race",
            Race::Unknown => "Unknown",
            Race::AskedButUnknown => "Asked but no answer",
        }
    }

    /// Is it one of the five OMB categories.
    pub fn is_omb(self) -> bool {
        !matches!(self, Race::Other | Race::Unknown | Race::AskedButUnknown)
    }

    /// Is it the absence of an answer, beside which no category can stand.
    fn is_null(self) -> bool {
        matches!(self, Race::Unknown | Race::AskedButUnknown)
    }
}

/// A category of ethnicity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ethnicity {
    /// `2135-2`.
    HispanicOrLatino,
    /// `2186-5`.
    NotHispanicOrLatino,
    /// `UNK`.
    Unknown,
    /// `ASKU`.
    AskedButUnknown,
}

impl Ethnicity {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Ethnicity::HispanicOrLatino => "2135-2",
            Ethnicity::NotHispanicOrLatino => "2186-5",
            Ethnicity::Unknown => "UNK",
            Ethnicity::AskedButUnknown => "ASKU",
        }
    }

    /// Its name in the code system.
    pub fn display(self) -> &'static str {
        match self {
            Ethnicity::HispanicOrLatino => "Hispanic or Latino",
            Ethnicity::NotHispanicOrLatino => "Not Hispanic or Latino",
            Ethnicity::Unknown => "Unknown",
            Ethnicity::AskedButUnknown => "Asked but no answer",
        }
    }
}

const GENDERS: &[(Gender, &[&str])] = &[
    (Gender::Female, &["f", "female", "woman", "girl"]),
    (Gender::Male, &["m", "male", "man", "boy"]),
    (Gender::Other, &["o", "other", "a", "ambiguous", "n", "not applicable", "x", "nonbinary", "non binary"]),
    (Gender::Unknown, &["u", "unk", "unknown"]),
];

const RACES: &[(Race, &[&str])] = &[
    (
        Race::AmericanIndianOrAlaskaNative,
        &[
            "1002 5",
            "american indian or alaska native",
            "american indian alaska native",
            "american indian",
            "alaska native",
            "native american",
            "native",
            "ai an",
            "aian",
        ],
    ),
    (Race::Asian, &["2028 9", "asian"]),
    (
        Race::BlackOrAfricanAmerican,
        &["2054 5", "black or african american", "black african american", "black", "african american"],
    ),
    (
        Race::NativeHawaiianOrOtherPacificIslander,
        &[
            "2076 8",
            "native hawaiian or other pacific islander",
            "native hawaiian other pacific islander",
            "native hawaiian or pacific islander",
            "native hawaiian",
            "pacific islander",
            "hawaiian",
            "nhpi",
            "nhopi",
        ],
    ),
    (Race::White, &["2106 3", "white", "caucasian"]),
    (Race::Other, &["2131 1", "other", "other race", "some other race"]),
    (Race::Unknown, &["unk", "unknown", "u"]),
    (
        Race::AskedButUnknown,
        &[
            "asku",
            "declined",
            "declined to answer",
            "asked but no answer",
            "asked but unknown",
            "refused",
            "patient refused",
        ],
    ),
];

const ETHNICITIES: &[(Ethnicity, &[&str])] = &[
    (
        Ethnicity::HispanicOrLatino,
        &["2135 2", "hispanic or latino", "hispanic latino", "hispanic", "latino", "latina", "latinx", "h"],
    ),
    (
        Ethnicity::NotHispanicOrLatino,
        &[
            "2186 5",
            "not hispanic or latino",
            "not hispanic latino",
            "not hispanic",
            "non hispanic",
            "nonhispanic",
            "non hispanic or latino",
            "n",
            "nh",
        ],
    ),
    (Ethnicity::Unknown, &["unk", "unknown", "u"]),
    (
        Ethnicity::AskedButUnknown,
        &[
            "asku",
            "declined",
            "declined to answer",
            "asked but no answer",
            "asked but unknown",
            "refused",
            "patient refused",
        ],
    ),
];

/// Longest text that is looked up; the tables hold nothing longer.
const CHARS_MAX: usize = 64;

/// The form in which texts are looked up: lower case, with one blank for every run of blanks and punctuation. `None`: too long for any table.
pub fn words_of(text: &str) -> Option<String> {
    if text.len() > CHARS_MAX {
        return None;
    }
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    Some(words.map(str::to_lowercase).collect::<Vec<_>>().join(" "))
}

fn look_up<T: Copy>(table: &[(T, &[&str])], text: &str) -> Option<T> {
    let words = words_of(text)?;
    table.iter().find(|(_, spellings)| spellings.contains(&words.as_str())).map(|(value, _)| *value)
}

/// The administrative gender that a text means; case, blanks and punctuation do not matter.
pub fn gender_of(text: &str) -> Option<Gender> {
    look_up(GENDERS, text)
}

/// The category that one text of race means.
pub fn race_of(text: &str) -> Option<Race> {
    look_up(RACES, text)
}

/// The ethnicity that a text means. `White` is none: race and ethnicity are two questions.
pub fn ethnicity_of(text: &str) -> Option<Ethnicity> {
    look_up(ETHNICITIES, text)
}

/// The race with a code: one of those of [`Race::code`].
pub fn race_with_code(code: &str) -> Option<Race> {
    RACES.iter().map(|(race, _)| *race).find(|race| race.code() == code)
}

/// The ethnicity with a code: one of those of [`Ethnicity::code`].
pub fn ethnicity_with_code(code: &str) -> Option<Ethnicity> {
    ETHNICITIES.iter().map(|(ethnicity, _)| *ethnicity).find(|ethnicity| ethnicity.code() == code)
}

/// The gender with a code: one of those of [`Gender::code`].
pub fn gender_with_code(code: &str) -> Option<Gender> {
    GENDERS.iter().map(|(gender, _)| *gender).find(|gender| gender.code() == code)
}

/// Several races of one person.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Races {
    /// Distinct categories, sorted. `UNK` and `ASKU` stand alone (invariant us-core-23): beside a category they are dropped.
    pub races: Vec<Race>,
    /// Parts that are in no table.
    pub n_unmapped: usize,
}

/// A person's race does not print.
impl std::fmt::Debug for Races {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Races({}, {} unmapped)", self.races.len(), self.n_unmapped)
    }
}

/// The parts of a text that separates them by `;`, `|`, `~` or `,`.
pub fn parts_of(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '|', '~', ',']).map(str::trim).filter(|part| !part.is_empty())
}

/// Distinct and sorted races. `UNK` and `ASKU` stand alone: beside a category they are dropped.
pub fn tidied(mut races: Vec<Race>) -> Vec<Race> {
    races.sort_unstable();
    races.dedup();
    if races.iter().any(|race| !race.is_null()) {
        races.retain(|race| !race.is_null());
    }
    // Unknown and declined both: the refusal is the later knowledge.
    if races == [Race::Unknown, Race::AskedButUnknown] {
        races.remove(0);
    }
    races
}

/// The races in a text that separates them by `;`, `|`, `~` or `,`. An empty text has none.
pub fn races_of(text: &str) -> Races {
    let (mut races, mut n_unmapped) = (Vec::new(), 0);
    for part in parts_of(text) {
        match race_of(part) {
            Some(race) => races.push(race),
            None => n_unmapped += 1,
        }
    }
    Races { races: tidied(races), n_unmapped }
}

/// One choice in the single question on race and ethnicity of SPD 15 as revised in 2024 (89 FR 22182): seven categories, of which a person
/// chooses as many as apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Choice {
    /// A race of 1997, `UNK` or `ASKU`.
    Race(Race),
    /// `2135-2`: Hispanic or Latino, a category beside the others since 2024.
    HispanicOrLatino,
    /// `2118-8`: Middle Eastern or North African, a category since 2024; part of White (`2106-3`) in 1997.
    MiddleEasternOrNorthAfrican,
}

const MENA: &[&str] = &[
    "2118 8",
    "middle eastern or north african",
    "middle eastern north african",
    "middle eastern",
    "north african",
    "mena",
];

/// The choice that one text means.
pub fn choice_of(text: &str) -> Option<Choice> {
    let words = words_of(text)?;
    if MENA.contains(&words.as_str()) {
        return Some(Choice::MiddleEasternOrNorthAfrican);
    }
    match look_up(ETHNICITIES, text) {
        Some(Ethnicity::HispanicOrLatino) => Some(Choice::HispanicOrLatino),
        _ => race_of(text).map(Choice::Race),
    }
}

/// An answer to the single question, in its own categories and in the two questions of 1997.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Combined {
    /// Codes of the choices of 2024, sorted by code; `UNK` and `ASKU` alone.
    pub codes: Vec<&'static str>,
    /// Races of 1997. Empty when only Hispanic or Latino was chosen: of the race nothing was said then.
    pub races: Vec<Race>,
    /// Whether Hispanic or Latino was among the choices.
    pub is_hispanic: bool,
    /// Parts that are in no table.
    pub n_unmapped: usize,
}

/// A person's race does not print.
impl std::fmt::Debug for Combined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Combined({}, {} unmapped)", self.codes.len(), self.n_unmapped)
    }
}

/// The answer that choices make.
pub fn combined(choices: &[Choice], n_unmapped: usize) -> Combined {
    let is_hispanic = choices.contains(&Choice::HispanicOrLatino);
    let is_mena = choices.contains(&Choice::MiddleEasternOrNorthAfrican);
    let races: Vec<Race> = choices
        .iter()
        .filter_map(|choice| if let Choice::Race(race) = choice { Some(*race) } else { None })
        .collect();
    let mut own = tidied(races);
    if is_hispanic || is_mena {
        own.retain(|race| !race.is_null());
    }
    let mut codes: Vec<&'static str> = own.iter().map(|race| race.code()).collect();
    codes.extend(is_hispanic.then_some(Ethnicity::HispanicOrLatino.code()));
    codes.extend(is_mena.then_some("2118-8"));
    codes.sort_unstable();
    own.extend(is_mena.then_some(Race::White));
    Combined { codes, races: tidied(own), is_hispanic, n_unmapped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genders() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(gender_of(text).map(Gender::code), expected, "{text}");
        };
        for text in ["M", "m", "male", "Male", " MALE "] {
            check(text, Some("male"));
        }
        check("F", Some("female"));
        check("Non-Binary", Some("other"));
        check("U", Some("unknown"));
        check("A", Some("other"));
        check("N", Some("other"));
        for text in ["", " ", "1", "2", "mail", "femal", "M/F"] {
            check(text, None);
        }
    }

    #[test]
    fn races() {
        let check = |text: &str, expected: &[&str], n_unmapped: usize| {
            let found = races_of(text);
            let codes: Vec<&str> = found.races.iter().map(|race| race.code()).collect();
            assert_eq!((codes.as_slice(), found.n_unmapped), (expected, n_unmapped), "{text}");
        };
        for text in [
            "Black or African American",
            "Black Or African American",
            "BLACK",
            "black/african-american",
            "2054-5",
        ] {
            check(text, &["2054-5"], 0);
        }
        check("white", &["2106-3"], 0);
        check("American Indian or Alaska Native", &["1002-5"], 0);
        check("Native Hawaiian or Other Pacific Islander", &["2076-8"], 0);
        check("White; Asian", &["2028-9", "2106-3"], 0);
        check("2106-3~2028-9~2106-3", &["2028-9", "2106-3"], 0);
        check("White|UNK", &["2106-3"], 0);
        check("UNK|ASKU", &["ASKU"], 0);
        check("unknown", &["UNK"], 0);
        check("Other", &["2131-1"], 0);
        check("Hispanic", &[], 1);
        check("White; Martian", &["2106-3"], 1);
        check("", &[], 0);
        check(" ; ", &[], 0);
    }

    #[test]
    fn ethnicities() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(ethnicity_of(text).map(Ethnicity::code), expected, "{text}");
        };
        check("nonhispanic", Some("2186-5"));
        check("Not Hispanic or Latino", Some("2186-5"));
        check("HISPANIC OR LATINO", Some("2135-2"));
        check("H", Some("2135-2"));
        check("ASKU", Some("ASKU"));
        check("White", None);
        check("", None);
    }

    #[test]
    fn the_single_question_of_2024_is_read_in_both_forms() {
        let check = |texts: &[&str], codes: &[&str], races: &[&str], is_hispanic: bool| {
            let choices: Vec<Choice> = texts.iter().map(|text| choice_of(text).unwrap()).collect();
            let found = combined(&choices, 0);
            assert_eq!(found.codes, codes, "{texts:?}");
            assert_eq!(found.races.iter().map(|race| race.code()).collect::<Vec<_>>(), races, "{texts:?}");
            assert_eq!(found.is_hispanic, is_hispanic, "{texts:?}");
        };
        check(&["Hispanic or Latino"], &["2135-2"], &[], true);
        check(&["Hispanic or Latino", "White"], &["2106-3", "2135-2"], &["2106-3"], true);
        check(&["Middle Eastern or North African"], &["2118-8"], &["2106-3"], false);
        check(&["MENA", "White", "Asian"], &["2028-9", "2106-3", "2118-8"], &["2028-9", "2106-3"], false);
        check(&["Unknown"], &["UNK"], &["UNK"], false);
        check(&["Unknown", "Hispanic"], &["2135-2"], &[], true);
        check(&[], &[], &[], false);
        assert_eq!(choice_of("Not Hispanic"), None);
        assert_eq!(choice_of("Martian"), None);
    }

    #[test]
    fn every_spelling_is_in_the_form_it_is_looked_up_in() {
        let spellings =
            GENDERS.iter().flat_map(|(_, all)| *all).chain(RACES.iter().flat_map(|(_, all)| *all));
        for spelling in spellings.chain(ETHNICITIES.iter().flat_map(|(_, all)| *all)) {
            assert_eq!(words_of(spelling).as_deref(), Some(*spelling));
        }
        for race in RACES.iter().map(|(race, _)| *race) {
            assert_eq!(race_of(race.code()), Some(race));
            assert_eq!(race_of(race.display()), Some(race));
            assert_eq!(race.is_omb(), race.code().ends_with(['5', '9', '8', '3']));
        }
    }
}
