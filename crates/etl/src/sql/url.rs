//! Where a database is, from its URL, without user and password.

/// Host, port and database of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The host as it is written, without brackets; empty when the URL names none.
    pub(crate) host: String,
    /// The port, or the default of the scheme.
    pub(crate) port: u16,
    /// The database.
    pub(crate) database: String,
}

impl Address {
    /// Reads `scheme://user:password@host:port/database?options`. `None`: another form.
    pub(crate) fn of(url: &str, schemes: &[&str], port: u16) -> Option<Address> {
        let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme)?.strip_prefix("://"))?;
        let rest = rest.split(['?', '#']).next()?;
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        // Several hosts: the first names the database.
        let place = place.split(',').next()?;
        let (host, port_text) = match place.strip_prefix('[') {
            Some(inner) => inner.split_once(']').map(|(host, rest)| (host, rest.strip_prefix(':')))?,
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = port_text.filter(|text| !text.is_empty()).map_or(Some(port), |text| text.parse().ok())?;
        Some(Address { host: host.to_owned(), port, database: database.to_owned() })
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.host.as_str();
        host.is_empty()
            || host.starts_with("%2F")
            || host.starts_with("%2f")
            || host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", if self.host.is_empty() { "localhost" } else { &self.host }, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(&str, u16, &str)>) {
        let address = Address::of(url, &["postgres", "postgresql"], 5432);
        let found = address.as_ref().map(|a| (a.host.as_str(), a.port, a.database.as_str()));
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn user_and_password_are_left_out() {
        check("postgres://etl:p%40ss@db.example.org/ehr", Some(("db.example.org", 5432, "ehr")));
        check("postgresql://etl:a@b@[::1]:6000/ehr?sslmode=require", Some(("::1", 6000, "ehr")));
        check("postgres://a:1,b:2/x", Some(("a", 1, "x")));
        check("postgres:///x", Some(("", 5432, "x")));
        check("mysql://x/y", None);
        check("host=x password=y", None);
        check("postgres://x:port/y", None);
        assert!(Address::of("postgres://127.0.0.1/x", &["postgres"], 1).unwrap().is_local());
        assert!(!Address::of("postgres://10.0.0.1/x", &["postgres"], 1).unwrap().is_local());
    }
}
