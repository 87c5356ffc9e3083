-- A small made-up EHR for the example: 400 patients and their laboratory results, the same rows every time, with mistakes planted in them.
CREATE TABLE patients (
    patient_id     text,
    mrn            text NOT NULL,
    name           text NOT NULL,
    ssn            text,
    phone          text,
    gender         text,
    birth_date     text,
    race           text,
    ethnicity      text,
    insurance_type text,
    smoking_status text,
    county_fips    text,
    zip_code       text,
    height_cm      numeric(5,1),
    weight_kg      numeric(5,1),
    last_updated   timestamptz NOT NULL
);

INSERT INTO patients
SELECT
    -- One id is missing, one stands twice.
    CASE WHEN n = 57 THEN NULL WHEN n = 113 THEN 'P0112' ELSE 'P' || lpad(n::text, 4, '0') END,
    'MRN' || lpad((n * 7919 % 1000000)::text, 6, '0'),
    (ARRAY['Ana','Bo','Cruz','Dina','Eli','Fay','Gus','Hana'])[1 + n % 8] || ' ' || (ARRAY['Abel','Brook','Cole','Diaz','Evans','Ford','Gray'])[1 + n % 7],
    lpad((100 + n % 800)::text, 3, '0') || '-' || lpad((1 + n % 98)::text, 2, '0') || '-' || lpad((1 + n * 37 % 9998)::text, 4, '0'),
    '205-555-' || lpad((n * 13 % 10000)::text, 4, '0'),
    (ARRAY['M','F','male','female','FEMALE','Male','U'])[1 + n % 7],
    -- A date in the US form, one that does not exist, one in the future.
    CASE n WHEN 20 THEN '07/04/1976' WHEN 21 THEN '1985-02-30' WHEN 22 THEN '2031-05-05'
        ELSE to_char(DATE '1930-01-01' + (n * 211 % 34000), 'YYYY-MM-DD') END,
    (ARRAY['White','BLACK','Black or African American','Asian','white','2106-3','Unknown',NULL])[1 + n % 8],
    (ARRAY['Not Hispanic or Latino','Hispanic or Latino','hispanic','N',NULL])[1 + n % 5],
    (ARRAY['Commercial','Medicare','Medicaid','Uninsured'])[1 + n % 4],
    CASE WHEN n % 9 = 0 THEN NULL ELSE (ARRAY['Never','Former','Current'])[1 + n % 3] END,
    (ARRAY['01001','01003','01073','01089','01097','99999'])[1 + n % 6],
    (ARRAY['36003','36507','35203','35801','36602','03601'])[1 + n % 6],
    CASE WHEN n % 11 = 0 THEN NULL ELSE 150 + n % 45 END,
    CASE WHEN n % 13 = 0 THEN NULL ELSE 48 + n % 70 END,
    TIMESTAMPTZ '2026-01-15 00:00:00+00' - make_interval(hours => n * 5 % 600)
FROM generate_series(1, 400) AS n;

CREATE TABLE lab_results (
    patient_id      text NOT NULL,
    encounter_id    text,
    test_code       text NOT NULL,
    result_value    numeric(8,2),
    result_unit     text NOT NULL,
    collection_date date NOT NULL,
    icd_code        text,
    cpt_code        text
);

INSERT INTO lab_results
SELECT
    'P' || lpad((1 + n * 17 % 400)::text, 4, '0'),
    CASE WHEN n = 900 THEN NULL ELSE 'E' || lpad(n::text, 5, '0') END,
    (ARRAY['2345-7','2160-0','4548-4','718-7'])[1 + n % 4],
    CASE WHEN n % 31 = 0 THEN NULL ELSE (ARRAY[95.0, 0.9, 6.4, 13.5])[1 + n % 4] + (n % 17) / 10.0 END,
    (ARRAY['mg/dL','mg/dL','%','g/dL'])[1 + n % 4],
    DATE '2026-01-14' - (n * 3 % 300),
    (ARRAY['E11.9','E11.22','I10','I50.9','N18.31','J44.9','K70.30','C50.911','S72.001A','ZZZ',NULL])[1 + n % 11],
    (ARRAY['83036','82565','80053','99213','5'])[1 + n % 5]
FROM generate_series(1, 2400) AS n;
