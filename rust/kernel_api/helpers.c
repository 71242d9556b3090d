// SPDX-License-Identifier: GPL-2.0
/* One line each; anything that needs a decision belongs in Rust. */
#include <linux/cpumask.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/netfilter_bridge.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/textsearch.h>
#include <linux/timekeeping.h>
#include <linux/version.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/dst_metadata.h>
#include <net/fib_rules.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/mptcp.h>
#include <net/ndisc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_synproxy.h>
#include <net/netfilter/nf_conntrack_timeout.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/netfilter/nf_log.h>
#include <net/netfilter/nf_nat.h>
#include <net/netfilter/nf_nat_masquerade.h>
#include <net/netfilter/nf_synproxy.h>
#include <net/netns/generic.h>
#include <net/request_sock.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <net/xfrm.h>

#include "helpers.h"

/* The kernel crate's module! has no version. That of userspace-tool/Cargo.toml; a test of the tool compares them. */
MODULE_VERSION("0.1.0");

void palisade_smp_rmb(void)
{
	smp_rmb();
}

void palisade_smp_wmb(void)
{
	smp_wmb();
}

u32 palisade_mark(const struct sk_buff *skb)
{
	return skb->mark;
}

void palisade_set_mark(struct sk_buff *skb, u32 mark)
{
	skb->mark = mark;
}

bool palisade_is_traced(const struct sk_buff *skb)
{
#if PALISADE_HAS_NF_TRACE
	return skb->nf_trace;
#else
	return false;
#endif
}

void palisade_set_traced(struct sk_buff *skb)
{
#if PALISADE_HAS_NF_TRACE
	skb->nf_trace = 1;
#endif
}

int palisade_skb_unclone(struct sk_buff *skb)
{
	return skb_unclone(skb, GFP_ATOMIC);
}

int palisade_skb_trim(struct sk_buff *skb, unsigned int length)
{
	return pskb_trim(skb, length);
}

bool palisade_skb_may_pull(struct sk_buff *skb, unsigned int length)
{
	return pskb_may_pull(skb, length);
}

int palisade_skb_expand(struct sk_buff *skb, int tailroom)
{
	return pskb_expand_head(skb, 0, tailroom, GFP_ATOMIC);
}

int palisade_skb_tailroom(const struct sk_buff *skb)
{
	return skb_tailroom(skb);
}

void palisade_skb_forget_offloads(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_NONE;
	skb_gso_reset(skb);
}

void palisade_skb_ignore_mtu(struct sk_buff *skb)
{
	skb->ignore_df = 1;
}

void palisade_skb_forget_sum(struct sk_buff *skb)
{
	skb_forward_csum(skb);
}

void palisade_csum_replace4(__sum16 *sum, __be32 from, __be32 to)
{
	csum_replace4(sum, from, to);
}

bool palisade_skb_is_looped(struct sk_buff *skb)
{
	return nf_is_loopback_packet(skb);
}

bool palisade_skb_is_cloned(const struct sk_buff *skb)
{
	return skb_cloned(skb);
}

bool palisade_skb_is_shared(const struct sk_buff *skb)
{
	return skb_shared(skb);
}

struct sk_buff *palisade_skb_alloc(unsigned int size)
{
	return alloc_skb(MAX_TCP_HEADER + size, GFP_ATOMIC);
}

void palisade_skb_reserve_headers(struct sk_buff *skb)
{
	skb_reserve(skb, MAX_TCP_HEADER);
}

void palisade_skb_set_protocol(struct sk_buff *skb, __be16 protocol)
{
	skb->protocol = protocol;
}

void palisade_skb_reset_network_header(struct sk_buff *skb)
{
	skb_reset_network_header(skb);
}

void palisade_skb_reset_mac_header(struct sk_buff *skb)
{
	skb_reset_mac_header(skb);
}

void palisade_skb_set_transport_header(struct sk_buff *skb, int offset)
{
	skb_set_transport_header(skb, offset);
}

bool palisade_skb_is_for_this_host(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST;
}

bool palisade_skb_is_decapsulated(const struct sk_buff *skb)
{
	return skb_sec_path(skb) || skb_metadata_dst(skb);
}

bool palisade_skb_has_vlan_tag(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb);
}

unsigned int palisade_skb_mac_length(const struct sk_buff *skb)
{
	return skb_mac_header_was_set(skb) ? skb_mac_header_len(skb) : 0;
}

