//! Who is at the keyboard: the operating system's name of the user that runs this process.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// The login name, from the owner of this process, not from a variable that anybody can set; the number when it has no name.
pub(crate) fn local_user() -> String {
    let Ok(own) = fs::metadata("/proc/self") else {
        return std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    };
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(own.uid(), &users).unwrap_or_else(|| own.uid().to_string())
}

fn name_of(uid: u32, users: &str) -> Option<String> {
    let uid = uid.to_string();
    users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2) == Some(&uid.as_str()))
        .map(|fields| fields[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_belongs_to_the_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1000, users).as_deref(), Some("ann"));
        assert_eq!(name_of(7, users), None);
        assert!(!local_user().is_empty());
    }
}
