//! Finds the data sets that are shared between projects and unpacks them once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The unpacked archive `name` (such as `synthea-r4-bundles.tar.zst`) of the shared data folder, `$SALUS_SHARED_DATA` or
/// `../shared/data` beside the repository. Prints `not checked: …` and returns `None` when it is not there: return from the test then.
#[allow(clippy::print_stderr, reason = "a test that did not run says so")]
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let archive = shared_folder().join(name);
    if !archive.is_file() {
        eprintln!("not checked: `{}` is not there (set SALUS_SHARED_DATA)", archive.display());
        return None;
    }
    Some(
        unpacked(&archive, &build_folder())
            .unwrap_or_else(|error| panic!("`{}`: {error}", archive.display())),
    )
}

/// The shared data folder, which may be missing.
pub fn shared_folder() -> PathBuf {
    match std::env::var_os("SALUS_SHARED_DATA") {
        Some(folder) => folder.into(),
        // Tests run in their crate's folder, `crates/NAME`.
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    }
}

/// Where the running test was built: what is unpacked goes there, and away with it.
fn build_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a running test knows its program");
    program.ancestors().nth(2).unwrap_or(Path::new(".")).join("shared-data")
}

fn unpacked(archive: &Path, below: &Path) -> io::Result<PathBuf> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let short = name.split('.').next().unwrap_or_default();
    let target = below.join(format!("{short}-{}", archive.metadata()?.len()));
    if target.is_dir() {
        return Ok(target);
    }
    fs::create_dir_all(below)?;
    // Another test may do the same at this moment: the first rename wins.
    let unfinished = tempfile::tempdir_in(below)?;
    let file = File::open(archive)?;
    if name.ends_with(".zst") {
        tar::Archive::new(zstd::Decoder::new(file)?).unpack(unfinished.path())?;
    } else {
        tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(unfinished.path())?;
    }
    match fs::rename(unfinished.path(), &target) {
        Err(error) if !target.is_dir() => Err(error),
        _ => Ok(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(folder: &Path, name: &str, compress: impl Fn(&[u8]) -> Vec<u8>) -> PathBuf {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        builder.append_data(&mut header, "inner/a.txt", &b"hello"[..]).unwrap();
        let path = folder.join(name);
        fs::write(&path, compress(&builder.into_inner().unwrap())).unwrap();
        path
    }

    #[test]
    fn archives_are_unpacked_once() {
        let folder = tempfile::tempdir().unwrap();
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut encoder, bytes).unwrap();
            encoder.finish().unwrap()
        };
        let zst = archive(folder.path(), "one.tar.zst", |bytes| zstd::encode_all(bytes, 1).unwrap());
        let tgz = archive(folder.path(), "two.tgz", gzip);
        for path in [zst, tgz] {
            let unpacked_to = unpacked(&path, folder.path()).unwrap();
            assert_eq!(fs::read_to_string(unpacked_to.join("inner/a.txt")).unwrap(), "hello");
            fs::write(unpacked_to.join("mark"), "").unwrap();
            assert!(unpacked(&path, folder.path()).unwrap().join("mark").exists());
        }
    }

    #[test]
    fn what_is_missing_is_not_an_error() {
        assert_eq!(shared_data("no-such-data.tar.zst"), None);
    }
}
