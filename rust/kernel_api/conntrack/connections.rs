// SPDX-License-Identifier: GPL-2.0

//! Tracked connections, and the words that SYNPROXY keeps with them.
//!
//! C headers: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h),
//! [`include/net/netfilter/nf_conntrack_synproxy.h`](srctree/include/net/netfilter/nf_conntrack_synproxy.h),
//! [`include/net/netfilter/nf_conntrack_seqadj.h`](srctree/include/net/netfilter/nf_conntrack_seqadj.h)

use crate::kernel_api::{
    bindings,
    demands,
    net::{
        netns::NetworkNamespace,
        skb::{
            HookSkb,
            Skb, //
        },
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

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the side that opened it.
    Original,
    /// From the other side.
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

/// The state of a TCP connection (`enum tcp_conntrack`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TcpState {
    /// A SYN was seen.
    SynSent,
    /// A SYN was seen in each direction.
    SynReceived,
    /// It is established.
    Established,
    /// It was closed or reset; its addresses and ports may be reused.
    Over,
    /// It is being closed, or is not open yet.
    Other,
}

/// What connection tracking knows of one side of an established TCP connection.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    /// The next sequence number.
    pub(crate) next: u32,
    /// The last sequence number that was acknowledged.
    pub(crate) acknowledged: u32,
    /// The sequence number until which the other side lets it send.
    pub(crate) limit: u32,
    /// The window that it announced, in bytes.
    pub(crate) window: u32,
    /// Its window scale, if windows are scaled.
    pub(crate) scale: Option<u8>,
    /// SACK is permitted.
    pub(crate) sack: bool,
    /// It has sent a FIN.
    pub(crate) has_closed: bool,
}

impl Side {
    fn state(&self) -> bindings::ip_ct_tcp_state {
        let flag = |is_set, flag: u32| if is_set { flag } else { 0 };
        let flags = bindings::IP_CT_TCP_FLAG_MAXACK_SET
            | flag(self.scale.is_some(), bindings::IP_CT_TCP_FLAG_WINDOW_SCALE)
            | flag(self.sack, bindings::IP_CT_TCP_FLAG_SACK_PERM)
            | flag(self.has_closed, bindings::IP_CT_TCP_FLAG_CLOSE_INIT);
        bindings::ip_ct_tcp_state {
            td_end: self.next,
            td_maxend: self.limit,
            td_maxwin: self.window.max(1),
            td_maxack: self.acknowledged,
            td_scale: self.scale.unwrap_or(0),
            flags: flags as u8,
        }
    }
}

/// The words that SYNPROXY keeps with a connection, for the user to give a meaning.
pub(crate) type ProxyWords = [Word; 3];

const _: () = assert!(size_of::<ProxyWords>() == size_of::<bindings::nf_conn_synproxy>());

/// The words that SYNPROXY keeps with a connection, if it is one of Palisade's own.
///
/// # Safety
///
/// The connection has to be valid for `'a`. While it is not confirmed, the result must not be used
/// across another hook, which may move its extensions (`nf_ct_ext_add`).
#[inline]
pub(in crate::kernel_api) unsafe fn proxy_words<'a>(
    connection: *const bindings::nf_conn,
) -> Option<&'a ProxyWords> {
    // SAFETY: By the function's safety requirements, the connection is valid.
    // `Connection::become_own` alone sets the mark, on connections with the extension, which is as
    // long as the words, as checked above, and aligned for them.
    unsafe {
        if !bindings::palisade_ct_is_own(connection) {
            return None;
        }
        let words = bindings::palisade_ct_synproxy(connection);
        words.cast::<ProxyWords>().as_ref()
    }
}

/// The endpoints of a connection: addresses as words, and ports as in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// The IP version.
    pub(crate) family: Family,
    /// The source and the destination.
    pub(crate) addresses: ([u32; 4], [u32; 4]),
    /// The source and the destination.
    pub(crate) ports: ([u8; 2], [u8; 2]),
}