void palisade_skb_scrub(struct sk_buff *skb)
{
	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	__vlan_hwaccel_clear_tag(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	skb->priority = 0;
}

void palisade_skb_set_route(struct sk_buff *skb, struct dst_entry *route)
{
	skb_dst_set(skb, route);
}

int palisade_skb_device(const struct sk_buff *skb)
{
	return skb->skb_iif;
}

void palisade_skb_drop_route(struct sk_buff *skb)
{
	skb_dst_drop(skb);
}

struct dst_entry *palisade_skb_hold_route(const struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);

	return dst && dst_hold_safe(dst) ? dst : NULL;
}

bool palisade_skb_is_routed(const struct sk_buff *skb)
{
	return skb_valid_dst(skb);
}

bool palisade_skb_is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_info_exists(skb) && nf_bridge_info_get(skb)->pkt_otherhost;
#else
	return false;
#endif
}

void palisade_skb_set_looped(struct sk_buff *skb, struct net_device *device)
{
	skb->dev = device;
	skb->pkt_type = PACKET_LOOPBACK;
}

int palisade_skb_output(struct net *net, struct sk_buff *skb)
{
	return dst_output(net, NULL, skb);
}

bool palisade_is_l3_master(const struct net_device *device)
{
	return netif_is_l3_master(device);
}

/* As inet_request_mark() for a listening socket without a mark. */
u32 palisade_reply_mark(const struct net *net, const struct sk_buff *skb)
{
	return READ_ONCE(net->ipv4.sysctl_tcp_fwmark_accept) ? skb->mark : 0;
}

int palisade_route_input4(struct sk_buff *skb, struct net_device *device)
{
	return ip_route_input_noref(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr,
				    ip4h_dscp(ip_hdr(skb)), l3mdev_master_dev_rcu(device) ?: device);
}

bool palisade_route_is_local4(const struct sk_buff *skb)
{
	return skb_rtable(skb)->rt_type == RTN_LOCAL;
}

bool palisade_route_is_unicast4(const struct sk_buff *skb)
{
	return skb_rtable(skb)->rt_type == RTN_UNICAST;
}

bool palisade_route_is_error(const struct sk_buff *skb)
{
	return skb_dst(skb)->error;
}

u32 palisade_route_flags6(const struct sk_buff *skb)
{
	return dst_rt6_info(skb_dst(skb))->rt6i_flags;
}

const struct inet6_dev *palisade_ipv6_settings(const struct net_device *device)
{
	return __in6_dev_get(device);
}

const struct in_device *palisade_ipv4_settings(const struct net_device *device)
{
	return __in_dev_get_rcu(device);
}

bool palisade_forwards4(const struct in_device *settings)
{
	return IN_DEV_FORWARD(settings);
}

bool palisade_checks_sources(const struct in_device *settings)
{
	return IN_DEV_RPFILTER(settings);
}

bool palisade_has_rules4(const struct net *net)
{
	return fib4_has_custom_rules(net);
}

bool palisade_has_realms(struct net *net)
{
	return fib_num_tclassid_users(net);
}

bool palisade_routes_ask_for_sources(const struct net *net)
{
	return fib6_routes_require_src(net);
}

int palisade_fib_lookup(struct net *net, struct flowi4 *flow, struct fib_result *result)
{
	return fib_lookup(net, flow, result, 0);
}

bool palisade_policy_admits4(struct sk_buff *skb)
{
	return xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb);
}

bool palisade_policy_admits6(struct sk_buff *skb)
{
	return xfrm6_policy_check(NULL, XFRM_POLICY_IN, skb);
}

bool palisade_policy_admits_forward4(struct sk_buff *skb)
{
	return xfrm4_policy_check(NULL, XFRM_POLICY_FWD, skb);
}

bool palisade_policy_admits_forward6(struct sk_buff *skb)
{
	return xfrm6_policy_check(NULL, XFRM_POLICY_FWD, skb);
}

struct net_device *palisade_route_device(const struct dst_entry *route)
{
	return READ_ONCE(route->dev);
}

u32 palisade_route_mtu(const struct dst_entry *route)
{
	return dst_mtu(route);
}

u32 palisade_route_metric(const struct dst_entry *route, int metric)
{
	return dst_metric_raw(route, metric);
}

u32 palisade_route_flags_of4(const struct dst_entry *route)
{
	return dst_rtable(route)->rt_flags;
}

