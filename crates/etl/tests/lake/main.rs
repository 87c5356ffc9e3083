//! Targets that are files, loaded through their public contract and read back by pyarrow and deltalake.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

mod delta;
mod folders;
mod harness;
mod objects;
