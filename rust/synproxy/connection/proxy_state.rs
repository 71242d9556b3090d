// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY's state of a connection, in the three words of `struct nf_conn_synproxy`.
//!
//! The first word is the sequence number of the SYN-ACK that the client got, as with
//! `nf_synproxy_core`; once another SYN has passed to a server that had accepted the connection, it
//! is that of the latest one. The second word is the timestamp that the client got and, once the
//! server has answered, how far the server's timestamps are ahead. `nf_synproxy_core` has that in
//! the third, which here holds flags and window scales.

use crate::{
    kernel_api::conntrack::connections::ProxyWords,
    synproxy::{
        cookie::{
            announcement::Agreement,
            NO_SCALE, //
        },
        prelude::*, //
    },
};

const CLIENT_SCALE_SHIFT: u32 = 0;
const ADVERTISED_WSCALE_SHIFT: u32 = 4;
/// Stored inverted: zero stands for [`NO_SCALE`], so that to note it only sets bits.
const SERVER_SCALE_SHIFT: u32 = 8;
const SCALE_MASK: u32 = 0xf;

/// A flag of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    /// The server has accepted it.
    Opened = 1 << 12,
    /// The client permits SACK.
    ClientSack = 1 << 13,
    /// The client uses timestamps.
    ClientTimestamps = 1 << 14,
    /// The client uses SACK, the server does not.
    HideSack = 1 << 15,
    /// The client uses timestamps, the server does not.
    HideTimestamps = 1 << 16,
    /// Timestamps have to be shifted.
    ShiftTimestamps = 1 << 17,
    /// Windows have to be rescaled.
    Rescale = 1 << 18,
    /// The client asks for ECN.
    ClientEcn = 1 << 19,
    /// The server was not reached.
    GivenUp = 1 << 20,
    /// The state is initialized.
    Started = 1 << 21,
    /// A CPU has begun to process the server's SYN-ACK.
    Opening = 1 << 22,
    /// Another SYN has passed to the server.
    Challenged = 1 << 23,
    /// The server's SYN-ACK was acknowledged in the client's name.
    Acknowledged = 1 << 24,
}

/// The flags that require segments of an open connection to be translated.
const TO_TRANSLATE: u32 = Flag::HideSack as u32
    | Flag::HideTimestamps as u32
    | Flag::ShiftTimestamps as u32
    | Flag::Rescale as u32;

/// The sequence number that the client expects next, by the words of a connection; `None` once the
/// server has accepted it.
pub(crate) fn next_before_answer([cookie, _, flags]: [u32; 3]) -> Option<u32> {
    (flags & Flag::Opened as u32 == 0).then_some(cookie.wrapping_add(1))
}

/// SYNPROXY's state of a connection.
#[derive(Clone, Copy)]
pub(crate) struct ProxyState<'a>(&'a ProxyWords);

impl<'a> ProxyState<'a> {
    /// The state of a connection, if it is one of SYNPROXY's.
    pub(crate) fn of(connection: &Connection<'a>) -> Option<Self> {
        connection.proxy().map(Self)
    }

    /// The state in these words.
    #[inline]
    pub(crate) fn new(words: &'a ProxyWords) -> Self {
        Self(words)
    }

    /// Initializes the state when a SYN goes to the server. A retransmission changes nothing.
    pub(crate) fn start(&self, cookie: u32, stamp: Option<u32>, agreement: &Agreement) {
        let [first, second, third] = self.0;
        if self.has(Flag::Started) && first.load() == cookie {
            return;
        }
        first.store(cookie);
        second.store(stamp.unwrap_or(0));
        let flag = |is_set, one: Flag| if is_set { one as u32 } else { 0 };
        third.store(
            Flag::Started as u32
                | u32::from(agreement.client_scale) << CLIENT_SCALE_SHIFT
                | u32::from(agreement.advertised_wscale) << ADVERTISED_WSCALE_SHIFT
                | flag(agreement.sack, Flag::ClientSack)
                | flag(stamp.is_some(), Flag::ClientTimestamps)
                | flag(agreement.ecn, Flag::ClientEcn),
        );
    }

