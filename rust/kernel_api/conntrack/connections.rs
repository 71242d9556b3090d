// SPDX-License-Identifier: GPL-2.0

//! Single connections that connection tracking knows, and what SYNPROXY keeps with them.
//!
//! C headers: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h),
//! [`include/net/netfilter/nf_conntrack_synproxy.h`](srctree/include/net/netfilter/nf_conntrack_synproxy.h),
//! [`include/net/netfilter/nf_conntrack_seqadj.h`](srctree/include/net/netfilter/nf_conntrack_seqadj.h)

use crate::kernel_api::{
    bindings,
    demands,
    net::{
        netns::NetworkNamespace,
        skb::Skb, //
    },
    netfilter::Family,
    sync::words::Word, //
};
use core::{
    marker::PhantomData,
    mem::size_of,
    ops::Deref,
    ptr::NonNull, //
};

/// Who sends a packet of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Who has opened it.
    Original,
    /// The other one.
    Reply,
}

impl Direction {
    pub(in crate::kernel_api) const fn number(self) -> u32 {
        match self {
            Self::Original => bindings::ip_conntrack_dir_IP_CT_DIR_ORIGINAL,
            Self::Reply => bindings::ip_conntrack_dir_IP_CT_DIR_REPLY,
        }
    }
}

/// How far a TCP connection has got (`enum tcp_conntrack`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TcpState {
    /// It has seen a SYN.
    SynSent,
    /// It has seen a SYN and the SYN of the other side.
    SynReceived,
    /// It is open.
    Established,
    /// It was closed, or reset: its addresses and ports may be used for another.
    Over,
    /// It is being closed, or does not exist yet.
    Other,
}

/// What SYNPROXY keeps with a connection: three words, whose meaning is the user's.
pub(crate) type ProxyWords = [Word; 3];

const _: () = assert!(size_of::<ProxyWords>() == size_of::<bindings::nf_conn_synproxy>());

/// What SYNPROXY keeps with a connection, if that is one of Palisade's own.
///
/// # Safety
///
/// The connection has to be valid, and what is returned may not be used when it is gone, nor across a hook while it is
/// not confirmed: what it carries may be moved until then (`nf_ct_ext_add`).
#[inline]
pub(in crate::kernel_api) unsafe fn proxy_words<'a>(
    connection: *const bindings::nf_conn,
) -> Option<&'a ProxyWords> {
    // SAFETY: The caller says that the connection is valid. The mark is set by `Connection::become_own` alone, for those
    // that carry the words; they are aligned for that.
    unsafe {
        if !bindings::palisade_ct_is_own(connection) {
            return None;
        }
        let words = bindings::palisade_ct_synproxy(connection);
        words.cast::<ProxyWords>().as_ref()
    }
}

/// Whom packets are from and for: addresses as words, and ports as they are in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// The IP version.
    pub(crate) family: Family,
    /// Source and destination.
    pub(crate) addresses: ([u32; 4], [u32; 4]),
    /// Source and destination.
    pub(crate) ports: ([u8; 2], [u8; 2]),
}

impl Endpoints {
    /// # Safety
    ///
    /// The connection has to be valid, and one of TCP.
    pub(in crate::kernel_api) unsafe fn of(
        connection: *const bindings::nf_conn,
        direction: Direction,
    ) -> Self {
        // SAFETY: The caller says that the connection is valid; its addresses do not change once packets
        // have passed. All unions are plain numbers.
        unsafe {
            let tuple = &*bindings::palisade_ct_tuple(connection, direction.number());
            Self {
                family: match u32::from(tuple.src.l3num) {
                    bindings::NFPROTO_IPV4 => Family::Ipv4,
                    _ => Family::Ipv6,
                },
                addresses: (tuple.src.u3.all, tuple.dst.u3.all),
                ports: (tuple.src.u.all.to_ne_bytes(), tuple.dst.u.all.to_ne_bytes()),
            }
        }
    }

    /// Both ports, as the word that they are in the header.
    pub(crate) fn port_word(&self) -> u32 {
        let ([a, b], [c, d]) = self.ports;
        u32::from_ne_bytes([a, b, c, d])
    }

    /// The other way round.
    pub(crate) fn reversed(&self) -> Self {
        let ((source, destination), (source_port, destination_port)) = (self.addresses, self.ports);
        Self {
            family: self.family,
            addresses: (destination, source),
            ports: (destination_port, source_port),
        }
    }
}

/// The connection of a packet, while the packet is in a hook.
#[derive(Clone, Copy)]
pub(crate) struct Connection<'a> {
    raw: NonNull<bindings::nf_conn>,
    /// Whose packets it is about.
    pub(crate) direction: Direction,
    /// Whether the packet is not of the connection, but an error about a packet of it.
    pub(crate) is_related: bool,
    lifetime: PhantomData<&'a ()>,
}