u32 palisade_route_flags_of6(const struct dst_entry *route)
{
	return dst_rt6_info(route)->rt6i_flags;
}

bool palisade_route_is_anycast6(const struct dst_entry *route, const struct in6_addr *address)
{
	return ipv6_anycast_destination(route, address);
}

bool palisade_route_is_transformed(const struct dst_entry *route)
{
	return dst_xfrm(route);
}

const struct neighbour *palisade_neighbour4(struct net_device *device, __be32 address)
{
	return __ipv4_neigh_lookup_noref(device, (__force u32)address);
}

const struct neighbour *palisade_neighbour6(struct net_device *device,
					    const struct in6_addr *address)
{
	return __ipv6_neigh_lookup_noref(device, address);
}

bool palisade_neighbour_is_valid(const struct neighbour *neighbour)
{
	return READ_ONCE(neighbour->nud_state) & NUD_VALID;
}

void palisade_neighbour_address(char *address, const struct neighbour *neighbour)
{
	neigh_ha_snapshot(address, neighbour, neighbour->dev);
}

const struct list_head *palisade_routing_rules4(const struct net *net)
{
	return &net->ipv4.rules_ops->rules_list;
}

const struct list_head *palisade_routing_rules6(const struct net *net)
{
	return &net->ipv6.fib6_rules_ops->rules_list;
}

int palisade_l3mdev_index(const struct net_device *device)
{
	return l3mdev_master_ifindex_rcu(device);
}

int palisade_enslaved_index4(const struct sk_buff *skb)
{
	return inet_sdif(skb);
}

int palisade_enslaved_index6(const struct sk_buff *skb)
{
	return inet6_sdif(skb);
}

struct dst_entry *palisade_xfrm_lookup(struct net *net, struct dst_entry *route,
				       const struct flowi *flow)
{
	return xfrm_lookup(net, route, flow, NULL, 0);
}

int palisade_queue_transmit(struct sk_buff *skb)
{
	return dev_queue_xmit(skb);
}

