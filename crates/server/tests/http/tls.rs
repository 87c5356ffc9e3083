//! TLS: answers over it, cookies that say so, files that cannot be used. The certificate is for tests only.

use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use gate::{Role, Roles, Tenant};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use server::{ServeError, ServerConfig, Services, TlsFiles};

use crate::client::{self, Answer};
use crate::house::House;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/http/tls_files").join(name)
}

fn files() -> TlsFiles {
    TlsFiles { cert: file("cert.pem"), key: file("key.pem") }
}

fn ask(house: &House, request: &[u8]) -> Answer {
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(file("cert.pem")).unwrap();
    for cert in rustls_pemfile::certs(&mut pem.as_slice()) {
        roots.add(cert.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(house.address).unwrap());
    stream.write_all(request).unwrap();
    client::read(&mut stream)
}

#[test]
fn tls_answers_and_plain_text_does_not() {
    let house = House::with(|config| {
        config.tls = Some(files());
        config.public_url = format!("https://localhost:{}", config.listen.port());
    });
    assert_eq!(ask(&house, &client::request("GET", "/healthz", &[], b"")).text(), "ok\n");
    let roles = Roles::one(Role::Clinician);
    let link = house.runtime.block_on(house.gate.create_setup_link("ada", roles, &Tenant::main())).unwrap();
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let form = format!("token={}", link.reveal());
    let opened = ask(&house, &client::request("POST", "/auth/link", &headers, form.as_bytes()));
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-salus=") && cookie.ends_with("; Secure"), "{cookie}");
    let plain =
        std::panic::catch_unwind(|| client::send(house.address, b"GET /healthz HTTP/1.1\r\nHost: s\r\n\r\n"));
    assert!(plain.is_err(), "plain text was answered");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let house = House::new();
    let missing = file("missing.pem");
    for (cert, key) in
        [(missing.clone(), file("key.pem")), (file("key.pem"), file("key.pem")), (file("cert.pem"), missing)]
    {
        let mut config = ServerConfig::new(([127, 0, 0, 1], 0).into());
        config.tls = Some(TlsFiles { cert, key });
        let error = house
            .runtime
            .block_on(server::bind(config, house.gate.clone(), Services::default()))
            .err()
            .unwrap();
        assert!(matches!(error, ServeError::Tls { .. }), "{error}");
        assert!(error.to_string().contains("cannot use the TLS file `"), "{error}");
    }
}
