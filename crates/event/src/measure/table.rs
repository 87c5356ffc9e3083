//! The table of measures. Limits are wide: what is outside is a slip of the pen or another unit, not a very ill patient.

use super::{Form, Measure};

/// One measure a line: name, LOINC codes, aliases, unit, `usual` when the unit need not be said, limits, where it is measured, what its values are.
macro_rules! measures {
    (@usual usual) => { true };
    (@usual said) => { false };
    (@vital vital) => { true };
    (@vital lab) => { false };
    ($($name:literal $loincs:tt $aliases:tt $unit:literal $usual:tt $low:literal to $high:literal $class:tt $form:ident;)*) => {
        [$(Measure {
            name: $name,
            loincs: &$loincs,
            aliases: &$aliases,
            unit: $unit,
            is_conventional: measures!(@usual $usual),
            low: $low,
            high: $high,
            is_vital: measures!(@vital $class),
            form: Form::$form,
        }),*]
    };
}

pub(super) static TABLE: [Measure; 36] = measures! {
    "heart_rate" ["8867-4", "8889-8"] ["hr", "pulse", "pulse_rate", "heartrate"] "/min" usual 0 to 600 vital Number;
    "respiratory_rate" ["9279-1"] ["rr", "resp", "resp_rate", "respiration_rate", "respirations", "breathing_rate"] "/min" usual 0 to 300 vital Number;
    "spo2" ["59408-5", "2708-6"] ["oxygen_saturation", "o2_saturation", "o2_sat", "o2sat", "sao2", "sat", "oximetry"] "%" usual 0 to 100 vital Number;
    "systolic" ["8480-6"] ["bp_systolic", "systolic_bp", "blood_pressure_systolic", "systolic_blood_pressure", "sbp", "bp_sys", "nibp_systolic"] "mm[Hg]" usual 0 to 500 vital Number;
    "diastolic" ["8462-4"] ["bp_diastolic", "diastolic_bp", "blood_pressure_diastolic", "diastolic_blood_pressure", "dbp", "bp_dia", "nibp_diastolic"] "mm[Hg]" usual 0 to 500 vital Number;
    "mean_pressure" ["8478-0"] ["map", "mean_arterial_pressure", "bp_mean", "mbp"] "mm[Hg]" usual 0 to 500 vital Number;
    "temperature" ["8310-5", "8331-1", "8332-9", "8333-7"] ["temp", "body_temperature", "bt"] "Cel" said 0 to 60 vital Number;
    "consciousness" ["80288-4", "67775-7"] ["avpu", "acvpu", "level_of_consciousness", "loc"] "" said 0 to 0 vital Consciousness;
    "breathing" [] ["supplemental_oxygen", "on_oxygen", "oxygen_therapy", "air_or_oxygen"] "" said 0 to 0 vital Breathing;
    "oxygen_flow" ["3151-8"] ["o2_flow", "oxygen_flow_rate"] "L/min" said 0 to 200 vital Number;
    "fio2" ["3150-0"] ["inspired_oxygen"] "%" usual 0 to 100 vital Number;
    "gcs" ["9269-2"] ["glasgow", "glasgow_coma_scale", "gcs_total"] "{score}" usual 3 to 15 vital Number;
    "weight" ["29463-7", "3141-9"] ["body_weight"] "kg" said 0 to 1000 vital Number;
    "height" ["8302-2", "8308-9"] ["body_height"] "cm" said 0 to 300 vital Number;
    "potassium" ["2823-3", "6298-4"] ["k", "k+", "serum_potassium"] "mmol/L" said 0 to 50 lab Number;
    "sodium" ["2951-2", "2947-0"] ["na", "na+", "serum_sodium"] "mmol/L" said 0 to 400 lab Number;
    "chloride" ["2075-0"] ["cl", "cl-"] "mmol/L" said 0 to 400 lab Number;
    "bicarbonate" ["1963-8", "1959-6"] ["hco3", "hco3-", "total_co2"] "mmol/L" said 0 to 200 lab Number;
    "glucose" ["2345-7", "2339-0", "1558-6", "41653-7", "14749-6", "15074-8"] ["glu", "gluc", "blood_glucose", "bg", "blood_sugar"] "mg/dL" said 0 to 5000 lab Number;
    "haemoglobin" ["718-7"] ["hgb", "hb", "hemoglobin"] "g/dL" said 0 to 60 lab Number;
    "creatinine" ["2160-0", "38483-4", "14682-9", "59826-8"] ["cr", "crea", "creat", "serum_creatinine"] "mg/dL" said 0 to 200 lab Number;
    "calcium" ["17861-6", "49765-1", "2000-8"] ["ca", "total_calcium", "calcium_total"] "mg/dL" said 0 to 100 lab Number;
    "ionised_calcium" ["1995-0", "1994-3", "12180-6", "17864-0"] ["ica", "ionized_calcium", "calcium_ionised", "calcium_ionized", "ca_ion"] "mmol/L" said 0 to 30 lab Number;
    "magnesium" ["19123-9", "2601-3"] ["mg", "mg++"] "mg/dL" said 0 to 100 lab Number;
    "lactate" ["2524-7", "32693-4", "14118-4"] ["lac", "lactic_acid"] "mmol/L" said 0 to 200 lab Number;
    "lactate_arterial" ["2518-9"] ["arterial_lactate"] "mmol/L" said 0 to 200 lab Number;
    "lactate_venous" ["2519-7"] ["venous_lactate"] "mmol/L" said 0 to 200 lab Number;
    "bilirubin" ["1975-2", "14631-6"] ["tbil", "total_bilirubin", "bilirubin_total"] "mg/dL" said 0 to 200 lab Number;
    "platelets" ["777-3", "26515-7"] ["plt", "platelet_count"] "10*9/L" said 0 to 20000 lab Number;
    "inr" ["6301-6", "34714-6"] ["pt_inr"] "{INR}" usual 0 to 100 lab Number;
    "white_cells" ["6690-2", "26464-8"] ["wbc", "leukocytes", "white_blood_cells", "white_cell_count"] "10*9/L" said 0 to 5000 lab Number;
    "bands" ["764-1", "26508-2"] ["band_neutrophils"] "%" usual 0 to 100 lab Number;
    "paco2" ["2019-8"] ["arterial_co2"] "mm[Hg]" said 0 to 500 lab Number;
    "albumin" ["1751-7"] ["alb"] "g/dL" said 0 to 50 lab Number;
    "ast" ["1920-8"] ["sgot"] "U/L" said 0 to 1000000 lab Number;
    "alt" ["1742-6"] ["sgpt"] "U/L" said 0 to 1000000 lab Number;
};