impl Endpoints {
    /// The endpoints of one direction of a connection.
    ///
    /// # Safety
    ///
    /// The connection has to be valid.
    pub(in crate::kernel_api) unsafe fn of(
        connection: *const bindings::nf_conn,
        direction: Direction,
    ) -> Self {
        // SAFETY: By the function's safety requirements, the connection is valid. The tuple is
        // copied, and all fields of its unions are plain numbers.
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

    /// The endpoints of the other direction.
    pub(crate) fn reversed(&self) -> Self {
        let ((source, destination), (source_port, destination_port)) = (self.addresses, self.ports);
        Self {
            family: self.family,
            addresses: (destination, source),
            ports: (destination_port, source_port),
        }
    }
}

/// The connection of a packet in a hook.
///
/// # Invariants
///
/// `raw` points to a connection that is valid for `'a` and is not a template. Meanwhile it keeps
/// its extensions: it is confirmed, or what may move them needs the packet exclusively, as a
/// [`HookSkb`].
#[derive(Clone, Copy)]
pub(crate) struct Connection<'a> {
    raw: NonNull<bindings::nf_conn>,
    /// The direction of the packet.
    pub(crate) direction: Direction,
    /// Whether the packet is an ICMP error about the connection, rather than part of it.
    pub(crate) is_related: bool,
    lifetime: PhantomData<&'a ()>,
}

impl<'a> Connection<'a> {
    /// The state of the connection, which has to be a TCP one.
    pub(crate) fn tcp_state(&self) -> TcpState {
        // SAFETY: By the type invariant, the connection is valid.
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

    /// The words that SYNPROXY keeps with the connection, if it is one of Palisade's own. Others
    /// may have the extension, too: those of the kernel's SYNPROXY, and those that userspace
    /// created.
    #[inline]
    pub(crate) fn proxy(&self) -> Option<&'a ProxyWords> {
        // SAFETY: By the type invariant, the connection is valid for `'a`, and keeps its extensions.
        unsafe { proxy_words(self.raw.as_ptr()) }
    }

