// SPDX-License-Identifier: GPL-2.0

//! Imports of nearly every file of SYNPROXY.

pub(super) use super::{
    connection::{
        held::Held,
        proxy_state::{
            Flag,
            ProxyState, //
        },
        resets, //
    },
    server::servers::{
        ConnectResult,
        Endpoint, //
    },
    settings::Event,
    Synproxy, //
};
pub(super) use crate::{
    kernel_api::{
        conntrack::{
            connections::{
                Connection,
                Direction,
                Endpoints,
                FoundConnection,
                TcpState, //
            },
            TrackingState, //
        },
        hash::HashKey,
        net::{
            skb::{
                HookSkb,
                Skb, //
            },
            transmit::NewPacket, //
        },
        netfilter::{
            Context,
            Hook,
            Verdict, //
        },
        sync::words::Word,
        time::JIFFIES_PER_SECOND, //
    },
    packet::{
        tcp::{
            compose::{
                self,
                Fields, //
            },
            options::{
                Options,
                Timestamps,
                MSS_DEFAULT, //
            },
            segment::{
                flags,
                Kind,
                Segment, //
            },
        },
        Family,
        Packet,
        Transport,
        IPPROTO_TCP, //
    },
    token_bucket::Rate, //
};
pub(super) use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};
