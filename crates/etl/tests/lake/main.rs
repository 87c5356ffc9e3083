//! Targets that are files, loaded through their public contract and read back by pyarrow and deltalake.

mod delta;
mod folders;
mod harness;
mod objects;