    /// Makes the connection one of Palisade's own and returns its words. None unless it has the
    /// extension and is either not confirmed, so that nobody else knows it, or one of Palisade's
    /// own already.
    pub(in crate::kernel_api) fn become_own(&self) -> Option<&'a ProxyWords> {
        let raw = self.raw.as_ptr();
        if self.confirmed().is_none() {
            // SAFETY: By the type invariant, the connection is valid. While it is not confirmed,
            // only its packet changes it. Only TCP connections get the extension from a template of
            // ours (`ProxyTemplate::open`).
            unsafe {
                if !bindings::palisade_ct_synproxy(raw).is_null() {
                    bindings::palisade_ct_set_own(raw);
                }
            }
        }
        self.proxy()
    }

    /// Adds `offset` to the sequence numbers of one direction from now on, and subtracts it from
    /// acknowledgments of them. An offset of zero does nothing.
    pub(crate) fn shift_sequence(&self, direction: Direction, offset: u32) {
        let info = match direction {
            Direction::Original => bindings::ip_conntrack_info_IP_CT_ESTABLISHED,
            Direction::Reply => bindings::ip_conntrack_info_IP_CT_ESTABLISHED_REPLY,
        };
        // SAFETY: By the type invariant, the connection is valid. Its lock is not held.
        unsafe {
            demands::adjustable(self.raw);
            bindings::nf_ct_seqadj_init(self.raw.as_ptr(), info, offset as i32);
        }
    }

    /// The offset that applies to a sequence number of one direction.
    pub(crate) fn sequence_shift(&self, direction: Direction, sequence: u32) -> u32 {
        // SAFETY: By the type invariant, the connection is valid.
        let shift =
            unsafe { bindings::nf_ct_seq_offset(self.raw.as_ptr(), direction.number(), sequence) };
        shift as u32
    }

    /// Sets the window scales of both sides in connection tracking.
    pub(crate) fn set_window_scales(&self, original: u8, reply: u8) {
        let raw = self.raw.as_ptr();
        // SAFETY: By the type invariant, the connection is valid. Its lock, which nobody here
        // holds, serialises this with `nf_conntrack_tcp_packet`, which reads and writes the scales.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_spin_lock_bh(&raw mut (*raw).lock);
            bindings::palisade_ct_set_window_scales(raw, original, reply);
            bindings::palisade_spin_unlock_bh(&raw mut (*raw).lock);
        }
    }

    /// Has connection tracking forget the SYN that it has seen last: it would take the answer to a
    /// repeated one for a new start of the connection.
    pub(crate) fn forget_syn(&self) {
        let raw = self.raw.as_ptr();
        // SAFETY: As in `set_window_scales`.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_spin_lock_bh(&raw mut (*raw).lock);
            bindings::palisade_ct_forget_syn(raw);
            bindings::palisade_spin_unlock_bh(&raw mut (*raw).lock);
        }
    }

    /// The handshake of a connection of Palisade's own is over, without a SYN-ACK that connection
    /// tracking has seen: it is established, or being closed by the client already, and is none of
    /// Palisade's own any more.
    pub(crate) fn become_established(&self, original: &Side, reply: &Side) {
        let raw = self.raw.as_ptr();
        let state = match original.has_closed {
            true => bindings::tcp_conntrack_TCP_CONNTRACK_FIN_WAIT,
            false => bindings::tcp_conntrack_TCP_CONNTRACK_ESTABLISHED,
        };
        // SAFETY: By the type invariant, the connection is valid, and one of TCP, as all of
        // Palisade's own are. Its lock, which nobody here holds, serialises this with
        // `nf_conntrack_tcp_packet`. The timeout is in jiffies, as TCP's (`nf_conntrack_tcp_packet`).
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_spin_lock_bh(&raw mut (*raw).lock);
            bindings::palisade_ct_set_side(raw, Direction::Original.number(), &original.state());
            bindings::palisade_ct_set_side(raw, Direction::Reply.number(), &reply.state());
            bindings::palisade_ct_set_established(raw, state);
            bindings::palisade_spin_unlock_bh(&raw mut (*raw).lock);
            let timeout = bindings::palisade_ct_tcp_timeout(raw, state);
            let info = bindings::ip_conntrack_info_IP_CT_NEW;
            bindings::__nf_ct_refresh_acct(raw, info, timeout, 0);
            bindings::palisade_ct_clear_own(raw);
        }
    }

    /// The largest window that the opener has announced so far, in bytes.
    pub(crate) fn largest_window(&self) -> u32 {
        // SAFETY: By the type invariant, the connection is valid.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_ct_largest_window(self.raw.as_ptr())
        }
    }

    /// The next sequence number of one direction, as its sender has it.
    pub(crate) fn next_sequence(&self, direction: Direction) -> u32 {
        // SAFETY: By the type invariant, the connection is valid. The direction is 0 or 1.
        unsafe {
            demands::of_tcp(self.raw);
            bindings::palisade_ct_sequence_end(self.raw.as_ptr(), direction.number())
        }
    }

    /// The endpoints of one direction, as connection tracking sees its packets before they are
    /// translated. Only connections with ports have any.
    pub(crate) fn endpoints(&self, direction: Direction) -> Endpoints {
        // SAFETY: By the type invariant, the connection is valid.
        unsafe { Endpoints::of(self.raw.as_ptr(), direction) }
    }

    /// Returns the connection if it is confirmed. It is not while its first packet traverses the
    /// hooks, nor for an ICMP error about that packet.
    pub(crate) fn confirmed(&self) -> Option<ConfirmedConnection<'a>> {
        // SAFETY: By the type invariant, the connection is valid.
        let is_confirmed = unsafe { bindings::palisade_ct_is_confirmed(self.raw.as_ptr()) };
        // INVARIANT: The connection is confirmed, and stays so.
        is_confirmed.then_some(ConfirmedConnection(*self))
    }
}

/// A confirmed connection, which is or was in the conntrack table.
///
/// # Invariants
///
/// The connection is confirmed (`IPS_CONFIRMED`).
#[derive(Clone, Copy)]
pub(crate) struct ConfirmedConnection<'a>(Connection<'a>);

