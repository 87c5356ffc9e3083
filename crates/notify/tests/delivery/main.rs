//! Messages go through real servers and gateways, which fail in every way that they can: nothing is lost, nothing is sent under two keys.

mod gateways;
mod house;
mod mail;
mod queue;
