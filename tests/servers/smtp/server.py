"""A mail server for tests: aiosmtpd with STARTTLS and AUTH, on a port of the loopback address. Arguments: folder, port, user, password.

Writes the certificate of its authority to `ca.pem` and each message it takes as a line of JSON to `mail.ndjson`. The file `fault` says what it does instead: `hang`
(says nothing more), `drop` (closes the connection after it has taken a message), or an answer such as `451 4.3.0 later`.
"""

import asyncio
import datetime
import ipaddress
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

folder, port, user, password = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]


def signed(subject, public_key, issuer, issuer_key, is_ca):
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + 30 * day)
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), True)
    if not is_ca:
        builder = builder.add_extension(names, False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def certificates():
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(signed("salus test mail server", key.public_key(), "salus test CA", ca_key, False))
    (folder / "ca.pem").write_bytes(signed("salus test CA", ca_key.public_key(), "salus test CA", ca_key, True))


def fault():
    path = folder / "fault"
    return path.read_text().strip() if path.exists() else ""


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        said = fault()
        if said == "hang":
            await asyncio.sleep(3600)
        if said[:1] in "45" and said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": getattr(session.auth_data, "login", b"").decode(),
            "data": envelope.content.decode("utf-8", "replace"),
        }
        with open(folder / "mail.ndjson", "a") as file:
            file.write(json.dumps(mail) + "\n")
        if fault() == "drop":
            server.transport.abort()
        return "250 OK: taken"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=known, handled=False, auth_data=data)


async def main():
    certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def connection():
        return SMTP(Handler(), hostname="localhost", tls_context=context, require_starttls=True, auth_required=True, authenticator=authenticate)

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main())