void palisade_skb_leave_untracked(struct sk_buff *skb)
{
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

unsigned int palisade_socket_state(const struct sock *socket)
{
	return READ_ONCE(socket->sk_state);
}

u32 palisade_time_wait_next(const struct sock *socket)
{
	return READ_ONCE(tcp_twsk(socket)->tw_snd_nxt);
}

u32 palisade_tcp_unacknowledged(const struct sock *socket)
{
	return READ_ONCE(tcp_sk(socket)->snd_una);
}

u32 palisade_tcp_next(const struct sock *socket)
{
	return READ_ONCE(tcp_sk(socket)->snd_nxt);
}

bool palisade_listener_has_room(const struct sock *listener)
{
	return !sk_acceptq_is_full(listener);
}

bool palisade_listener_is_mptcp(const struct sock *listener)
{
	return sk_is_mptcp(listener);
}

int palisade_listener_space(const struct sock *listener)
{
	return tcp_full_space(listener);
}

bool palisade_listener_space_is_fixed(const struct sock *listener)
{
	return listener->sk_userlocks & SOCK_RCVBUF_LOCK;
}

u32 palisade_listener_window_clamp(const struct sock *listener)
{
	return READ_ONCE(tcp_sk(listener)->window_clamp);
}

u16 palisade_listener_mss(const struct sock *listener)
{
	return READ_ONCE(tcp_sk(listener)->rx_opt.user_mss);
}

void palisade_tcp_settings(const struct net *net, struct palisade_tcp_settings *settings)
{
	settings->receive_space_max = READ_ONCE(net->ipv4.sysctl_tcp_rmem[2]);
	settings->receive_buffer_max = READ_ONCE(sysctl_rmem_max);
	settings->cookies = READ_ONCE(net->ipv4.sysctl_tcp_syncookies);
	settings->window_scaling = READ_ONCE(net->ipv4.sysctl_tcp_window_scaling);
	settings->sack = READ_ONCE(net->ipv4.sysctl_tcp_sack);
	settings->timestamps = READ_ONCE(net->ipv4.sysctl_tcp_timestamps);
	settings->ecn = READ_ONCE(net->ipv4.sysctl_tcp_ecn);
	settings->signed_windows = READ_ONCE(net->ipv4.sysctl_tcp_workaround_signed_windows);
}

const struct request_sock_ops *palisade_request_ops4(void)
{
	return tcp_prot.rsk_prot;
}

#if IS_ENABLED(CONFIG_IPV6)
const struct request_sock_ops *palisade_request_ops6(void)
{
	return tcpv6_prot.rsk_prot;
}
#endif

struct request_sock *palisade_request_alloc_mptcp(const struct request_sock_ops *ops,
						  struct sock *listener)
{
	return mptcp_subflow_reqsk_alloc(ops, listener, false);
}

/* As inet_reqsk_alloc(), which is not exported. */
struct request_sock *palisade_request_alloc(const struct request_sock_ops *ops,
					    const struct sock *listener)
{
	struct request_sock *request = kmem_cache_alloc(ops->slab, GFP_ATOMIC | __GFP_NOWARN);
	struct inet_request_sock *inet = inet_rsk(request);

	if (!request)
		return NULL;
	request->rsk_ops = ops;
	req_to_sk(request)->sk_prot = listener->sk_prot;
	sk_node_init(&req_to_sk(request)->sk_node);
	sk_tx_queue_clear(req_to_sk(request));
	request->saved_syn = NULL;
	request->num_timeout = 0;
	request->num_retrans = 0;
	request->sk = NULL;
	refcount_set(&request->rsk_refcnt, 0);
	inet->ireq_opt = NULL;
#if IS_ENABLED(CONFIG_IPV6)
	inet->pktopts = NULL;
#endif
	atomic64_set(&inet->ir_cookie, 0);
	inet->ireq_state = TCP_NEW_SYN_RECV;
	write_pnet(&inet->ireq_net, sock_net(listener));
	inet->ireq_family = listener->sk_family;
	return request;
}

/* As bpf_sk_assign_tcp_reqsk(). */
void palisade_request_agree(struct request_sock *request, struct sock *listener,
			    const struct palisade_agreement *agreement)
{
	struct inet_request_sock *inet = inet_rsk(request);
	struct tcp_request_sock *tcp = tcp_rsk(request);

	request->rsk_listener = listener;
	request->syncookie = 1;
	request->mss = agreement->mss;
	request->ts_recent = agreement->recent_stamp;
	inet->snd_wscale = agreement->client_scale;
	inet->rcv_wscale = agreement->scale;
	inet->wscale_ok = agreement->is_scaled;
	inet->tstamp_ok = agreement->timestamps;
	inet->sack_ok = agreement->sack;
	inet->ecn_ok = agreement->ecn;
	tcp->req_usec_ts = false;
	tcp->ts_off = agreement->stamp_offset;
}

bool palisade_skb_has_socket(const struct sk_buff *skb)
{
	return skb->sk;
}

void palisade_skb_set_request(struct sk_buff *skb, struct request_sock *request)
{
	skb_orphan(skb);
	skb->sk = req_to_sk(request);
	skb->destructor = sock_pfree;
}

u32 palisade_tcp_clock(void)
{
	return tcp_ns_to_ts(false, tcp_clock_ns());
}

const unsigned int *palisade_kernel_synproxy_get(void)
{
	return __symbol_get("synproxy_net_id");
}

void palisade_kernel_synproxy_put(void)
{
	__symbol_put("synproxy_net_id");
}

unsigned int palisade_kernel_synproxy_uses(const struct net *net, unsigned int id)
{
	const struct synproxy_net *synproxy = net_generic(net, id);

	return synproxy->hook_ref4 + synproxy->hook_ref6;
}

u8 palisade_time_to_live(const struct net *net)
{
	return READ_ONCE(net->ipv4.sysctl_ip_default_ttl);
}

u8 palisade_hop_limit(const struct net *net)
{
	return READ_ONCE(net->ipv6.devconf_all->hop_limit);
}

struct nf_conn *palisade_ct_get(const struct sk_buff *skb, enum ip_conntrack_info *info)
{
	return nf_ct_get(skb, info);
}

void palisade_ct_set(struct sk_buff *skb, struct nf_conn *connection,
		     enum ip_conntrack_info info)
{
	nf_ct_set(skb, connection, info);
}

unsigned long palisade_ct_status(const struct nf_conn *connection)
{
	return READ_ONCE(connection->status);
}

bool palisade_ct_is_template(const struct nf_conn *connection)
{
	return nf_ct_is_template(connection);
}

bool palisade_ct_is_confirmed(const struct nf_conn *connection)
{
	return nf_ct_is_confirmed(connection);
}

bool palisade_ct_is_tcp(const struct nf_conn *connection)
{
	return nf_ct_protonum(connection) == IPPROTO_TCP;
}

bool palisade_ct_has_sequence_adjustment(const struct nf_conn *connection)
{
	return nfct_seqadj(connection);
}

u8 palisade_ct_tcp_state(const struct nf_conn *connection)
{
	return READ_ONCE(connection->proto.tcp.state);
}

u32 palisade_ct_largest_window(const struct nf_conn *connection)
{
	return READ_ONCE(connection->proto.tcp.seen[IP_CT_DIR_ORIGINAL].td_maxwin);
}

u32 palisade_ct_sequence_end(const struct nf_conn *connection, unsigned int direction)
{
	return READ_ONCE(connection->proto.tcp.seen[direction].td_end);
}

void palisade_ct_set_window_scales(struct nf_conn *connection, u8 original, u8 reply)
{
	connection->proto.tcp.seen[IP_CT_DIR_ORIGINAL].td_scale = original;
	connection->proto.tcp.seen[IP_CT_DIR_REPLY].td_scale = reply;
}

void palisade_ct_forget_syn(struct nf_conn *connection)
{
	connection->proto.tcp.last_dir = IP_CT_DIR_REPLY;
}

struct nf_conn_synproxy *palisade_ct_synproxy(const struct nf_conn *connection)
{
	return nfct_synproxy(connection);
}

/*
 * The status bit of our own connections. The kernel's bits are below __IPS_MAX_BIT. ctnetlink changes
 * no others (__nf_ct_change_status), and shows the low 32 only.
 */
#define PALISADE_OWN_BIT (BITS_PER_LONG - 1)
static_assert(PALISADE_OWN_BIT > __IPS_MAX_BIT);

bool palisade_ct_is_own(const struct nf_conn *connection)
{
	return test_bit(PALISADE_OWN_BIT, &connection->status);
}

void palisade_ct_set_own(struct nf_conn *connection)
{
	set_bit(PALISADE_OWN_BIT, &connection->status);
}

void palisade_ct_clear_own(struct nf_conn *connection)
{
	clear_bit(PALISADE_OWN_BIT, &connection->status);
}

/*
 * The kernel takes back all extensions of a connection or none, as nf_conntrack_free() does. A clone
 * of the packet, as a bridge makes, has a reference of its own, and may look at them.
 */
void palisade_ct_free_proxy(struct nf_conn *connection)
{
	struct nf_ct_ext *extensions = connection->ext;
	unsigned int id;

	if (refcount_read(&connection->ct_general.use) != 1)
		return;
	for (id = 0; extensions && id < NF_CT_EXT_NUM; id++) {
		if (id != NF_CT_EXT_SEQADJ && id != NF_CT_EXT_SYNPROXY && extensions->offset[id])
			return;
	}
	connection->ext = NULL;
	kfree(extensions);
}

void palisade_ct_set_side(struct nf_conn *connection, unsigned int direction,
			  const struct ip_ct_tcp_state *side)
{
	connection->proto.tcp.seen[direction] = *side;
}

void palisade_ct_set_established(struct nf_conn *connection, enum tcp_conntrack state)
{
	connection->proto.tcp.state = state;
	set_bit(IPS_SEEN_REPLY_BIT, &connection->status);
	set_bit(IPS_ASSURED_BIT, &connection->status);
}

u32 palisade_ct_tcp_timeout(struct nf_conn *connection, enum tcp_conntrack state)
{
	const unsigned int *timeouts = nf_ct_timeout_lookup(connection) ?:
				       nf_tcp_pernet(nf_ct_net(connection))->timeouts;

	return timeouts[state];
}

const struct nf_hook_entries *palisade_pre_routing_ipv4(struct net *net)
{
	return rcu_dereference(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]);
}

