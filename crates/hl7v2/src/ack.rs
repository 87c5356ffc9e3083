//! Acknowledgements: what the sender wants to hear, and the message that says it. Knows nothing of connections or of what was done.

use crate::{EncodeError, Limits, Message, Path, Timestamp, Value, Writer};
use std::fmt;

/// What happened to a message, as MSA-1 says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckCode {
    /// `AA`: accepted by the application.
    ApplicationAccept,
    /// `AE`: the application found an error in it.
    ApplicationError,
    /// `AR`: rejected for another reason than its content, such as its type or a lack of room; it may be sent again.
    ApplicationReject,
    /// `CA`: safely stored (enhanced mode).
    CommitAccept,
    /// `CE`: cannot be stored, because of an error in it (enhanced mode).
    CommitError,
    /// `CR`: cannot be stored, for another reason (enhanced mode).
    CommitReject,
}

impl AckCode {
    /// Its two letters.
    pub fn code(self) -> &'static str {
        match self {
            AckCode::ApplicationAccept => "AA",
            AckCode::ApplicationError => "AE",
            AckCode::ApplicationReject => "AR",
            AckCode::CommitAccept => "CA",
            AckCode::CommitError => "CE",
            AckCode::CommitReject => "CR",
        }
    }

    /// Whether it says that all went well.
    pub fn is_accept(self) -> bool {
        matches!(self, AckCode::ApplicationAccept | AckCode::CommitAccept)
    }
}

impl fmt::Display for AckCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

/// When an acknowledgement is wanted (table 0155).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// `AL`
    Always,
    /// `NE`, and an empty field beside one that is not.
    Never,
    /// `ER`: only of an error or a rejection.
    Error,
    /// `SU`: only of success.
    Success,
}

impl When {
    /// Whether the sender wants to hear of this outcome.
    pub fn wants(self, code: AckCode) -> bool {
        match self {
            When::Always => true,
            When::Never => false,
            When::Error => !code.is_accept(),
            When::Success => code.is_accept(),
        }
    }
}

/// What the sender wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// MSH-15 and MSH-16 are empty: one answer, `AA`, `AE` or `AR`, always.
    Original,
    /// Two kinds of answers, each when it is wanted.
    Enhanced {
        /// MSH-15: that it is stored, with `CA`, `CE` or `CR`.
        accept: When,
        /// MSH-16: what the application did, with `AA`, `AE` or `AR`, in a message of its own.
        application: When,
    },
}

impl Mode {
    /// Whether an answer with this code is wanted in this mode.
    pub fn wants(self, code: AckCode) -> bool {
        let is_commit = matches!(code, AckCode::CommitAccept | AckCode::CommitError | AckCode::CommitReject);
        match self {
            Mode::Original => !is_commit,
            Mode::Enhanced { accept, application } => {
                if is_commit { accept } else { application }.wants(code)
            }
        }
    }
}

/// What was wrong with a message, for the ERR segment of its acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckError {
    /// Where, when it is in one place.
    pub place: Option<Path>,
    /// Code of table 0357: 101 a required field is missing, 102 data type, 103 value not in table, 205 duplicate key, 207 application error.
    pub code: u16,
    /// For people; without patient data.
    pub text: String,
}