impl<'a> Connection<'a> {
    /// How far it has got; it has to be one of TCP.
    pub(crate) fn tcp_state(&self) -> TcpState {
        // SAFETY: By the type, the connection is valid.
        let state = u32::from(unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_ct_tcp_state(self.raw.as_ptr())
        });
        match state {
            bindings::tcp_conntrack_TCP_CONNTRACK_SYN_SENT => TcpState::SynSent,
            bindings::tcp_conntrack_TCP_CONNTRACK_SYN_RECV => TcpState::SynReceived,
            bindings::tcp_conntrack_TCP_CONNTRACK_ESTABLISHED => TcpState::Established,
            bindings::tcp_conntrack_TCP_CONNTRACK_TIME_WAIT
            | bindings::tcp_conntrack_TCP_CONNTRACK_CLOSE => TcpState::Over,
            _ => TcpState::Other,
        }
    }

    /// What SYNPROXY keeps with it, if it is one of Palisade's own. Others may have room for that, too: those of the
    /// kernel's SYNPROXY, and those that userspace has made.
    #[inline]
    pub(crate) fn proxy(&self) -> Option<&'a ProxyWords> {
        // SAFETY: By the type, the connection is valid.
        unsafe { proxy_words(self.raw.as_ptr()) }
    }

    /// Makes it one of Palisade's own, and returns what is kept with it; if nobody else can know it yet and it was made
    /// for that, or if it is one already.
    pub(in crate::kernel_api) fn become_own(&self) -> Option<&'a ProxyWords> {
        let raw = self.raw.as_ptr();
        if self.confirmed().is_none() {
            // SAFETY: By the type, the connection is valid. What is not confirmed changes with its packet alone; the
            // extension is there, or it is null. It is of TCP, as its maker says (`ProxyTemplate::open`).
            unsafe {
                if !bindings::palisade_ct_synproxy(raw).is_null() {
                    bindings::palisade_ct_set_own(raw);
                }
            }
        }
        self.proxy()
    }

    /// Has the sequence numbers of one direction shifted by `offset` from now on, and acknowledgements of
    /// them back; if it is zero, they stay as they are.
    pub(crate) fn shift_sequence(&self, direction: Direction, offset: u32) {
        let info = match direction {
            Direction::Original => bindings::ip_conntrack_info_IP_CT_ESTABLISHED,
            Direction::Reply => bindings::ip_conntrack_info_IP_CT_ESTABLISHED_REPLY,
        };
        // SAFETY: By the type, the connection is valid.
        unsafe {
            demands::adjustable(self.raw);
            bindings::nf_ct_seqadj_init(self.raw.as_ptr(), info, offset as i32);
        }
    }

    /// By how much the sequence numbers of one direction are shifted.
    pub(crate) fn sequence_shift(&self, direction: Direction, sequence: u32) -> u32 {
        // SAFETY: By the type, the connection is valid.
        let shift =
            unsafe { bindings::nf_ct_seq_offset(self.raw.as_ptr(), direction.number(), sequence) };
        shift as u32
    }

    /// Tells connection tracking by how many bits the windows of both sides are to be shifted.
    pub(crate) fn set_window_scales(&self, original: u8, reply: u8) {
        let raw = self.raw.as_ptr();
        // SAFETY: By the type, the connection is valid. Its lock is what `nf_conntrack_tcp_packet` holds when it reads and
        // writes these, on other CPUs, too; nobody here holds it.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_spin_lock_bh(&raw mut (*raw).lock);
            bindings::palisade_ct_set_window_scales(raw, original, reply);
            bindings::palisade_spin_unlock_bh(&raw mut (*raw).lock);
        }
    }

    /// The largest window that who has opened it has announced so far, in bytes.
    pub(crate) fn largest_window(&self) -> u32 {
        // SAFETY: By the type, the connection is valid.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_ct_largest_window(self.raw.as_ptr())
        }
    }

    /// The sequence number that comes next in one direction, as who sends it has it.
    pub(crate) fn next_sequence(&self, direction: Direction) -> u32 {
        // SAFETY: By the type, the connection is valid.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_ct_sequence_end(self.raw.as_ptr(), direction.number())
        }
    }

    /// The addresses and ports of the packets of one direction, as connection tracking sees them: before
    /// they are translated.
    pub(crate) fn endpoints(&self, direction: Direction) -> Endpoints {
        // SAFETY: By the type, the connection is valid.
        unsafe { Endpoints::of(self.raw.as_ptr(), direction) }
    }

    /// The same, if connection tracking has it in its table. While the first packet of a connection passes the
    /// hooks it has not, and an error about that packet has the same connection.
    pub(crate) fn confirmed(&self) -> Option<ConfirmedConnection<'a>> {
        // SAFETY: By the type, the connection is valid.
        let is_confirmed = unsafe { bindings::palisade_ct_is_confirmed(self.raw.as_ptr()) };
        // INVARIANT: It was just asked for, and a connection that was confirmed stays so.
        is_confirmed.then_some(ConfirmedConnection(*self))
    }
}

