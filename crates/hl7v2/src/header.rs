//! What MSH says, by name.

use crate::{Message, Timestamp, TimestampError};
use std::borrow::Cow;

impl Message {
    fn header_text(&self, field: usize, component: usize) -> Option<Cow<'_, str>> {
        self.segment(0)?.field(field).repetition(1).component(component).value().into_text()
    }

    /// MSH-9.1, the message code, such as `ADT`.
    pub fn code(&self) -> Option<Cow<'_, str>> {
        self.header_text(9, 1)
    }

    /// MSH-9.2, the trigger event, such as `A01`.
    pub fn trigger(&self) -> Option<Cow<'_, str>> {
        self.header_text(9, 2)
    }

    /// MSH-9.3, the message structure, such as `ADT_A01`. Older versions do not send it, and it is not made up.
    pub fn structure(&self) -> Option<Cow<'_, str>> {
        self.header_text(9, 3)
    }

    /// MSH-10, by which the sender knows the message.
    pub fn control_id(&self) -> Option<Cow<'_, str>> {
        self.header_text(10, 1)
    }

    /// MSH-11, `P` for production, `T` for training, `D` for debugging.
    pub fn processing_id(&self) -> Option<Cow<'_, str>> {
        self.header_text(11, 1)
    }

    /// MSH-12, the version of the standard, such as `2.5.1`.
    pub fn version(&self) -> Option<Cow<'_, str>> {
        self.header_text(12, 1)
    }

    /// MSH-3, the sending application (its namespace).
    pub fn sending_application(&self) -> Option<Cow<'_, str>> {
        self.header_text(3, 1)
    }

    /// MSH-4, the sending facility (its namespace).
    pub fn sending_facility(&self) -> Option<Cow<'_, str>> {
        self.header_text(4, 1)
    }

    /// MSH-5, the receiving application (its namespace).
    pub fn receiving_application(&self) -> Option<Cow<'_, str>> {
        self.header_text(5, 1)
    }

    /// MSH-6, the receiving facility (its namespace).
    pub fn receiving_facility(&self) -> Option<Cow<'_, str>> {
        self.header_text(6, 1)
    }

    /// MSH-7, when the message was made.
    ///
    /// # Errors
    /// When the field holds something else than a timestamp.
    pub fn sent_at(&self) -> Result<Option<Timestamp>, TimestampError> {
        self.header_text(7, 1).map(|text| Timestamp::parse(&text)).transpose()
    }
}
