/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C interfaces that the kernel crate lacks. bindgen reads this file. Kbuild passes it the lines
 * that begin with "allow:" as options, which select what is bound.
 */
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <linux/textsearch.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/fib_rules.h>
#include <net/flow.h>
#include <net/genetlink.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_count.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#include <net/netfilter/nf_conntrack_synproxy.h>
#include <net/netfilter/nf_conntrack_tuple.h>
#include <net/netfilter/nf_log.h>
#include <net/netfilter/nf_nat.h>
#include <net/netfilter/nf_nat_redirect.h>
#include <net/netlink.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "helpers.h"

// allow: --allowlist-function 'palisade_.*'

/* Netfilter hooks */
// allow: --allowlist-type nf_hook_ops --allowlist-type nf_hook_state
// allow: --allowlist-type nf_inet_hooks --allowlist-type nf_ip_hook_priorities
// allow: --allowlist-function 'nf_(un)?register_net_hook'
// allow: --allowlist-function 'nf_nat_inet_(un)?register_fn'
// allow: --allowlist-function 'nf_ct_netns_(get|put)'
// allow: --allowlist-type ip_conntrack_info --allowlist-type ip_conntrack_status
// allow: --allowlist-var 'NF_(DROP|ACCEPT|STOLEN|VERDICT_QBITS)' --allowlist-var 'NFPROTO_.*'

/* Packets */
// allow: --allowlist-var 'PALISADE_(NETWORK_HEADER|CAN_TRACE)'
// allow: --allowlist-function 'skb_copy_bits' --allowlist-function 'ipv6_find_hdr'

/* Modifying packets */
// allow: --allowlist-function 'skb_(put|push)'
// allow: --allowlist-function 'skb_ensure_writable' --allowlist-function 'inet_proto_csum_replace4'
// allow: --allowlist-function 'csum_partial'
// allow: --allowlist-function 'nf_checksum' --allowlist-function 'sk_skb_reason_drop'

/* Sending packets */
// allow: --allowlist-type flowi4 --allowlist-type flowi6 --allowlist-type flowi
// allow: --allowlist-function 'ip_route_output_flow' --allowlist-function 'ip6_route_output_flags'
// allow: --allowlist-function 'ip6?_route_me_harder'
// allow: --allowlist-function 'dst_release' --allowlist-function 'ip6_route_input' --allowlist-function 'netif_rx'
// allow: --allowlist-var 'RTCF_(BROADCAST|MULTICAST)' --allowlist-var 'RTF_(LOCAL|ANYCAST)' --allowlist-type fib_rule
// allow: --allowlist-var 'FLOWI_FLAG_ANYSRC' --allowlist-var 'ARPHRD_ETHER'

/* Routing tables */
// allow: --allowlist-type fib_result --allowlist-type rtable --allowlist-type rt6_info --allowlist-type fib6_table
// allow: --allowlist-type in_device --allowlist-type in_ifaddr
// allow: --allowlist-type rt_scope_t --allowlist-var 'AF_INET6?' --allowlist-var 'RTAX_(LOCK|MTU|ADVMSS|WINDOW|INITRWND|FEATURES|FEATURE_ECN)'
// allow: --allowlist-var 'RTN_(UNSPEC|UNICAST|LOCAL|BROADCAST|ANYCAST|MULTICAST|BLACKHOLE|UNREACHABLE|PROHIBIT|THROW|NAT|XRESOLVE)'
// allow: --allowlist-var 'RTN_(ROOT|RTINFO)' --allowlist-var 'RTNH_F_(DEAD|LINKDOWN)'
// allow: --allowlist-var 'RTF_(REJECT|EXPIRES|GATEWAY|CACHE)' --allowlist-var 'XFRM_USERPOLICY_ACCEPT'
// allow: --allowlist-function '__ip_dev_find'

/* Types of addresses */
// allow: --allowlist-function 'inet_dev_addr_type' --allowlist-function 'ipv6_chk_addr' --allowlist-function '__ipv6_addr_type'
// allow: --allowlist-var 'IPV6_ADDR_(ANY|UNICAST|MULTICAST)'

/* Connections and their extensions */
// allow: --allowlist-type nf_conntrack_tuple --allowlist-type nf_conn_synproxy --allowlist-type tcp_conntrack
// allow: --allowlist-function 'nf_conntrack_find_get' --allowlist-function 'nf_ct_tmpl_free'
// allow: --allowlist-function 'nf_ct_seqadj_init' --allowlist-function 'nf_ct_seq_offset' --allowlist-function 'nf_ct_delete'
// allow: --allowlist-function 'nf_conntrack_in'
// allow: --allowlist-function 'nf_ct_iterate_cleanup_net' --allowlist-type nf_ct_iter_data
// allow: --allowlist-function 'nf_conntrack_count'
// allow: --allowlist-var 'nf_ct_zone_dflt'

