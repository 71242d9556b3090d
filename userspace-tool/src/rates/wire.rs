// SPDX-License-Identifier: GPL-2.0

//! Tables of rates, as the kernel answers with them.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    error::Error,
    fields::{Decode, nest},
    netlink::{Nest, Writer, spec::attribute::rates as attribute},
};

nest! {
    /// A table of rates.
    #[derive(PartialEq, Eq)]
    pub(super) struct RateTable: rates {
        pub(super) name: String = NAME;
        pub(super) size: u32 = SIZE;
        pub(super) rules: u32 = RULES;
        pub(super) evicted: u64 = EVICTED;
        pub(super) refused: u64 = REFUSED;
    }
}

nest! {
    /// What a table knows of an address. What no rule looks at is 0.
    #[derive(PartialEq, Eq)]
    pub(super) struct Rate: rate {
        pub(super) source: IpAddr = SOURCE, or Ipv4Addr::UNSPECIFIED.into();
        pub(super) destination: IpAddr = DESTINATION, or Ipv4Addr::UNSPECIFIED.into();
        pub(super) source_port: u16 = SOURCE_PORT;
        pub(super) destination_port: u16 = DESTINATION_PORT;
        /// Milliseconds until it may send at the full burst again.
        pub(super) full_in: u64 = FULL_IN;
        /// Milliseconds since the last packet.
        pub(super) age: u64 = AGE;
    }
}

/// A request about a table.
pub(super) fn named(name: &str) -> Writer {
    let mut request = Writer::default();
    request.string(attribute::NAME, name);
    request
}

/// Read an answer to rates-get.
pub(super) fn decode_table(answer: &[u8]) -> Result<RateTable, Error> {
    RateTable::decode(&Nest::new(answer)?)
}

/// Read an answer to rate-get.
pub(super) fn decode_rate(answer: &[u8]) -> Result<Rate, Error> {
    let nest = Nest::new(answer)?;
    match nest.get(attribute::RATE) {
        Some(rate) => Rate::decode(&rate.nest()?),
        None => Err(Error::Answer("a rate is missing".to_owned())),
    }
}
