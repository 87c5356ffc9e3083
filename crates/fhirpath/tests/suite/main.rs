//! The official FHIRPath suite for R4.

mod official;
mod resource;
mod xml;
