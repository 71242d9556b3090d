// SPDX-License-Identifier: GPL-2.0

//! Connection tracking.

pub(crate) mod conncount;
pub(crate) mod connection_end;
pub(crate) mod connections;
pub(crate) mod proxy_template;
mod tracking;

pub(crate) use tracking::{
    ConntrackUse,
    Tracking,
    TrackingState, //
};