const struct nf_hook_entries *palisade_pre_routing_ipv6(struct net *net)
{
	return rcu_dereference(net->nf.hooks_ipv6[NF_INET_PRE_ROUTING]);
}

unsigned int palisade_hook_count(const struct nf_hook_entries *hooks)
{
	return hooks->num_hook_entries;
}

/* Before Linux 7.3 hooks of NAT have no type, as those of xtables, none of which has this priority. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
bool palisade_hook_is_nat(const struct nf_hook_entries *hooks, unsigned int index)
{
	return READ_ONCE(nf_hook_entries_get_hook_ops(hooks)[index])->hook_ops_type == NF_HOOK_OP_NAT;
}
#else
bool palisade_hook_is_nat(const struct nf_hook_entries *hooks, unsigned int index)
{
	const struct nf_hook_ops *ops = READ_ONCE(nf_hook_entries_get_hook_ops(hooks)[index]);

	return ops->hook_ops_type == NF_HOOK_OP_UNDEFINED && ops->priority == NF_IP_PRI_NAT_DST;
}
#endif

unsigned int palisade_hook_run(const struct nf_hook_entries *hooks, unsigned int index,
			       struct sk_buff *skb, const struct nf_hook_state *state)
{
	return hooks->hooks[index].hook(hooks->hooks[index].priv, skb, state);
}

void palisade_skb_set_device(struct sk_buff *skb, struct net_device *device)
{
	skb->dev = device;
}

struct nf_conn *palisade_ct_template_alloc(struct net *net)
{
	return nf_ct_tmpl_alloc(net, &nf_ct_zone_dflt, GFP_KERNEL);
}

bool palisade_ct_add_synproxy(struct nf_conn *template)
{
	return nfct_seqadj_ext_add(template) && nfct_synproxy_ext_add(template);
}

void palisade_ct_set_confirmed(struct nf_conn *template)
{
	__set_bit(IPS_CONFIRMED_BIT, &template->status);
}

void palisade_ct_hold(struct nf_conn *connection)
{
	nf_conntrack_get(&connection->ct_general);
}

void palisade_ct_put(struct nf_conn *connection)
{
	nf_ct_put(connection);
}

void palisade_ct_forget(struct sk_buff *skb)
{
	nf_reset_ct(skb);
}

struct nf_conn *palisade_ct_of_hash(const struct nf_conntrack_tuple_hash *hash)
{
	return nf_ct_tuplehash_to_ctrack(hash);
}

unsigned int palisade_ct_direction_of_hash(const struct nf_conntrack_tuple_hash *hash)
{
	return NF_CT_DIRECTION(hash);
}

const struct nf_conntrack_tuple *palisade_ct_tuple(const struct nf_conn *connection,
						   unsigned int direction)
{
	return nf_ct_tuple(connection, direction);
}

u16 palisade_ct_zone(const struct nf_conn *connection)
{
	return nf_ct_zone(connection)->id;
}

bool palisade_ct_is_settled(const struct nf_conn *connection, enum nf_nat_manip_type manip)
{
	return nf_nat_initialized(connection, manip);
}

/* A kernel has it if it has MASQUERADE of iptables or nftables. */
#if IS_ENABLED(CONFIG_NF_NAT_MASQUERADE)
unsigned int palisade_masquerade4(struct sk_buff *skb, const struct nf_nat_range2 *range,
				  const struct nf_hook_state *state)
{
	return nf_nat_masquerade_ipv4(skb, state->hook, range, state->out);
}

