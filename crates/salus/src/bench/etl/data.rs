//! The data of the pipeline benchmark: patients, laboratory results and a social vulnerability index, the same bytes for the same sizes.
//!
//! Every cell is a function of (column, row), a splitmix64 finaliser, so that programs in any language can make the same files. One in
//! some thousand cells is missing, repeated, or wrong on purpose: a date that does not exist, a date in the US form, a birth in the future, an
//! id that stands twice.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

const SEED: u64 = 0x5A_1105;
/// 2026-01-15, the day on which the data was "made", in days since 1970.
const TODAY: i64 = 20_468;
/// 1926-01-01.
const FIRST_BIRTH: i64 = -16_071;

fn mix(column: u64, row: u64) -> u64 {
    let z = SEED
        .wrapping_add(column.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(row.wrapping_mul(0xD1B5_4A32_D192_ED03));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn below(column: u64, row: u64, n: u64) -> u64 {
    mix(column, row) % n
}

fn pick<'a>(column: u64, row: u64, choices: &[(&'a str, u64)]) -> &'a str {
    let total = choices.iter().map(|(_, weight)| weight).sum();
    let mut left = below(column, row, total);
    for (choice, weight) in choices {
        if left < *weight {
            return choice;
        }
        left -= weight;
    }
    unreachable!("the weights add up to the total")
}

const GENDERS: &[(&str, u64)] = &[
    ("M", 30),
    ("F", 32),
    ("male", 10),
    ("female", 10),
    ("Male", 5),
    ("FEMALE", 5),
    ("O", 2),
    ("U", 3),
    ("other", 2),
    ("X", 1),
];
const RACES: &[(&str, u64)] = &[
    ("White", 45),
    ("white", 8),
    ("Black or African American", 13),
    ("Asian", 7),
    ("American Indian or Alaska Native", 2),
    ("Native Hawaiian or Other Pacific Islander", 1),
    ("BLACK", 3),
    ("Other", 5),
    ("Unknown", 3),
    ("2106-3", 3),
];
const ETHNICITIES: &[(&str, u64)] =
    &[("Not Hispanic or Latino", 60), ("Hispanic or Latino", 15), ("hispanic", 5), ("N", 10), ("Unknown", 5)];
const PAYERS: &[(&str, u64)] =
    &[("Commercial", 50), ("Medicare", 20), ("Medicaid", 18), ("Uninsured", 9), ("Tricare", 3)];
const SMOKING: &[(&str, u64)] = &[("Never", 60), ("Former", 25), ("Current", 15)];
const STREETS: &[(&str, u64)] =
    &[("Oak St", 1), ("Main St", 1), ("Elm Ave, Apt 4", 1), ("2nd \"Old\" Rd", 1)];
const FIRST: [&str; 16] = [
    "Ana", "Bo", "Cruz", "Dina", "Eli", "Fay", "Gus", "Hana", "Ivo", "Jun", "Kai", "Lea", "Mia", "Noor",
    "Omar", "Pia",
];
const LAST: [&str; 16] = [
    "Abel", "Brook", "Cole", "Diaz", "Evans", "Ford", "Gray", "Hill", "Ito", "Jones", "Khan", "Lopez",
    "Moss", "Nash", "Ortiz", "Park",
];

/// Code, name, unit, reference range, lowest and highest value in tenths.
const TESTS: [(&str, &str, &str, &str, u64, u64); 5] = [
    ("2345-7", "Glucose", "mg/dL", "70-99", 600, 2500),
    ("2160-0", "Creatinine", "mg/dL", "0.6-1.2", 4, 60),
    ("4548-4", "Hemoglobin A1c", "%", "4.0-5.6", 40, 140),
    ("718-7", "Hemoglobin", "g/dL", "12.0-17.5", 70, 180),
    ("2951-2", "Sodium", "mmol/L", "136-145", 1250, 1550),
];
const DIAGNOSES: &[(&str, u64)] = &[
    ("E11.9", 10),
    ("E11.65", 4),
    ("I10", 14),
    ("I21.4", 2),
    ("I50.9", 4),
    ("E10.9", 2),
    ("N18.3", 4),
    ("N18.31", 2),
    ("C78.00", 1),
    ("J44.9", 6),
    ("K70.30", 1),
    ("B20", 1),
    ("F03.90", 2),
    ("G81.90", 1),
    ("M05.79", 1),
    ("S72.001A", 1),
    ("C50.911", 2),
    ("e119", 1),
    ("250.00", 1),
    ("ZZZ", 1),
    ("I25.10", 6),
    ("Z79.4", 5),
];
const PROCEDURES: [&str; 9] = ["83036", "82565", "80053", "G0008", "0001A", "99213", "93000", "J1100", "5"];

/// A line of cells: every value in quotes, a missing one as nothing, each with a comma behind it.
#[derive(Default)]
struct Line(String);

impl Line {
    fn cell(&mut self, value: impl std::fmt::Display) {
        self.maybe(Some(value));
    }

    fn maybe(&mut self, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            let _ = write!(self.0, "\"{value}\"");
        }
        self.0.push(',');
    }

    /// The comma behind the last cell becomes the end of the line.
    fn end(&mut self) {
        self.0.pop();
        self.0.push('\n');
    }
}