/// A connection that connection tracking has, or had, in its table.
///
/// # Invariants
///
/// It is confirmed (`IPS_CONFIRMED`).
#[derive(Clone, Copy)]
pub(crate) struct ConfirmedConnection<'a>(Connection<'a>);

impl ConfirmedConnection<'_> {
    /// Ends it: connection tracking does not know it any more.
    pub(crate) fn end(&self) {
        // SAFETY: By the type, the connection is valid, since somebody who outlives this holds a reference.
        // `nf_ct_delete` takes it out of the lists of the table without asking whether it is there
        // (`__nf_ct_delete_from_lists`). By the type invariant it was put there (`__nf_conntrack_confirm`), and
        // whoever sets IPS_DYING first is the only one who takes it out.
        unsafe { bindings::nf_ct_delete(self.0.raw.as_ptr(), 0, 0) };
    }
}

impl<'a> Deref for ConfirmedConnection<'a> {
    type Target = Connection<'a>;

    fn deref(&self) -> &Connection<'a> {
        &self.0
    }
}

impl Skb {
    /// The connection of the packet, or that it tells an error about.
    #[inline]
    pub(crate) fn tracked(&self) -> Option<Connection<'_>> {
        let mut info = 0;
        // SAFETY: By the type, the packet is valid; the pointer is valid for writes.
        let raw = unsafe { bindings::palisade_ct_get(self.as_raw(), &mut info) };
        let raw = NonNull::new(raw)?;
        // SAFETY: The packet holds a reference to it.
        if unsafe { bindings::palisade_ct_is_template(raw.as_ptr()) } {
            return None;
        }
        Some(Connection {
            raw,
            direction: match info {
                bindings::ip_conntrack_info_IP_CT_ESTABLISHED_REPLY
                | bindings::ip_conntrack_info_IP_CT_RELATED_REPLY => Direction::Reply,
                _ => Direction::Original,
            },
            is_related: matches!(
                info,
                bindings::ip_conntrack_info_IP_CT_RELATED
                    | bindings::ip_conntrack_info_IP_CT_RELATED_REPLY
            ),
            lifetime: PhantomData,
        })
    }
}

/// A connection that was looked up.
///
/// # Invariants
///
/// It holds a reference to the connection, which is confirmed.
pub(crate) struct FoundConnection {
    raw: NonNull<bindings::nf_conn>,
    direction: Direction,
}

impl FoundConnection {
    /// Looks up the connection of a TCP segment with these addresses, as words, and ports, as they are in
    /// the header, in a namespace.
    pub(crate) fn look_up(namespace: &NetworkNamespace, endpoints: &Endpoints) -> Option<Self> {
        let ((source, destination), (source_port, destination_port)) =
            (endpoints.addresses, endpoints.ports);
        let mut tuple = bindings::nf_conntrack_tuple::default();
        tuple.src.u3.all = source;
        tuple.src.u.all = u16::from_ne_bytes(source_port);
        tuple.src.l3num = match endpoints.family {
            Family::Ipv4 => bindings::NFPROTO_IPV4,
            Family::Ipv6 => bindings::NFPROTO_IPV6,
        } as u16;
        tuple.dst.u3.all = destination;
        tuple.dst.u.all = u16::from_ne_bytes(destination_port);
        tuple.dst.protonum = 6; // IPPROTO_TCP
                                // SAFETY: By the type, the namespace is valid; the others are valid for reads.
        unsafe {
            let hash = bindings::nf_conntrack_find_get(
                namespace.as_raw(),
                &raw const bindings::nf_ct_zone_dflt,
                &tuple,
            );
            let hash = NonNull::new(hash)?;
            let raw = bindings::palisade_ct_of_hash(hash.as_ptr());
            let direction = match bindings::palisade_ct_direction_of_hash(hash.as_ptr()) {
                bindings::ip_conntrack_dir_IP_CT_DIR_ORIGINAL => Direction::Original,
                _ => Direction::Reply,
            };
            // INVARIANT: The function has got the reference. It finds those alone that are confirmed
            // (`nf_ct_key_equal`), also where the memory is used for another one meanwhile.
            Some(Self {
                raw: NonNull::new(raw)?,
                direction,
            })
        }
    }

    /// The connection.
    pub(crate) fn connection(&self) -> ConfirmedConnection<'_> {
        // INVARIANT: By this type's invariant.
        ConfirmedConnection(Connection {
            raw: self.raw,
            direction: self.direction,
            is_related: false,
            lifetime: PhantomData,
        })
    }
}

impl Drop for FoundConnection {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::palisade_ct_put(self.raw.as_ptr()) };
    }
}
