//! People by age and sex, counted by searches: each person is in exactly one band, or among those whose age is unknown.
//!
//! A band is where the first day of the birth date lies, so a birth date of a year or a month alone falls in one band too.
//! Cost: one count per band and sex over the birth-date index.

use fhir::Kind;
use ui::overview::{Band, Pyramid};

use crate::dashboard::calendar::{Day, first_day, next, text_of, years_before};
use crate::dashboard::{PageAsk, query};
use crate::error::ServerError;

/// People are born, move and die slowly: the drawing may be as old as this.
const AGE_SECS_MAX: u32 = 60;
const BAND_YEARS: i32 = 5;
/// Bands below the last, open one.
const CLOSED_BANDS: i32 = 20;
/// Sexes as they are counted; the last takes in those that are not recorded.
const SEXES: [&str; 4] = ["gender=female", "gender=male", "gender=other", "gender:not=female,male,other"];

pub(super) async fn of(ask: &PageAsk) -> Result<Pyramid, ServerError> {
    let as_of = ask.app.gate().now().to_rfc3339_millis();
    let today = first_day(&as_of).expect("an instant is written with its date first");
    let all: Vec<String> = std::iter::once(String::new()).chain(SEXES.map(|sex| format!("{sex}&"))).collect();
    let totals = counts(ask, &all).await?;
    let present: Vec<usize> = (0..SEXES.len()).filter(|sex| totals[sex + 1] > 0).collect();
    let bands: Vec<String> = (0..=CLOSED_BANDS).map(|band| born_in(today, band)).collect();
    let asked: Vec<String> = present
        .iter()
        .flat_map(|sex| bands.iter().map(move |born| format!("{}&{born}", SEXES[*sex])))
        .collect();
    let counted = counts(ask, &asked).await?;
    let number = |sex: usize, band: usize| {
        present.iter().position(|present| *present == sex).map_or(0, |at| counted[at * bands.len() + band])
    };
    let bands = (0..bands.len()).map(|band| Band {
        label: label(band),
        female: number(0, band),
        male: number(1, band),
        other: number(2, band),
        unknown: number(3, band),
    });
    let known: u64 = counted.iter().sum();
    let as_of = as_of.get(..10).unwrap_or_default().to_string();
    Ok(Pyramid { bands: bands.collect(), unknown_age: totals[0].saturating_sub(known), as_of })
}

async fn counts(ask: &PageAsk, filters: &[String]) -> Result<Vec<u64>, ServerError> {
    let parse =
        |filter: &String| query::parse(ask, Kind::PATIENT, &format!("{filter}deceased=false&_summary=count"));
    let queries: Vec<search::Query> = filters.iter().map(parse).collect::<Result<_, _>>()?;
    Ok(ask.app.gate().tally(&ask.access, &queries, AGE_SECS_MAX).await?)
}

fn label(band: usize) -> String {
    let from = band * BAND_YEARS.unsigned_abs() as usize;
    if band == CLOSED_BANDS.unsigned_abs() as usize {
        format!("{from}+")
    } else {
        format!("{from}–{}", from + 4)
    }
}

/// Birth dates of a band: behind the day that is too old, up to the day that is just old enough.
fn born_in(today: Day, band: i32) -> String {
    let youngest = text_of(next(years_before(today, band * BAND_YEARS)));
    let upper = format!("birthdate=lt{youngest}&");
    if band == CLOSED_BANDS {
        return upper;
    }
    format!("{upper}birthdate=sa{}&", text_of(years_before(today, (band + 1) * BAND_YEARS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_touch_and_do_not_overlap() {
        assert_eq!(born_in((2026, 11, 25), 0), "birthdate=lt2026-11-26&birthdate=sa2021-11-25&");
        assert_eq!(born_in((2026, 11, 25), 1), "birthdate=lt2021-11-26&birthdate=sa2016-11-25&");
        assert_eq!(born_in((2028, 2, 29), 20), "birthdate=lt1928-03-01&");
        assert_eq!(born_in((2028, 2, 29), 0), "birthdate=lt2028-03-01&birthdate=sa2023-02-28&");
        assert_eq!(born_in((2026, 12, 31), 0), "birthdate=lt2027-01-01&birthdate=sa2021-12-31&");
    }

    #[test]
    fn labels() {
        assert_eq!([0, 1, 19, 20].map(label), ["0–4", "5–9", "95–99", "100+"]);
    }
}
