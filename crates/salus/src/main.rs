//! The `salus` binary: reads the command line and the environment, runs one command, answers with an exit code.

fn main() {}