/* Sockets */
// allow: --allowlist-function '__inet_lookup_listener' --allowlist-function 'inet6_lookup_listener'
// allow: --allowlist-type ip_ct_tcp_state --allowlist-var 'IP_CT_TCP_FLAG_.*'
// allow: --allowlist-function '__nf_ct_refresh_acct'
// allow: --allowlist-function '__inet6?_lookup_established' --allowlist-function 'sock_gen_put'
// allow: --allowlist-var 'TCP_(LISTEN|TIME_WAIT|NEW_SYN_RECV)'

/* Searching for text in packets */
// allow: --allowlist-type ts_config --allowlist-function 'textsearch_destroy'
// allow: --allowlist-function 'skb_find_text' --allowlist-var 'TS_(AUTOLOAD|IGNORECASE)'

/* Counting connections */
// allow: --allowlist-type nf_conncount_data
// allow: --allowlist-function 'nf_conncount_(init|destroy|count_skb)'

/* Logging packets */
// allow: --allowlist-type nf_loginfo --allowlist-type nf_log_type
// allow: --allowlist-function 'nf_logger_(find_get|put)'

/* Rejecting packets */
// allow: --allowlist-function 'nf_send_(reset|unreach)6?'

/* NAT */
// allow: --allowlist-function 'nf_nat_packet' --allowlist-function 'nf_nat_setup_info'
// allow: --allowlist-type nf_nat_range2 --allowlist-function 'nf_nat_redirect_ipv[46]'
// allow: --allowlist-type nf_nat_manip_type
// allow: --allowlist-var 'NF_NAT_RANGE_(MAP_IPS|PERSISTENT|PROTO_(SPECIFIED|RANDOM|RANDOM_FULLY|OFFSET))'

/* Network namespaces */
// allow: --allowlist-var 'init_net' --allowlist-type pernet_operations --allowlist-function '(un)?register_pernet_subsys'

/* Generic netlink */
// allow: --allowlist-type genl_family --allowlist-type genl_split_ops --allowlist-type genl_info
// allow: --allowlist-type netlink_callback --allowlist-type netlink_ext_ack
// allow: --allowlist-type nla_policy --allowlist-type netlink_range_validation
// allow: --allowlist-type nlattr --allowlist-type nla_policy_validation
// allow: --allowlist-function 'genl_(un)?register_family' --allowlist-function 'genlmsg_put'
// allow: --allowlist-function 'nla_put' --allowlist-function 'nla_put_64bit' --allowlist-function 'nla_reserve'
// allow: --allowlist-var 'NLA_.*' --allowlist-var 'GENL_.*' --allowlist-var 'NLM_F_.*'
// allow: --allowlist-type genl_multicast_group --allowlist-var 'PALISADE_MCAST_CAP_NET_ADMIN'
// allow: --allowlist-var 'NLMSG_.*' --allowlist-var 'NETLINK_MAX_.*'

/* Deferred and periodic work */
// allow: --allowlist-type rcu_work --allowlist-type delayed_work
// allow: --allowlist-function 'queue_rcu_work' --allowlist-function 'destroy_workqueue'
// allow: --allowlist-function '(queue|mod)_delayed_work_on' --allowlist-function 'rcu_barrier'
// allow: --allowlist-function 'disable_delayed_work_sync' --allowlist-var 'system_dfl_wq'

/* Memory, time and randomness */
// allow: --allowlist-function 'free_percpu' --allowlist-function 'get_random_bytes'
// allow: --allowlist-var 'jiffies' --allowlist-var 'PALISADE_HZ'
// allow: --allowlist-type lockdep_map --allowlist-type spinlock_t --allowlist-type raw_spinlock_t --allowlist-type hsiphash_key_t --allowlist-function 'hsiphash_2u32'
// allow: --allowlist-type siphash_key_t --allowlist-function 'siphash_[13]u64'

/* The headers define HZ twice, and bindgen takes the one for userspace. */
static const unsigned int PALISADE_HZ = HZ;

/* bindgen does not evaluate BIT(). */
static const u8 PALISADE_MCAST_CAP_NET_ADMIN = GENL_MCAST_CAP_NET_ADMIN;

static const unsigned int PALISADE_CAN_TRACE = PALISADE_HAS_NF_TRACE;

/* In bindgen's sk_buff, several anonymous structures wrap this field. */
static const unsigned int PALISADE_NETWORK_HEADER = offsetof(struct sk_buff, network_header);
