//! Who is at the other end of a connection, as far as the operating system knows.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use gate::{Principal, Tenant};

/// The other end.
#[derive(Clone)]
pub(crate) enum Peer {
    /// Anybody who can reach the port.
    Network,
    /// The user who owns the data folder, on this machine: needs no token.
    Local(Arc<Principal>),
    /// Another user of this machine, who found the socket.
    Stranger,
}

/// Users of this machine as the socket tells them apart.
#[derive(Clone)]
pub(crate) struct Owner {
    uid: u32,
    principal: Arc<Principal>,
}

impl Owner {
    /// The owner of the socket, which is whoever runs this process.
    pub(crate) fn of(socket: &Path) -> std::io::Result<Owner> {
        let uid = std::fs::metadata(socket)?.uid();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = name_of(uid, &users).unwrap_or_else(|| uid.to_string());
        Ok(Owner { uid, principal: Arc::new(Principal::local(&name, Tenant::main())) })
    }

    /// Who a connection on the socket comes from.
    pub(crate) fn peer(&self, stream: &tokio::net::UnixStream) -> Peer {
        match stream.peer_cred() {
            Ok(cred) if cred.uid() == self.uid => Peer::Local(Arc::clone(&self.principal)),
            Ok(_) | Err(_) => Peer::Stranger,
        }
    }
}

fn name_of(uid: u32, users: &str) -> Option<String> {
    let uid = uid.to_string();
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.filter(|fields| fields.get(2) == Some(&uid.as_str())).map(|fields| fields[0].to_string()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_the_list_of_users() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1000, users).as_deref(), Some("ann"));
        assert_eq!(name_of(7, users), None);
    }
}
