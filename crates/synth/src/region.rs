//! The counties of the simulation: real names, FIPS codes and social vulnerability, chosen in pairs of high and low vulnerability.

/// A county of the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct County {
    pub(crate) fips: &'static str,
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) city: &'static str,
    pub(crate) zips: [&'static str; 3],
    /// Overall percentile of the CDC/ATSDR Social Vulnerability Index 2020 among US counties (public domain), in thousandths.
    pub(crate) svi_thousandths: u32,
    /// Shares of Hispanic and of non-Hispanic White, Black, Asian, American Indian, Pacific Islander, and other people, in
    /// per cent; rounded, and not meant as a census.
    pub(crate) mix: [f64; 7],
    /// Share of people under 65 without insurance.
    pub(crate) uninsured: f64,
    /// Hours from UTC; daylight saving is left out.
    pub(crate) offset_hours: i8,
    pub(crate) area_code: &'static str,
}

/// From this percentile on a county counts as highly vulnerable (the upper quartile).
pub(crate) const SVI_HIGH_THOUSANDTHS: u32 = 750;

impl County {
    /// Is it in the upper quartile of social vulnerability.
    pub(crate) fn is_vulnerable(&self) -> bool {
        self.svi_thousandths >= SVI_HIGH_THOUSANDTHS
    }
}

/// Every county; patients are spread evenly over them, so that small populations have people in each.
#[rustfmt::skip]
pub(crate) const COUNTIES: [County; 14] = [
    County { fips: "06037", name: "Los Angeles", state: "CA", city: "Los Angeles", zips: ["90011", "90022", "90063"], svi_thousandths: 858, mix: [48.0, 26.0, 8.0, 15.0, 0.5, 0.5, 2.0], uninsured: 0.13, offset_hours: -8, area_code: "213" },
    County { fips: "06085", name: "Santa Clara", state: "CA", city: "San Jose", zips: ["95112", "95125", "95014"], svi_thousandths: 371, mix: [25.0, 31.0, 2.5, 38.0, 0.5, 0.5, 2.5], uninsured: 0.06, offset_hours: -8, area_code: "408" },
    County { fips: "17031", name: "Cook", state: "IL", city: "Chicago", zips: ["60623", "60644", "60651"], svi_thousandths: 800, mix: [26.0, 41.0, 23.0, 7.0, 0.5, 0.1, 2.4], uninsured: 0.12, offset_hours: -6, area_code: "312" },
    County { fips: "17043", name: "DuPage", state: "IL", city: "Naperville", zips: ["60540", "60563", "60565"], svi_thousandths: 220, mix: [15.0, 65.0, 5.0, 12.5, 0.3, 0.1, 2.1], uninsured: 0.06, offset_hours: -6, area_code: "630" },
    County { fips: "36005", name: "Bronx", state: "NY", city: "Bronx", zips: ["10456", "10457", "10472"], svi_thousandths: 996, mix: [55.0, 9.0, 29.0, 4.0, 0.6, 0.1, 2.3], uninsured: 0.11, offset_hours: -5, area_code: "718" },
    County { fips: "36059", name: "Nassau", state: "NY", city: "Hempstead", zips: ["11550", "11530", "11590"], svi_thousandths: 278, mix: [17.0, 59.0, 11.0, 10.5, 0.3, 0.1, 2.1], uninsured: 0.05, offset_hours: -5, area_code: "516" },
    County { fips: "48201", name: "Harris", state: "TX", city: "Houston", zips: ["77026", "77036", "77093"], svi_thousandths: 895, mix: [43.0, 29.0, 19.0, 7.0, 0.3, 0.1, 1.6], uninsured: 0.24, offset_hours: -6, area_code: "713" },
    County { fips: "48491", name: "Williamson", state: "TX", city: "Round Rock", zips: ["78664", "78681", "78626"], svi_thousandths: 344, mix: [24.0, 58.0, 6.5, 8.0, 0.4, 0.1, 3.0], uninsured: 0.11, offset_hours: -6, area_code: "512" },
    County { fips: "47157", name: "Shelby", state: "TN", city: "Memphis", zips: ["38106", "38116", "38127"], svi_thousandths: 880, mix: [7.0, 35.0, 53.0, 3.0, 0.3, 0.1, 1.6], uninsured: 0.14, offset_hours: -6, area_code: "901" },
    County { fips: "47187", name: "Williamson", state: "TN", city: "Franklin", zips: ["37064", "37067", "37069"], svi_thousandths: 21, mix: [5.0, 83.0, 4.5, 5.0, 0.3, 0.1, 2.1], uninsured: 0.06, offset_hours: -6, area_code: "615" },
    County { fips: "26163", name: "Wayne", state: "MI", city: "Detroit", zips: ["48205", "48227", "48209"], svi_thousandths: 871, mix: [6.5, 49.0, 38.0, 3.5, 0.4, 0.1, 2.5], uninsured: 0.08, offset_hours: -5, area_code: "313" },
    County { fips: "26125", name: "Oakland", state: "MI", city: "Troy", zips: ["48098", "48083", "48304"], svi_thousandths: 146, mix: [5.0, 70.0, 14.0, 8.0, 0.3, 0.1, 2.6], uninsured: 0.05, offset_hours: -5, area_code: "248" },
    County { fips: "28027", name: "Coahoma", state: "MS", city: "Clarksdale", zips: ["38614", "38617", "38645"], svi_thousandths: 945, mix: [2.0, 20.0, 76.0, 0.5, 0.3, 0.1, 1.1], uninsured: 0.17, offset_hours: -6, area_code: "662" },
    County { fips: "28089", name: "Madison", state: "MS", city: "Madison", zips: ["39110", "39046", "39157"], svi_thousandths: 342, mix: [3.0, 55.0, 37.0, 3.0, 0.5, 0.1, 1.4], uninsured: 0.09, offset_hours: -6, area_code: "601" },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_have_counties_and_mixes_add_up() {
        assert_eq!(COUNTIES.iter().filter(|county| county.is_vulnerable()).count(), 7);
        for county in &COUNTIES {
            let sum: f64 = county.mix.iter().sum();
            assert!((99.0..101.0).contains(&sum), "{} {sum}", county.fips);
            assert!(county.fips.len() == 5 && county.zips.iter().all(|zip| zip.len() == 5));
        }
    }
}