/// A day as `2026-01-15`.
struct Day(i64);

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Civil from days, in eras of 400 years that begin in March.
        let z = self.0 + 719_468;
        let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        write!(f, "{:04}-{month:02}-{day:02}", year_of_era + era * 400 + i64::from(month <= 2))
    }
}

/// A number of tenths as `12.3`.
struct Tenths(u64);

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

fn patient(line: &mut Line, r: u64) {
    let repeats = r > 0 && below(1, r, 2000) == 0;
    let id = if repeats { r - 1 } else { r };
    line.maybe((below(2, r, 5000) != 0).then(|| format!("P{id:09}")));
    line.cell(format_args!("{} {}", FIRST[below(20, r, 16) as usize], LAST[below(21, r, 16) as usize]));
    line.cell(format_args!(
        "{:03}-{:02}-{:04}",
        100 + below(16, r, 799),
        1 + below(17, r, 99),
        1 + below(18, r, 9999)
    ));
    line.cell(format_args!("MRN{:08}", below(19, r, 100_000_000)));
    line.cell(format_args!("{} {}", 1 + below(22, r, 9999), pick(23, r, STREETS).replace('"', "\"\"")));
    line.cell(format_args!("555-{:03}-{:04}", below(24, r, 1000), below(25, r, 10_000)));
    line.maybe((below(4, r, 100) != 0).then(|| pick(3, r, GENDERS)));
    match below(6, r, 10_000) {
        0 => line.cell("1985-02-30"),
        1 => line.cell("07/04/1976"),
        2 => line.cell("2031-05-05"),
        _ => line.cell(Day(FIRST_BIRTH + below(5, r, 36_525) as i64)),
    }
    line.maybe((below(8, r, 40) != 0).then(|| pick(7, r, RACES)));
    line.maybe((below(10, r, 30) != 0).then(|| pick(9, r, ETHNICITIES)));
    line.maybe((below(12, r, 25) != 0).then(|| pick(11, r, PAYERS)));
    line.maybe((below(27, r, 10) != 0).then(|| pick(26, r, SMOKING)));
    line.maybe((below(14, r, 200) != 0).then(|| format!("{:05}", 501 + below(13, r, 99_450))));
    line.cell(Day(TODAY - below(15, r, 60) as i64));
}

fn lab(line: &mut Line, r: u64, n_patients: u64) {
    line.cell(format_args!("P{:09}", below(40, r, n_patients)));
    line.maybe((below(41, r, 10_000) != 0).then(|| format!("E{:010}", r / 2)));
    let (code, name, unit, range, low, high) = TESTS[below(42, r, 5) as usize];
    line.cell(code);
    line.cell(name);
    line.maybe((below(44, r, 33) != 0).then(|| Tenths(low + mix(43, r) % (high - low))));
    line.cell(unit);
    line.cell(range);
    let collected = TODAY - below(45, r, 365) as i64;
    line.cell(Day(collected));
    line.cell(Day(collected - below(48, r, 3) as i64));
    line.maybe((below(50, r, 50) != 0).then(|| pick(49, r, DIAGNOSES)));
    line.cell(PROCEDURES[below(51, r, 9) as usize]);
    line.maybe((below(52, r, 20) != 0).then(|| Tenths(1450 + below(46, r, 500))));
    line.maybe((below(53, r, 20) != 0).then(|| Tenths(450 + below(47, r, 800))));
}

const PATIENT_HEADER: &str = "patient_id,name,ssn,mrn,address,phone,gender,birth_date,race,ethnicity,insurance_type,smoking_status,zip_code,last_updated";
const LAB_HEADER: &str = "patient_id,encounter_id,test_code,test_name,result_value,result_unit,reference_range,collection_date,encounter_date,icd_code,cpt_code,height_cm,weight_kg";

fn quoted(header: &str) -> String {
    let names: Vec<String> = header.split(',').map(|name| format!("\"{name}\"")).collect();
    format!("{}\n", names.join(","))
}

/// `patients.csv`.
pub(crate) fn write_patients(out: impl Write, n_patients: u64) -> io::Result<()> {
    write_lines(out, &quoted(PATIENT_HEADER), n_patients, patient)
}

/// `labs.csv`; results of patients among the first `n_patients`.
pub(crate) fn write_labs(out: impl Write, n_labs: u64, n_patients: u64) -> io::Result<()> {
    write_lines(out, &quoted(LAB_HEADER), n_labs, |line, row| lab(line, row, n_patients))
}

/// `svi.csv`: 33,000 areas with a percentile; one in a hundred says -999, as the CDC writes "no data".
pub(crate) fn write_svi(out: impl Write) -> io::Result<()> {
    write_lines(out, "zcta,rpl_themes\n", 33_000, |line, row| {
        let _ = write!(line.0, "{:05},", 501 + (row * 3) % 99_450);
        if row % 100 == 0 {
            line.0.push_str("-999,");
        } else {
            let value = row.wrapping_mul(2_654_435_761) % 10_001;
            let _ = write!(line.0, "{}.{:04},", value / 10_000, value % 10_000);
        }
    })
}

fn write_lines(out: impl Write, header: &str, n_rows: u64, push: impl Fn(&mut Line, u64)) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    out.write_all(header.as_bytes())?;
    let mut line = Line::default();
    for row in 0..n_rows {
        line.0.clear();
        push(&mut line, row);
        line.end();
        out.write_all(line.0.as_bytes())?;
    }
    out.flush()
}
