"""The benchmark's job in DuckDB. Usage: DATA OUT"""
import sys

import duckdb

data, out = sys.argv[1], sys.argv[2]
c = duckdb.connect()
c.sql("SET threads TO 2")
ICD = r"^[A-Z]\d[0-9AB](\.?[0-9A-Z]{1,4})?$"
GROUPS = [("I21", 1), ("I50", 1), ("E10|E11", 1), ("N18", 2), ("C78", 6), ("J44", 1), ("B20", 6), ("F03", 1), ("G81", 2), ("M05", 1), ("K70", 1), ("C50", 2)]
for name in ("patients", "labs", "svi"):
    c.sql(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{data}/{name}.csv', all_varchar = true, header = true)")
c.sql("ALTER TABLE labs ADD COLUMN keep BOOLEAN")
c.sql("UPDATE labs SET keep = encounter_id IS NOT NULL AND coalesce(try_cast(collection_date AS DATE) <= DATE '2026-01-15', false)")
print(c.sql(f"SELECT avg(CASE WHEN regexp_matches(icd_code, '{ICD}') THEN 1.0 ELSE 0 END) FROM labs").fetchall())
c.sql(f"COPY (SELECT * FROM labs WHERE NOT keep) TO '{out}/labs.quarantine.csv'")
flags = ", ".join(f"max(CASE WHEN regexp_matches(icd_code, '^({p})') THEN {w} ELSE 0 END)" for p, w in GROUPS).split(", max")
score = " + ".join(f if f.startswith("max") else "max" + f for f in flags)
c.sql(f"CREATE TABLE scores AS SELECT patient_id, {score} AS charlson FROM labs WHERE keep GROUP BY 1")
c.sql(f"""COPY (
  SELECT *, CASE WHEN bmi < 18.5 THEN 'underweight' WHEN bmi < 25 THEN 'normal' WHEN bmi < 30 THEN 'overweight' WHEN bmi IS NOT NULL THEN 'obese' END AS bmi_category,
    regexp_matches(icd_code, '{ICD}') AS icd_code_valid, isodow(encounter_date) AS day_of_week, month(encounter_date) AS month, quarter(encounter_date) AS quarter
  FROM (SELECT substr(sha256('bench-key' || patient_id), 1, 32) AS patient_id, encounter_id, test_code, test_name, try_cast(result_value AS DOUBLE) AS result_value,
    result_unit, reference_range, collection_date, try_cast(encounter_date AS DATE) AS encounter_date, upper(replace(icd_code, '.', '')) AS icd_code, cpt_code,
    height_cm, weight_kg, try_cast(weight_kg AS DOUBLE) / (try_cast(height_cm AS DOUBLE) / 100) ** 2 AS bmi FROM labs WHERE keep)
) TO '{out}/labs.parquet' (FORMAT parquet, COMPRESSION snappy)""")
c.sql("DROP TABLE labs")
c.sql("""CREATE TABLE checked AS SELECT *, patient_id IS NOT NULL AND row_number() OVER (PARTITION BY patient_id) = 1
  AND coalesce(try_cast(birth_date AS DATE) <= DATE '2026-01-15', false) AS keep FROM patients""")
print(c.sql("SELECT avg(CASE WHEN try_cast(last_updated AS DATE) >= DATE '2025-12-16' THEN 1.0 ELSE 0 END) FROM patients").fetchall())
c.sql(f"COPY (SELECT * FROM checked WHERE NOT keep) TO '{out}/patients.quarantine.csv'")
c.sql(f"""COPY (
  WITH s AS (SELECT zcta, CASE WHEN cast(rpl_themes AS DOUBLE) >= 0 THEN cast(rpl_themes AS DOUBLE) END AS svi FROM svi),
  p AS (SELECT *, try_cast(birth_date AS DATE) AS born,
    CASE lower(gender) WHEN 'male' THEN 'male' WHEN 'm' THEN 'male' WHEN 'female' THEN 'female' WHEN 'f' THEN 'female' WHEN 'other' THEN 'other' WHEN 'o' THEN 'other' ELSE 'unknown' END AS sex,
    CASE lower(race) WHEN 'white' THEN '2106-3' WHEN '2106-3' THEN '2106-3' WHEN 'black' THEN '2054-5' WHEN 'black or african american' THEN '2054-5' WHEN 'asian' THEN '2028-9'
      WHEN 'american indian or alaska native' THEN '1002-5' WHEN 'native hawaiian or other pacific islander' THEN '2076-8' ELSE 'UNK' END AS race_code,
    CASE lower(ethnicity) WHEN 'hispanic or latino' THEN '2135-2' WHEN 'hispanic' THEN '2135-2' WHEN 'not hispanic or latino' THEN '2186-5' WHEN 'n' THEN '2186-5' ELSE 'UNK' END AS ethnicity_code
    FROM checked WHERE keep)
  SELECT substr(sha256('bench-key' || p.patient_id), 1, 32) AS patient_id, sex, born AS birth_date, race_code, ethnicity_code, insurance_type, smoking_status, zip_code, last_updated,
    date_diff('year', born, DATE '2026-01-15') - CASE WHEN month(born) * 100 + day(born) > 115 THEN 1 ELSE 0 END AS age, svi, charlson,
    race_code IN ('2054-5', '1002-5') OR ethnicity_code = '2135-2' OR coalesce(insurance_type IN ('Medicaid', 'Uninsured'), false) AS equity
  FROM p LEFT JOIN s ON p.zip_code = s.zcta LEFT JOIN scores USING (patient_id)
) TO '{out}/patients.parquet' (FORMAT parquet, COMPRESSION snappy)""")
