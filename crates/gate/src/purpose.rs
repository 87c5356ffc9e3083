//! Purpose of use: why somebody asks, by the v3 PurposeOfUse code system.

/// Why a request is made. The role decides which of these may be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `TREAT`.
    Treatment,
    /// `ETREAT`.
    EmergencyTreatment,
    /// `CAREMGT`.
    CareManagement,
    /// `HPAYMT`.
    Payment,
    /// `HOPERAT`.
    Operations,
    /// `PUBHLTH`.
    PublicHealth,
    /// `HQUALIMP`.
    QualityImprovement,
    /// `HRESCH`.
    Research,
    /// `RECORDMGT`.
    RecordManagement,
    /// `PATRQT`.
    PatientRequest,
    /// `HCOMPL`.
    Compliance,
    /// `HSYSADMIN`.
    SystemAdministration,
}

const PURPOSES: [(Purpose, &str); 12] = [
    (Purpose::Treatment, "TREAT"),
    (Purpose::EmergencyTreatment, "ETREAT"),
    (Purpose::CareManagement, "CAREMGT"),
    (Purpose::Payment, "HPAYMT"),
    (Purpose::Operations, "HOPERAT"),
    (Purpose::PublicHealth, "PUBHLTH"),
    (Purpose::QualityImprovement, "HQUALIMP"),
    (Purpose::Research, "HRESCH"),
    (Purpose::RecordManagement, "RECORDMGT"),
    (Purpose::PatientRequest, "PATRQT"),
    (Purpose::Compliance, "HCOMPL"),
    (Purpose::SystemAdministration, "HSYSADMIN"),
];

impl Purpose {
    /// The purpose of a code, `TREAT`.
    pub fn parse(code: &str) -> Option<Purpose> {
        PURPOSES.iter().find(|(_, c)| *c == code).map(|(purpose, _)| *purpose)
    }

    /// The code in `http://terminology.hl7.org/CodeSystem/v3-ActReason`.
    pub fn code(self) -> &'static str {
        PURPOSES.iter().find(|(purpose, _)| *purpose == self).map_or("", |(_, code)| *code)
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        for (purpose, code) in PURPOSES {
            assert_eq!(Purpose::parse(code), Some(purpose));
            assert_eq!(purpose.code(), code);
        }
        assert_eq!(Purpose::parse("treat"), None);
    }
}
