//! Examples under the help of commands. A test reads every one of them as a command line.

pub(crate) const DEMO: &str = "\
Examples:
  salus demo
  salus demo --patients 5000 --listen 127.0.0.1:9000
  salus demo --once --json";
pub(crate) const SERVE: &str = "\
Examples:
  salus serve --data-dir ./data
  salus serve --config salus.yaml --listen 127.0.0.1:9000";
pub(crate) const IMPORT: &str = "\
Examples:
  salus import bundles/ --data-dir ./data
  salus import Patient.ndjson.gz Observation.ndjson.gz --data-dir ./data --rejects rejects.ndjson
  salus import bundles.tar.zst --url http://127.0.0.1:8080/fhir --token '${env:TOKEN}'";
pub(crate) const EXPORT: &str = "\
Examples:
  salus export --data-dir ./data --out ./export
  salus export --data-dir ./data --out ./export --type Patient,Observation --since 2026-01-31T00:00:00Z";
pub(crate) const VALIDATE: &str = "\
Examples:
  salus validate patient.json
  salus validate bundles/ --json";
pub(crate) const SEARCH: &str = "\
Examples:
  salus search 'Observation?code=http://loinc.org|4548-4&value-quantity=gt9||%25' --data-dir ./data
  salus search 'Patient?region=state|TX&_sort=family' --ndjson --max 100 --data-dir ./data
  salus search 'Encounter?patient.birthdate=lt1960&_summary=count' --url http://127.0.0.1:8080/fhir";
pub(crate) const SYNTH: &str = "\
Examples:
  salus synth --patients 10000 --seed 1 --out people
  salus synth --patients 500 --seed 42 --out tables --format csv";
pub(crate) const TOKEN_CREATE: &str = "\
Examples:
  salus token create --role service --data-dir ./data
  salus token create --role clinician --scopes patient/*.rs --patient p42 --expires 12h --data-dir ./data";
pub(crate) const BENCH_FHIR: &str = "\
Examples:
  salus bench fhir --url http://127.0.0.1:8080/fhir --workload import --bundles bundles/ --clients 20
  salus bench fhir --url http://127.0.0.1:8080/fhir --workload search --clients 2 --secs 20";
pub(crate) const DOCTOR: &str = "\
Examples:
  salus doctor --data-dir ./data
  salus doctor --config salus.yaml --json";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::Cli;

    /// Words of a line: `'` holds words together.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (at, part) in line.split('\'').enumerate() {
            match at % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        words
    }

    /// Every command line under a command and those below it.
    fn examples(command: &clap::Command, all: &mut Vec<(String, String)>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
        all.extend(lines.map(|line| (command.get_name().to_owned(), line.to_owned())));
        command.get_subcommands().for_each(|below| examples(below, all));
    }

    #[test]
    fn every_example_is_a_command_line() {
        let mut all = Vec::new();
        examples(&Cli::command(), &mut all);
        assert!(all.len() >= 20, "only {} examples were found", all.len());
        for (name, line) in &all {
            let words = words(line);
            assert!(words.contains(name), "`{line}` stands under `{name}`");
            assert!(
                Cli::try_parse_from(&words).is_ok(),
                "`{line}`: {}",
                Cli::try_parse_from(&words).unwrap_err()
            );
        }
    }
}
