"""The benchmark's job in Polars: read, check, set aside, standardise, join, score, pseudonymise, write Parquet. Usage: DATA OUT"""
import datetime as dt
import sys

import polars as pl
import polars_hash as plh

data, out = sys.argv[1], sys.argv[2]
DAY = dt.date(2026, 1, 15)
KEY = "bench-key"
GENDER = {"male": "male", "m": "male", "female": "female", "f": "female", "other": "other", "o": "other", "unknown": "unknown", "u": "unknown"}
RACE = {"white": "2106-3", "2106-3": "2106-3", "black or african american": "2054-5", "black": "2054-5", "asian": "2028-9",
        "american indian or alaska native": "1002-5", "native hawaiian or other pacific islander": "2076-8"}
ETHNICITY = {"hispanic or latino": "2135-2", "hispanic": "2135-2", "not hispanic or latino": "2186-5", "n": "2186-5"}
ICD = r"^[A-Z]\d[0-9AB](\.?[0-9A-Z]{1,4})?$"
GROUPS = [("I21", 1), ("I50", 1), ("E10|E11", 1), ("N18", 2), ("C78", 6), ("J44", 1), ("B20", 6), ("F03", 1), ("G81", 2), ("M05", 1), ("K70", 1), ("C50", 2)]


def pseudonyms(column):
    # A keyed SHA-256, as its users write it: one pass, where an HMAC takes two.
    return plh.concat_str([pl.lit(KEY), pl.col(column)]).chash.sha2_256().str.slice(0, 32).alias(column)


labs = pl.read_csv(f"{data}/labs.csv", infer_schema=False)
collected = pl.col("collection_date").str.to_date("%Y-%m-%d", strict=False)
bad = labs.select(
    encounter=pl.col("encounter_id").is_null(),
    icd=~pl.col("icd_code").str.contains(ICD).fill_null(True),
    future=~(collected <= DAY).fill_null(False),
)
keep = ~(bad["encounter"] | bad["future"])
labs.filter(~keep).write_csv(f"{out}/labs.quarantine.csv")
code = pl.col("icd_code").str.replace_all(".", "", literal=True).str.to_uppercase()
weight, height = pl.col("weight_kg").cast(pl.Float64), pl.col("height_cm").cast(pl.Float64)
day = pl.col("encounter_date").str.to_date("%Y-%m-%d", strict=False)
labs = (
    labs.lazy().filter(keep)
    .with_columns(icd_code=code, icd_code_valid=code.str.contains(ICD), bmi=weight / (height / 100) ** 2,
                  result_value=pl.col("result_value").cast(pl.Float64), encounter_date=day)
    .with_columns(bmi_category=pl.col("bmi").cut([18.5, 25, 30], labels=["underweight", "normal", "overweight", "obese"], left_closed=True),
                  day_of_week=pl.col("encounter_date").dt.weekday(), month=pl.col("encounter_date").dt.month(),
                  quarter=pl.col("encounter_date").dt.quarter())
    .collect()
)
scores = labs.lazy().select("patient_id", *[pl.col("icd_code").str.contains("^(" + p + ")").fill_null(False).alias(p) for p, _ in GROUPS]).group_by("patient_id").max()
scores = scores.select("patient_id", charlson=sum((pl.col(p).cast(pl.Int32) * w for p, w in GROUPS), pl.lit(0))).collect()
labs.with_columns(pseudonyms("patient_id")).write_parquet(f"{out}/labs.parquet", compression="snappy")
del labs

patients = pl.read_csv(f"{data}/patients.csv", infer_schema=False)
birth = pl.col("birth_date").str.to_date("%Y-%m-%d", strict=False)
keep = patients.select(
    (pl.col("patient_id").is_not_null() & pl.col("patient_id").is_first_distinct() & (birth <= DAY).fill_null(False)).alias("keep")
)["keep"]
patients.filter(~keep).write_csv(f"{out}/patients.quarantine.csv")
fresh = patients.select((pl.col("last_updated").str.to_date("%Y-%m-%d", strict=False) >= DAY - dt.timedelta(days=30)).mean())
svi = pl.read_csv(f"{data}/svi.csv", schema_overrides={"zcta": pl.String}).select("zcta", svi=pl.when(pl.col("rpl_themes") >= 0).then("rpl_themes"))
before = ((pl.col("birth_date").dt.month().cast(pl.Int32) * 100 + pl.col("birth_date").dt.day()) > DAY.month * 100 + DAY.day).cast(pl.Int32)
(
    patients.lazy().filter(keep)
    .with_columns(pl.col("gender").str.to_lowercase().replace_strict(GENDER, default="unknown"),
                  pl.col("race").str.to_lowercase().replace_strict(RACE, default="UNK"),
                  pl.col("ethnicity").str.to_lowercase().replace_strict(ETHNICITY, default="UNK"), birth_date=birth)
    .with_columns(age=DAY.year - pl.col("birth_date").dt.year() - before)
    .join(svi.lazy(), left_on="zip_code", right_on="zcta", how="left")
    .join(scores.lazy(), on="patient_id", how="left")
    .with_columns(equity=pl.col("race").is_in(["2054-5", "1002-5"]) | (pl.col("ethnicity") == "2135-2") | pl.col("insurance_type").is_in(["Medicaid", "Uninsured"]).fill_null(False))
    .with_columns(pseudonyms("patient_id"))
    .drop("ssn", "mrn", "name", "address", "phone").collect()
    .write_parquet(f"{out}/patients.parquet", compression="snappy")
)