impl AckError {
    /// The name of its code.
    fn name(&self) -> &'static str {
        match self.code {
            100 => "Segment sequence error",
            101 => "Required field missing",
            102 => "Data type error",
            103 => "Table value not found",
            200 => "Unsupported message type",
            204 => "Unknown key identifier",
            205 => "Duplicate key identifier",
            206 => "Application record locked",
            _ => "Application internal error",
        }
    }

    /// ERR: up to version 2.4 one field that holds it all (ELD), then location, code, severity and text.
    fn write(&self, version: &str, out: &mut Writer) -> Result<(), EncodeError> {
        let code = self.code.to_string();
        let place = self.place.as_ref();
        let segment = place.map(|place| place.segment().to_owned()).unwrap_or_default();
        let occurrence = place.map(|place| place.occurrence().unwrap_or(1).to_string()).unwrap_or_default();
        let field = place.map(|place| place.field().to_string()).unwrap_or_default();
        out.segment("ERR")?;
        if matches!(version, "2.1" | "2.2" | "2.3" | "2.3.1" | "2.4" | "") {
            let text = |text: &str| vec![Value::Text(text.to_owned().into())];
            let coded = [&code, self.name(), "HL70357"].map(|part| Value::Text(part.to_owned().into()));
            out.repetitions(&[vec![text(&segment), text(&occurrence), text(&field), coded.to_vec()]])?;
            return Ok(());
        }
        out.skip(1).components(&[&segment, &occurrence, &field])?;
        out.components(&[&code, self.name(), "HL70357"])?.text("E")?.skip(3).text(&self.text)?;
        Ok(())
    }
}

impl Message {
    /// What MSH-15 and MSH-16 ask for; `None` when one holds a code that table 0155 does not have.
    pub fn ack_mode(&self) -> Option<Mode> {
        let header = self.segment(0)?;
        let when = |field: usize| match header.field(field).value().text() {
            None => Some(None),
            Some("AL") => Some(Some(When::Always)),
            Some("NE") => Some(Some(When::Never)),
            Some("ER") => Some(Some(When::Error)),
            Some("SU") => Some(Some(When::Success)),
            Some(_) => None,
        };
        match (when(15)?, when(16)?) {
            (None, None) => Some(Mode::Original),
            (accept, application) => Some(Mode::Enhanced {
                accept: accept.unwrap_or(When::Never),
                application: application.unwrap_or(When::Never),
            }),
        }
    }

    /// The acknowledgement of this message: MSH with sender and receiver exchanged, in the same version, delimiters and character set, and MSA
    /// with the message's control id. `text` goes to MSA-3 and should hold no patient data; `control_id` makes the acknowledgement's own.
    ///
    /// # Errors
    /// When the text or control id has a character that the message's set lacks, or needs an escape that the message does not declare.
    pub fn ack(
        &self,
        code: AckCode,
        text: Option<&str>,
        sent_at: Option<Timestamp>,
        control_id: impl FnOnce() -> String,
    ) -> Result<Message, EncodeError> {
        self.acknowledged(code, text, None, sent_at, control_id)
    }

    /// [`Message::ack`] with an ERR segment that says where the message is wrong; its text goes to MSA-3 too.
    ///
    /// # Errors
    /// As [`Message::ack`].
    pub fn ack_error(
        &self,
        code: AckCode,
        error: &AckError,
        sent_at: Option<Timestamp>,
        control_id: impl FnOnce() -> String,
    ) -> Result<Message, EncodeError> {
        self.acknowledged(code, Some(&error.text), Some(error), sent_at, control_id)
    }