impl ConfirmedConnection<'_> {
    /// Removes the connection from connection tracking.
    pub(crate) fn end(&self) {
        // SAFETY: By the type invariant of `Connection`, the connection is valid, and by that of
        // this type, it was put in the table (`__nf_conntrack_confirm`), as `nf_ct_delete`
        // requires, which removes it from the lists unconditionally (`__nf_ct_delete_from_lists`).
        // Only whoever sets IPS_DYING first does that.
        unsafe { bindings::nf_ct_delete(self.0.raw.as_ptr(), 0, 0) };
    }
}

impl<'a> Deref for ConfirmedConnection<'a> {
    type Target = Connection<'a>;

    fn deref(&self) -> &Connection<'a> {
        &self.0
    }
}

impl HookSkb {
    /// The connection of the packet, as [`Skb::tracked`] returns it, and what can be done to the
    /// packet while the connection is borrowed.
    #[inline]
    pub(crate) fn split(&mut self) -> Option<(Connection<'_>, &mut Skb)> {
        let Connection {
            raw,
            direction,
            is_related,
            ..
        } = self.tracked()?;
        // INVARIANT: The packet holds a reference to the connection, and is borrowed exclusively
        // for the lifetime. By the type invariant of `Skb`, what is left of it keeps both the
        // reference and the connection's extensions.
        let connection = Connection {
            raw,
            direction,
            is_related,
            lifetime: PhantomData,
        };
        Some((connection, self))
    }

    /// Gives back what the packet's connection has to be translated by, if it is new and none of
    /// Palisade's own any more, see [`Connection::become_established`]. Where it has other
    /// extensions as well, those of SYNPROXY fit into the memory that these take at least
    /// (`NF_CT_EXT_PREALLOC`), and stay.
    pub(crate) fn free_proxy(&mut self) {
        let Some(connection) = self.tracked() else {
            return;
        };
        if connection.confirmed().is_some() || connection.proxy().is_some() {
            return;
        }
        // SAFETY: The packet holds a reference to the connection. As that is not confirmed, nobody
        // finds it, and without another reference, which is checked, nobody else knows it. As the
        // packet is borrowed exclusively, nobody here has a reference to its extensions.
        unsafe { bindings::palisade_ct_free_proxy(connection.raw.as_ptr()) };
    }
}

impl Skb {
    /// The connection of the packet, or that of an ICMP error. None if the packet has none, or a
    /// template.
    #[inline]
    pub(crate) fn tracked(&self) -> Option<Connection<'_>> {
        let mut info = 0;
        // SAFETY: By the type invariant, the packet is valid. `info` is valid for writes.
        let raw = unsafe { bindings::palisade_ct_get(self.as_raw(), &mut info) };
        let raw = NonNull::new(raw)?;
        // SAFETY: The packet holds a reference to the connection or template.
        if unsafe { bindings::palisade_ct_is_template(raw.as_ptr()) } {
            return None;
        }
        // INVARIANT: The packet holds a reference to the connection, and is borrowed for the
        // lifetime.
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
/// This holds a reference to the connection, which is confirmed.
pub(crate) struct FoundConnection {
    raw: NonNull<bindings::nf_conn>,
    direction: Direction,
}

impl FoundConnection {
    /// Looks up a TCP connection in a namespace.
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
        // IPPROTO_TCP.
        tuple.dst.protonum = 6;
        // SAFETY: By the type invariant, the namespace is valid. The zone and the tuple are valid
        // for reads. The lookup returns null or a hash entry of a connection that it took a
        // reference to.
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
            // INVARIANT: The lookup took the reference that this holds. It returns confirmed
            // connections only (`nf_ct_key_equal`), even if the memory is reused meanwhile.
            Some(Self {
                raw: NonNull::new(raw)?,
                direction,
            })
        }
    }

    /// Returns the connection.
    pub(crate) fn connection(&self) -> ConfirmedConnection<'_> {
        // INVARIANT: By this type's invariant, the connection is confirmed and valid while `self`
        // is borrowed. Templates are not in the table.
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
        // SAFETY: By the type invariant, this holds a reference, which is released here.
        unsafe { bindings::palisade_ct_put(self.raw.as_ptr()) };
    }
}
