//! Reading: one version, histories, exports, counts, the change log.

pub(crate) mod changes;
pub(crate) mod counts;
pub(crate) mod current;
pub(crate) mod history;
pub(crate) mod scan;
pub(crate) mod version;