    fn acknowledged(
        &self,
        code: AckCode,
        text: Option<&str>,
        error: Option<&AckError>,
        sent_at: Option<Timestamp>,
        control_id: impl FnOnce() -> String,
    ) -> Result<Message, EncodeError> {
        let mut out = Writer::new(self.delimiters, self.charset);
        if let Some(header) = self.segment(0) {
            for field in [5, 6, 3, 4] {
                out.copy(&header.field(field))?;
            }
            out.text(&sent_at.map(|at| at.to_hl7()).unwrap_or_default())?.skip(1);
            let trigger = self.trigger().unwrap_or_default();
            match self.structure() {
                Some(_) => out.components(&["ACK", &trigger, "ACK"])?,
                None if trigger.is_empty() => out.text("ACK")?,
                None => out.components(&["ACK", &trigger])?,
            };
            out.text(&control_id())?.copy(&header.field(11))?.copy(&header.field(12))?;
            if header.field(18).value().is_given() {
                out.skip(5).copy(&header.field(18))?;
            }
            out.segment("MSA")?.text(code.code())?.copy(&header.field(10))?;
        }
        if let Some(text) = text {
            out.text(text)?;
        }
        if let Some(error) = error {
            error.write(&self.version().unwrap_or_default(), &mut out)?;
        }
        out.finish(&Limits::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, code: AckCode, text: Option<&str>, expected: &str) {
        let message = Message::parse(header.as_bytes(), &Limits::default()).unwrap();
        let at = Timestamp::of_utc_micros(1_718_452_800_000_000);
        let ack = message.ack(code, text, at, || "9".into()).unwrap();
        assert_eq!(ack.as_text().replace('\r', "\n").trim_end(), expected);
    }

    #[test]
    fn sender_and_receiver_change_places() {
        check(
            "MSH|^~\\&|LAB^1.2^ISO|NORTH|EHR|SOUTH|2024||ORU^R01^ORU_R01|17\\T\\a|P^A|2.5.1",
            AckCode::ApplicationAccept,
            None,
            "MSH|^~\\&|EHR|SOUTH|LAB^1.2^ISO|NORTH|20240615120000+0000||ACK^R01^ACK|9|P^A|2.5.1\nMSA|AA|17\\T\\a",
        );
        check(
            "MSH!@~\\&!LAB!!EHR!!!!ADT@A01!17!P!2.3!!!!!!UNICODE UTF-8~ASCII",
            AckCode::ApplicationError,
            Some("PID-3 is empty!"),
            "MSH!@~\\&!EHR!!LAB!!20240615120000+0000!!ACK@A01!9!P!2.3!!!!!!UNICODE UTF-8~ASCII\nMSA!AE!17!PID-3 is empty\\F\\",
        );
        check(
            "MSH|^~\\&",
            AckCode::CommitReject,
            None,
            "MSH|^~\\&|||||20240615120000+0000||ACK|9||\nMSA|CR|",
        );
    }

    #[test]
    fn an_error_says_where() {
        let check = |version: &str, expected: &str| {
            let header = format!("MSH|^~\\&|LAB||EHR||2024||ORU^R01|17|P|{version}");
            let message = Message::parse(header.as_bytes(), &Limits::default()).unwrap();
            let place = Path::parse("OBX(3)-5").ok();
            let error = AckError { place, code: 102, text: "not a number".into() };
            let ack = message.ack_error(AckCode::ApplicationError, &error, None, || "9".into()).unwrap();
            assert_eq!(ack.as_text().split('\r').nth(2), Some(expected));
        };
        check("2.5.1", "ERR||OBX^3^5|102^Data type error^HL70357|E||||not a number");
        check("2.3", "ERR|OBX^3^5^102&Data type error&HL70357");
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let latin = b"MSH|^~\\&||||||||1||||||||8859/1";
        let message = Message::parse(latin, &Limits::default()).unwrap();
        let refused =
            |text: &str| message.ack(AckCode::ApplicationAccept, Some(text), None, String::new).err();
        assert_eq!(refused("é"), None);
        assert!(matches!(refused("€"), Some(EncodeError::Character { charset: crate::Charset::Latin1, .. })));
    }

    #[test]
    fn modes_say_which_answers_are_wanted() {
        use AckCode::{ApplicationAccept, ApplicationError, CommitAccept, CommitReject};
        let wanted = |fields: &str| {
            let message =
                Message::parse(format!("MSH|^~\\&||||||||||||{fields}").as_bytes(), &Limits::default());
            let mode = message.unwrap().ack_mode()?;
            Some(
                [ApplicationAccept, ApplicationError, CommitAccept, CommitReject]
                    .map(|code| mode.wants(code)),
            )
        };
        assert_eq!(wanted(""), Some([true, true, false, false]));
        assert_eq!(wanted("|AL|NE"), Some([false, false, true, true]));
        assert_eq!(wanted("|ER|AL"), Some([true, true, false, true]));
        assert_eq!(wanted("||SU"), Some([true, false, false, false]));
        assert_eq!(wanted("|al|"), None);
    }
}
