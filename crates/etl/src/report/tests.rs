//! Scores, gates and pages from rules.
