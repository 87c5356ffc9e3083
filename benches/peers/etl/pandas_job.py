"""The benchmark's job in pandas, vectorised. Usage: DATA OUT"""
import hashlib
import sys

import numpy as np
import pandas as pd

data, out = sys.argv[1], sys.argv[2]
DAY = pd.Timestamp("2026-01-15")
GENDER = {"male": "male", "m": "male", "female": "female", "f": "female", "other": "other", "o": "other"}
RACE = {"white": "2106-3", "2106-3": "2106-3", "black or african american": "2054-5", "black": "2054-5", "asian": "2028-9",
        "american indian or alaska native": "1002-5", "native hawaiian or other pacific islander": "2076-8"}
ETHNICITY = {"hispanic or latino": "2135-2", "hispanic": "2135-2", "not hispanic or latino": "2186-5", "n": "2186-5"}
ICD = r"^[A-Z]\d[0-9AB](?:\.?[0-9A-Z]{1,4})?$"
GROUPS = [("I21", 1), ("I50", 1), ("E10|E11", 1), ("N18", 2), ("C78", 6), ("J44", 1), ("B20", 6), ("F03", 1), ("G81", 2), ("M05", 1), ("K70", 1), ("C50", 2)]


def pseudonym(value):
    return hashlib.sha256(("bench-key" + value).encode()).hexdigest()[:32]


labs = pd.read_csv(f"{data}/labs.csv", dtype=str)
collected = pd.to_datetime(labs["collection_date"], format="%Y-%m-%d", errors="coerce")
print(labs["icd_code"].str.match(ICD).mean())
keep = labs["encounter_id"].notna() & (collected <= DAY)
labs[~keep].to_csv(f"{out}/labs.quarantine.csv", index=False)
labs = labs[keep].copy()
labs["icd_code"] = labs["icd_code"].str.replace(".", "", regex=False).str.upper()
labs["icd_code_valid"] = labs["icd_code"].str.match(ICD)
labs["result_value"] = pd.to_numeric(labs["result_value"], errors="coerce")
labs["bmi"] = pd.to_numeric(labs["weight_kg"], errors="coerce") / (pd.to_numeric(labs["height_cm"], errors="coerce") / 100) ** 2
labs["bmi_category"] = pd.cut(labs["bmi"], [-np.inf, 18.5, 25, 30, np.inf], right=False, labels=["underweight", "normal", "overweight", "obese"])
day = pd.to_datetime(labs["encounter_date"], format="%Y-%m-%d", errors="coerce")
labs["encounter_date"], labs["day_of_week"], labs["month"], labs["quarter"] = day, day.dt.dayofweek + 1, day.dt.month, day.dt.quarter
flags = pd.DataFrame({p: labs["icd_code"].str.match(f"(?:{p})").fillna(False).astype(bool) for p, _ in GROUPS})
flags = flags.groupby(labs["patient_id"]).max()
scores = sum(flags[p].astype(int) * w for p, w in GROUPS).rename("charlson")
labs["patient_id"] = labs["patient_id"].map(pseudonym)
labs.to_parquet(f"{out}/labs.parquet", compression="snappy")
del labs

patients = pd.read_csv(f"{data}/patients.csv", dtype=str)
born = pd.to_datetime(patients["birth_date"], format="%Y-%m-%d", errors="coerce")
keep = patients["patient_id"].notna() & ~patients["patient_id"].duplicated() & (born <= DAY)
patients[~keep].to_csv(f"{out}/patients.quarantine.csv", index=False)
print((pd.to_datetime(patients["last_updated"], format="%Y-%m-%d", errors="coerce") >= DAY - pd.Timedelta(days=30)).mean())
patients, born = patients[keep].copy(), born[keep]
patients["gender"] = patients["gender"].str.lower().map(GENDER).fillna("unknown")
patients["race"] = patients["race"].str.lower().map(RACE).fillna("UNK")
patients["ethnicity"] = patients["ethnicity"].str.lower().map(ETHNICITY).fillna("UNK")
patients["birth_date"] = born
patients["age"] = DAY.year - born.dt.year - ((born.dt.month * 100 + born.dt.day) > 115).astype(int)
svi = pd.read_csv(f"{data}/svi.csv", dtype={"zcta": str})
svi["svi"] = svi["rpl_themes"].where(svi["rpl_themes"] >= 0)
patients = patients.merge(svi[["zcta", "svi"]], left_on="zip_code", right_on="zcta", how="left").merge(scores, left_on="patient_id", right_index=True, how="left")
patients["equity"] = patients["race"].isin(["2054-5", "1002-5"]) | (patients["ethnicity"] == "2135-2") | patients["insurance_type"].isin(["Medicaid", "Uninsured"])
patients["patient_id"] = patients["patient_id"].map(pseudonym)
patients.drop(columns=["ssn", "mrn", "name", "address", "phone", "zcta"]).to_parquet(f"{out}/patients.parquet", compression="snappy")