unsigned int palisade_masquerade6(struct sk_buff *skb, const struct nf_nat_range2 *range,
				  const struct nf_hook_state *state)
{
	return nf_nat_masquerade_ipv6(skb, range, state->out);
}

int palisade_masquerade_start(void)
{
	return nf_nat_masquerade_inet_register_notifiers();
}

void palisade_masquerade_stop(void)
{
	nf_nat_masquerade_inet_unregister_notifiers();
}
#else
unsigned int palisade_masquerade4(struct sk_buff *skb, const struct nf_nat_range2 *range,
				  const struct nf_hook_state *state)
{
	return NF_DROP;
}

unsigned int palisade_masquerade6(struct sk_buff *skb, const struct nf_nat_range2 *range,
				  const struct nf_hook_state *state)
{
	return NF_DROP;
}

int palisade_masquerade_start(void)
{
	return 0;
}

void palisade_masquerade_stop(void)
{
}
#endif

void palisade_log_packet(const struct nf_hook_state *state, const struct sk_buff *skb,
			 const struct nf_loginfo *info, const char *prefix)
{
	nf_log_packet(state->net, state->pf, state->hook, skb, state->in, state->out, info, "%s",
		      prefix);
}

struct ts_config *palisade_textsearch_prepare(const char *algorithm, const void *pattern,
					      unsigned int length, int flags)
{
	return textsearch_prepare(algorithm, pattern, length, GFP_KERNEL_ACCOUNT, flags);
}

