// SPDX-License-Identifier: GPL-2.0

//! Segments of clients whose connections do not exist yet.

mod existing;
mod incoming;
mod opening;
mod out_of_flow;
mod until_data;
mod waiting;

pub(crate) use incoming::Stage;
pub(super) use waiting::{
    WaitingClients,
    WaitingWork, //
};