    /// The sequence number of the SYN-ACK that the client got.
    pub(crate) fn cookie(&self) -> u32 {
        let [first, _, _] = self.0;
        first.load()
    }

    /// The timestamp that the client got; once the server has answered, how far the server's
    /// timestamps are ahead.
    #[inline]
    pub(crate) fn stamp(&self) -> u32 {
        let [_, second, _] = self.0;
        second.load()
    }

    /// Sets how far the server's timestamps are ahead.
    pub(crate) fn set_stamp(&self, ahead: u32) {
        let [_, second, _] = self.0;
        second.store(ahead);
    }

    #[inline]
    fn flags(&self) -> u32 {
        let [_, _, third] = self.0;
        third.load()
    }

    /// Whether the flag is set.
    #[inline]
    pub(crate) fn has(&self, one: Flag) -> bool {
        self.flags() & one as u32 != 0
    }

    /// Whether the caller is the first to process the server's SYN-ACK.
    pub(crate) fn try_start_opening(&self) -> bool {
        let [_, _, third] = self.0;
        !third.test_and_set_bit::<{ (Flag::Opening as u32).trailing_zeros() }>()
    }

    /// Records a SYN that passes to the server, if the server has accepted the connection.
    #[cold]
    pub(crate) fn challenge(&self, sequence: u32) {
        let [first, _, third] = self.0;
        if self.has(Flag::Opened) {
            first.store(sequence);
            third.test_and_set_bit::<{ (Flag::Challenged as u32).trailing_zeros() }>();
        }
    }

    /// The sequence number of the latest SYN that passed to a server that had accepted the
    /// connection.
    pub(crate) fn challenge_syn(&self) -> Option<u32> {
        let [first, _, _] = self.0;
        self.has(Flag::Challenged).then(|| first.load())
    }

    /// Sets the flags whose condition is true, and the server's window scale.
    pub(crate) fn add(&self, flags: &[(bool, Flag)], server_scale: Option<u8>) {
        let [_, _, third] = self.0;
        let flag = |(is_true, one): &(bool, Flag)| if *is_true { *one as u32 } else { 0 };
        let added = flags.iter().map(flag).fold(0, |sum, one| sum | one);
        let scale = u32::from(server_scale.unwrap_or(NO_SCALE)) ^ SCALE_MASK;
        third.set_bits(added | scale << SERVER_SCALE_SHIFT);
    }

    /// Whether its segments have to be translated.
    #[inline]
    pub(crate) fn is_translated(&self) -> bool {
        self.flags() & TO_TRANSLATE != 0
    }

    /// Whether both handshakes are over.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        const OPEN: u32 = Flag::Opened as u32 | Flag::Acknowledged as u32;
        self.flags() & OPEN == OPEN
    }

    /// The server's SYN-ACK was acknowledged.
    pub(crate) fn set_acknowledged(&self) {
        let [_, _, third] = self.0;
        third.set_bits(Flag::Acknowledged as u32);
    }

    #[inline]
    fn scale(flags: u32, shift: u32) -> Option<u8> {
        let scale = (flags >> shift & SCALE_MASK) as u8;
        (scale != NO_SCALE).then_some(scale)
    }

    /// The client's window scale, if windows are scaled.
    #[inline]
    pub(crate) fn client_scale(&self) -> Option<u8> {
        Self::scale(self.flags(), CLIENT_SCALE_SHIFT)
    }

    /// The advertised window scale, if there was one.
    #[inline]
    pub(crate) fn advertised_wscale(&self) -> Option<u8> {
        Self::scale(self.flags(), ADVERTISED_WSCALE_SHIFT)
    }

    /// The server's window scale, if it scales windows.
    #[inline]
    pub(crate) fn server_scale(&self) -> Option<u8> {
        Self::scale(!self.flags(), SERVER_SCALE_SHIFT)
    }
}