int palisade_request_module(const char *name)
{
	return request_module("%s", name);
}

u64 palisade_jiffies64(void)
{
	return get_jiffies_64();
}

u64 palisade_boottime_ms(void)
{
	return ktime_to_ms(ktime_get_coarse_boottime());
}

u64 palisade_realtime_ms(void)
{
	return ktime_to_ms(ktime_get_real());
}

bool palisade_is_sent_from(const struct sk_buff *skb, const struct net *net)
{
	return skb->sk && net_eq(net, sock_net(skb->sk));
}

void *palisade_namespace_slot(const struct net *net, unsigned int id)
{
	return net_generic(net, id);
}

struct palisade_counters __percpu *palisade_counters_alloc(void)
{
	return alloc_percpu_gfp(struct palisade_counters, GFP_KERNEL_ACCOUNT);
}

/*
 * Nothing that counts interrupts a softirq. Where a CPU cannot add in one instruction, disabling
 * interrupts to do so would cost more than all else that is done for a packet.
 */
void palisade_counters_add(struct palisade_counters __percpu *counters, u64 bytes)
{
	if (in_softirq()) {
		__this_cpu_inc(counters->packets);
		__this_cpu_add(counters->bytes, bytes);
	} else {
		this_cpu_inc(counters->packets);
		this_cpu_add(counters->bytes, bytes);
	}
}

struct palisade_counters *palisade_counters_of(struct palisade_counters __percpu *counters,
					       unsigned int cpu)
{
	return per_cpu_ptr(counters, cpu);
}

u64 __percpu *palisade_events_alloc(unsigned int count)
{
	return __alloc_percpu_gfp(count * sizeof(u64), sizeof(u64), GFP_KERNEL_ACCOUNT);
}

void palisade_events_add(u64 __percpu *events, unsigned int index)
{
	if (in_softirq())
		__this_cpu_inc(events[index]);
	else
		this_cpu_inc(events[index]);
}

u64 *palisade_events_of(u64 __percpu *events, unsigned int cpu)
{
	return per_cpu_ptr(events, cpu);
}

unsigned int palisade_next_possible_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_possible_mask);
}

unsigned int palisade_cpu_count(void)
{
	return nr_cpu_ids;
}

struct mem_cgroup *palisade_current_memory_cgroup(void)
{
	return get_mem_cgroup_from_mm(current->mm);
}

void palisade_put_memory_cgroup(struct mem_cgroup *cgroup)
{
	mem_cgroup_put(cgroup);
}

struct mem_cgroup *palisade_set_active_memory_cgroup(struct mem_cgroup *cgroup)
{
	return set_active_memcg(cgroup);
}

void palisade_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

void palisade_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

void palisade_raw_spin_lock_init(raw_spinlock_t *lock)
{
	raw_spin_lock_init(lock);
}

void palisade_raw_spin_lock(raw_spinlock_t *lock)
{
	raw_spin_lock(lock);
}

void palisade_raw_spin_unlock(raw_spinlock_t *lock)
{
	raw_spin_unlock(lock);
}

void palisade_local_bh_disable(void)
{
	local_bh_disable();
}

void palisade_local_bh_enable(void)
{
	local_bh_enable();
}

bool palisade_rcu_is_held(void)
{
	return rcu_read_lock_held();
}

bool palisade_softirqs_are_off(void)
{
	return softirq_count();
}

void palisade_softirqs_off(void)
{
	local_bh_disable();
	preempt_disable();
}

void palisade_softirqs_on(void)
{
	preempt_enable();
	local_bh_enable();
}

void palisade_warn_unless(bool is_so)
{
	WARN_ON(!is_so);
}

void palisade_lock_map_init(struct lockdep_map *map)
{
	static struct lock_class_key key;

	/* As for a raw spinlock: holders do not sleep, whatever the preemption model. */
	lockdep_init_map_wait(map, "palisade_bucket", &key, 0, LD_WAIT_SPIN);
}

void palisade_lock_map_acquire(struct lockdep_map *map)
{
	lock_map_acquire(map);
}

void palisade_lock_map_release(struct lockdep_map *map)
{
	lock_map_release(map);
}

void palisade_assert_lock_map_held(const struct lockdep_map *map)
{
	lockdep_assert(lock_is_held(map));
}

