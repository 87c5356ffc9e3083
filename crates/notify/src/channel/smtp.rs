//! E-mail by SMTP: STARTTLS, sign-in, time-outs. The idempotency key is the message's identifier, so that a second copy is known as one.

use std::time::{Duration, SystemTime};

use fhir::Instant;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Severity as Reply;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::outbox::{Claimed, Outcome};
use crate::render::Rendered;
use crate::settings::{SmtpSecurity, SmtpSettings};

#[derive(Clone)]
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    domain: String,
    /// Longest wait for a whole message: a server that answers each line late must not hold the worker.
    whole: Duration,
}

impl Smtp {
    pub(super) fn new(settings: &SmtpSettings) -> Result<Smtp, String> {
        let from: Mailbox = settings.from.parse().map_err(|_| "`from` is no e-mail address".to_owned())?;
        let domain = from.email.domain().to_owned();
        let timeout = Duration::from_secs(settings.timeout_secs.clamp(1, 300));
        let tls = match settings.security {
            SmtpSecurity::Starttls => Tls::Required(parameters(settings)?),
            SmtpSecurity::Tls => Tls::Wrapper(parameters(settings)?),
            SmtpSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(timeout));
        match (&settings.username, &settings.password) {
            (Some(name), Some(password)) => {
                if settings.security == SmtpSecurity::None && !is_this_machine(&settings.host) {
                    return Err("a password is not sent in clear: use `security: starttls`".to_owned());
                }
                builder = builder.credentials(Credentials::new(name.clone(), password.reveal().to_owned()));
            }
            (None, None) => {}
            _ => return Err("`username` and `password` go together".to_owned()),
        }
        Ok(Smtp { transport: builder.build(), from, domain, whole: timeout * 3 })
    }

    pub(super) async fn send(&self, message: &Claimed, rendered: &Rendered, now: Instant) -> Outcome {
        let mail = match self.mail(message, rendered, now) {
            Ok(mail) => mail,
            Err(why) => return Outcome::Refused(why),
        };
        match tokio::time::timeout(self.whole, self.transport.send(mail)).await {
            Err(_) => Outcome::Failed("the mail server did not answer in time".to_owned(), None),
            Ok(Ok(response)) => {
                let said = response.message().next().map(|line| line.chars().take(200).collect());
                Outcome::Delivered(said)
            }
            Ok(Err(error)) => outcome_of(&error),
        }
    }

    fn mail(&self, message: &Claimed, rendered: &Rendered, now: Instant) -> Result<Message, String> {
        let to: Mailbox =
            message.address.parse().map_err(|_| "the address is no e-mail address".to_owned())?;
        let micros = u64::try_from(now.0).unwrap_or(0);
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&rendered.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(format!("<{}@{}>", message.idempotency, self.domain)))
            .header(ContentType::TEXT_PLAIN)
            .body(rendered.text.clone())
            .map_err(|_| "the message cannot be written".to_owned())
    }
}

fn parameters(settings: &SmtpSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let place = file.display();
        let pem = std::fs::read(file).map_err(|error| format!("cannot read `{place}`: {}", error.kind()))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|_| format!("`{place}` holds no certificate (PEM)"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|_| "TLS cannot be set up".to_owned())
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a mail server says for good is for good; anything else may pass. Its words are not repeated: they may quote the message.
fn outcome_of(error: &lettre::transport::smtp::Error) -> Outcome {
    let failed = |why: String| Outcome::Failed(why, None);
    let Some(code) = error.status() else {
        return failed(if error.is_timeout() {
            "the mail server did not answer in time".to_owned()
        } else {
            "no connection to the mail server: check host, port, `security` and `ca_file`".to_owned()
        });
    };
    match u16::from(code) {
        // Sign-in refused: the configuration may be mended while the message waits.
        number @ (530 | 534 | 535 | 538) => failed(format!("the mail server refused the sign-in ({number})")),
        number if code.severity == Reply::PermanentNegativeCompletion => {
            Outcome::Refused(format!("the mail server refused it for good ({number})"))
        }
        number => failed(format!("the mail server answered {number}")),
    }
}
