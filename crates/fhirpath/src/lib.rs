//! fhirpath.