u32 palisade_jhash_1word(u32 word, u32 seed)
{
	return jhash_1word(word, seed);
}

u32 palisade_jhash_3words(u32 first, u32 second, u32 third, u32 seed)
{
	return jhash_3words(first, second, third, seed);
}

u32 palisade_jhash_4words(const u32 *words, u32 seed)
{
	return jhash2(words, 4, seed);
}

u32 palisade_jhash_9words(const u32 *words, u32 seed)
{
	return jhash2(words, 9, seed);
}

u32 palisade_random_u32(void)
{
	return get_random_u32();
}

u64 palisade_siphash(const void *data, size_t length, const siphash_key_t *key)
{
	return siphash(data, length, key);
}

u32 palisade_hsiphash(const void *data, size_t length, const hsiphash_key_t *key)
{
	return hsiphash(data, length, key);
}

struct workqueue_struct *palisade_workqueue_alloc(const char *name)
{
	return alloc_workqueue("%s", WQ_UNBOUND, 0, name);
}

void palisade_workqueue_flush(struct workqueue_struct *queue)
{
	flush_workqueue(queue);
}

void palisade_rcu_work_init(struct rcu_work *work, work_func_t function)
{
	INIT_RCU_WORK(work, function);
}

void palisade_delayed_work_init(struct delayed_work *work, work_func_t function)
{
	INIT_DELAYED_WORK(work, function);
}

void palisade_cond_resched(void)
{
	cond_resched();
}

struct net *palisade_genl_info_net(const struct genl_info *info)
{
	return genl_info_net(info);
}

const struct genl_info *palisade_genl_info_dump(struct netlink_callback *callback)
{
	return genl_info_dump(callback);
}

void palisade_genl_dump_check_consistent(struct netlink_callback *callback, void *header)
{
	genl_dump_check_consistent(callback, header);
}

struct nlattr *palisade_nla_nest_start(struct sk_buff *skb, int type)
{
	return nla_nest_start(skb, type);
}

int palisade_nla_nest_end(struct sk_buff *skb, struct nlattr *start)
{
	return nla_nest_end_safe(skb, start);
}

void palisade_nla_nest_cancel(struct sk_buff *skb, struct nlattr *start)
{
	nla_nest_cancel(skb, start);
}

void palisade_genlmsg_end(struct sk_buff *skb, void *header)
{
	genlmsg_end(skb, header);
}

void palisade_genlmsg_cancel(struct sk_buff *skb, void *header)
{
	genlmsg_cancel(skb, header);
}

struct sk_buff *palisade_genlmsg_new(bool may_sleep)
{
	return genlmsg_new(NLMSG_DEFAULT_SIZE, may_sleep ? GFP_KERNEL : GFP_ATOMIC);
}

struct sk_buff *palisade_nlmsg_new(size_t payload)
{
	return nlmsg_new(payload, GFP_KERNEL);
}

int palisade_genlmsg_reply(struct sk_buff *skb, struct genl_info *info)
{
	return genlmsg_reply(skb, info);
}

void palisade_nlmsg_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

bool palisade_has_listeners(struct net *net, unsigned int group)
{
	return netlink_has_listeners(net->genl_sock, group);
}

int palisade_genlmsg_multicast(const struct genl_family *family, struct net *net, struct sk_buff *skb,
			       unsigned int group, bool may_sleep)
{
	return genlmsg_multicast_netns(family, net, skb, 0, group, may_sleep ? GFP_KERNEL : GFP_ATOMIC);
}

u32 palisade_current_tgid(void)
{
	return task_tgid_nr(current);
}

static_assert(TASK_COMM_LEN == 16);

void palisade_current_comm(char *name)
{
	strscpy_pad(name, current->comm, TASK_COMM_LEN);
}

u32 palisade_netlink_port(const struct sk_buff *skb)
{
	return NETLINK_CB(skb).portid;
}

#if IS_ENABLED(CONFIG_KUNIT)
struct sk_buff *palisade_test_packet(const void *data, unsigned int length, __be16 protocol)
{
	struct sk_buff *skb = alloc_skb(length, GFP_KERNEL);

	if (skb) {
		skb_put_data(skb, data, length);
		skb_reset_network_header(skb);
		skb->protocol = protocol;
	}
	return skb;
}

void palisade_test_packet_free(struct sk_buff *skb)
{
	kfree_skb(skb);
}
#endif
