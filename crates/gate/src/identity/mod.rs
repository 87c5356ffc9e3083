//! Who may knock: tokens, set-up links, sessions; and the gate's methods that check them.

pub(crate) mod authenticate;
pub(crate) mod cache;
pub(crate) mod manage;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod token;
