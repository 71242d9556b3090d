/* SPDX-License-Identifier: GPL-2.0 */
/* Functions for the macros and static inlines that Rust cannot call. */
#ifndef _PALISADE_HELPERS_H
#define _PALISADE_HELPERS_H

#include <linux/lockdep.h>
#include <linux/memcontrol.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/textsearch.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_synproxy.h>
#include <net/netfilter/nf_log.h>
#include <net/netfilter/nf_nat.h>

/* As the field nf_trace of sk_buff. */
#define PALISADE_HAS_NF_TRACE (IS_ENABLED(CONFIG_NETFILTER_XT_TARGET_TRACE) || IS_ENABLED(CONFIG_NF_TABLES))

struct palisade_counters {
	u64 packets;
	u64 bytes;
};

/* What the namespace has TCP use. */
struct palisade_tcp_settings {
	u32 receive_space_max;
	u32 receive_buffer_max;
	u8 cookies;
	u8 window_scaling;
	u8 sack;
	u8 timestamps;
	u8 ecn;
	u8 signed_windows;
};

/* What was agreed on with a client. */
struct palisade_agreement {
	u16 mss;
	u8 client_scale;
	u8 scale;
	bool is_scaled;
	bool sack;
	bool timestamps;
	bool ecn;
	u32 recent_stamp;
	u32 stamp_offset;
};

void palisade_smp_rmb(void);
void palisade_smp_wmb(void);
u32 palisade_mark(const struct sk_buff *skb);
void palisade_set_mark(struct sk_buff *skb, u32 mark);
bool palisade_is_traced(const struct sk_buff *skb);
void palisade_set_traced(struct sk_buff *skb);

int palisade_skb_unclone(struct sk_buff *skb);
int palisade_skb_trim(struct sk_buff *skb, unsigned int length);
bool palisade_skb_may_pull(struct sk_buff *skb, unsigned int length);
int palisade_skb_expand(struct sk_buff *skb, int tailroom);
int palisade_skb_tailroom(const struct sk_buff *skb);
void palisade_skb_forget_offloads(struct sk_buff *skb);
void palisade_skb_ignore_mtu(struct sk_buff *skb);
void palisade_skb_forget_sum(struct sk_buff *skb);
void palisade_csum_replace4(__sum16 *sum, __be32 from, __be32 to);
bool palisade_skb_is_looped(struct sk_buff *skb);
bool palisade_skb_is_cloned(const struct sk_buff *skb);
bool palisade_skb_is_shared(const struct sk_buff *skb);
struct sk_buff *palisade_skb_alloc(unsigned int size);
void palisade_skb_reserve_headers(struct sk_buff *skb);
void palisade_skb_set_protocol(struct sk_buff *skb, __be16 protocol);
void palisade_skb_reset_network_header(struct sk_buff *skb);
void palisade_skb_reset_mac_header(struct sk_buff *skb);
void palisade_skb_set_transport_header(struct sk_buff *skb, int offset);
bool palisade_skb_is_for_this_host(const struct sk_buff *skb);
bool palisade_skb_is_decapsulated(const struct sk_buff *skb);
bool palisade_skb_has_vlan_tag(const struct sk_buff *skb);
unsigned int palisade_skb_mac_length(const struct sk_buff *skb);
void palisade_skb_scrub(struct sk_buff *skb);
void palisade_skb_set_route(struct sk_buff *skb, struct dst_entry *route);
int palisade_skb_device(const struct sk_buff *skb);
void palisade_skb_drop_route(struct sk_buff *skb);
struct dst_entry *palisade_skb_hold_route(const struct sk_buff *skb);
bool palisade_skb_is_routed(const struct sk_buff *skb);
bool palisade_skb_is_bridged(const struct sk_buff *skb);
void palisade_skb_set_looped(struct sk_buff *skb, struct net_device *device);
int palisade_skb_output(struct net *net, struct sk_buff *skb);
bool palisade_is_l3_master(const struct net_device *device);
u32 palisade_reply_mark(const struct net *net, const struct sk_buff *skb);
int palisade_route_input4(struct sk_buff *skb, struct net_device *device);
bool palisade_route_is_local4(const struct sk_buff *skb);
bool palisade_route_is_unicast4(const struct sk_buff *skb);
bool palisade_route_is_error(const struct sk_buff *skb);
u32 palisade_route_flags6(const struct sk_buff *skb);
const struct inet6_dev *palisade_ipv6_settings(const struct net_device *device);
const struct in_device *palisade_ipv4_settings(const struct net_device *device);
bool palisade_forwards4(const struct in_device *settings);
bool palisade_checks_sources(const struct in_device *settings);
bool palisade_has_rules4(const struct net *net);
bool palisade_has_realms(struct net *net);
bool palisade_routes_ask_for_sources(const struct net *net);
int palisade_fib_lookup(struct net *net, struct flowi4 *flow, struct fib_result *result);
bool palisade_policy_admits4(struct sk_buff *skb);
bool palisade_policy_admits6(struct sk_buff *skb);
bool palisade_policy_admits_forward4(struct sk_buff *skb);
bool palisade_policy_admits_forward6(struct sk_buff *skb);
struct net_device *palisade_route_device(const struct dst_entry *route);
u32 palisade_route_mtu(const struct dst_entry *route);
u32 palisade_route_metric(const struct dst_entry *route, int metric);
u32 palisade_route_flags_of4(const struct dst_entry *route);
u32 palisade_route_flags_of6(const struct dst_entry *route);
bool palisade_route_is_anycast6(const struct dst_entry *route, const struct in6_addr *address);
bool palisade_route_is_transformed(const struct dst_entry *route);
const struct neighbour *palisade_neighbour4(struct net_device *device, __be32 address);
const struct neighbour *palisade_neighbour6(struct net_device *device,
					    const struct in6_addr *address);
bool palisade_neighbour_is_valid(const struct neighbour *neighbour);
void palisade_neighbour_address(char *address, const struct neighbour *neighbour);
const struct list_head *palisade_routing_rules4(const struct net *net);
const struct list_head *palisade_routing_rules6(const struct net *net);
int palisade_l3mdev_index(const struct net_device *device);
int palisade_enslaved_index4(const struct sk_buff *skb);
int palisade_enslaved_index6(const struct sk_buff *skb);
struct dst_entry *palisade_xfrm_lookup(struct net *net, struct dst_entry *route,
				       const struct flowi *flow);
int palisade_queue_transmit(struct sk_buff *skb);
void palisade_skb_leave_untracked(struct sk_buff *skb);
unsigned int palisade_socket_state(const struct sock *socket);
u32 palisade_time_wait_next(const struct sock *socket);
u32 palisade_tcp_unacknowledged(const struct sock *socket);
u32 palisade_tcp_next(const struct sock *socket);
bool palisade_listener_has_room(const struct sock *listener);
bool palisade_listener_is_mptcp(const struct sock *listener);
int palisade_listener_space(const struct sock *listener);
bool palisade_listener_space_is_fixed(const struct sock *listener);
u32 palisade_listener_window_clamp(const struct sock *listener);
u16 palisade_listener_mss(const struct sock *listener);
void palisade_tcp_settings(const struct net *net, struct palisade_tcp_settings *settings);
const struct request_sock_ops *palisade_request_ops4(void);
const struct request_sock_ops *palisade_request_ops6(void);
struct request_sock *palisade_request_alloc(const struct request_sock_ops *ops,
					    const struct sock *listener);
struct request_sock *palisade_request_alloc_mptcp(const struct request_sock_ops *ops,
						  struct sock *listener);
void palisade_request_agree(struct request_sock *request, struct sock *listener,
			    const struct palisade_agreement *agreement);
bool palisade_skb_has_socket(const struct sk_buff *skb);
void palisade_skb_set_request(struct sk_buff *skb, struct request_sock *request);
u32 palisade_tcp_clock(void);
const unsigned int *palisade_kernel_synproxy_get(void);
void palisade_kernel_synproxy_put(void);
unsigned int palisade_kernel_synproxy_uses(const struct net *net, unsigned int id);
u8 palisade_time_to_live(const struct net *net);
u8 palisade_hop_limit(const struct net *net);
u64 palisade_siphash(const void *data, size_t length, const siphash_key_t *key);

struct nf_conn *palisade_ct_get(const struct sk_buff *skb, enum ip_conntrack_info *info);
void palisade_ct_set(struct sk_buff *skb, struct nf_conn *connection,
		     enum ip_conntrack_info info);
unsigned long palisade_ct_status(const struct nf_conn *connection);

bool palisade_ct_is_template(const struct nf_conn *connection);
bool palisade_ct_is_confirmed(const struct nf_conn *connection);
bool palisade_ct_is_tcp(const struct nf_conn *connection);
bool palisade_ct_has_sequence_adjustment(const struct nf_conn *connection);
u8 palisade_ct_tcp_state(const struct nf_conn *connection);
u32 palisade_ct_largest_window(const struct nf_conn *connection);
u32 palisade_ct_sequence_end(const struct nf_conn *connection, unsigned int direction);
void palisade_ct_set_window_scales(struct nf_conn *connection, u8 original, u8 reply);
void palisade_ct_forget_syn(struct nf_conn *connection);
struct nf_conn_synproxy *palisade_ct_synproxy(const struct nf_conn *connection);
bool palisade_ct_is_own(const struct nf_conn *connection);
void palisade_ct_set_own(struct nf_conn *connection);
void palisade_ct_clear_own(struct nf_conn *connection);
void palisade_ct_free_proxy(struct nf_conn *connection);
void palisade_ct_set_side(struct nf_conn *connection, unsigned int direction,
			  const struct ip_ct_tcp_state *side);
void palisade_ct_set_established(struct nf_conn *connection, enum tcp_conntrack state);
u32 palisade_ct_tcp_timeout(struct nf_conn *connection, enum tcp_conntrack state);
const struct nf_hook_entries *palisade_pre_routing_ipv4(struct net *net);
const struct nf_hook_entries *palisade_pre_routing_ipv6(struct net *net);
unsigned int palisade_hook_count(const struct nf_hook_entries *hooks);
bool palisade_hook_is_nat(const struct nf_hook_entries *hooks, unsigned int index);
unsigned int palisade_hook_run(const struct nf_hook_entries *hooks, unsigned int index,
			       struct sk_buff *skb, const struct nf_hook_state *state);
void palisade_skb_set_device(struct sk_buff *skb, struct net_device *device);
struct nf_conn *palisade_ct_template_alloc(struct net *net);
bool palisade_ct_add_synproxy(struct nf_conn *template);
void palisade_ct_set_confirmed(struct nf_conn *template);
void palisade_ct_hold(struct nf_conn *connection);
void palisade_ct_put(struct nf_conn *connection);
void palisade_ct_forget(struct sk_buff *skb);
struct nf_conn *palisade_ct_of_hash(const struct nf_conntrack_tuple_hash *hash);
unsigned int palisade_ct_direction_of_hash(const struct nf_conntrack_tuple_hash *hash);
const struct nf_conntrack_tuple *palisade_ct_tuple(const struct nf_conn *connection,
						   unsigned int direction);
u16 palisade_ct_zone(const struct nf_conn *connection);
bool palisade_ct_is_settled(const struct nf_conn *connection, enum nf_nat_manip_type manip);
unsigned int palisade_masquerade4(struct sk_buff *skb, const struct nf_nat_range2 *range,
				  const struct nf_hook_state *state);
unsigned int palisade_masquerade6(struct sk_buff *skb, const struct nf_nat_range2 *range,
				  const struct nf_hook_state *state);
int palisade_masquerade_start(void);
void palisade_masquerade_stop(void);
void palisade_log_packet(const struct nf_hook_state *state, const struct sk_buff *skb,
			 const struct nf_loginfo *info, const char *prefix);
struct ts_config *palisade_textsearch_prepare(const char *algorithm, const void *pattern,
					      unsigned int length, int flags);
int palisade_request_module(const char *name);
u64 palisade_jiffies64(void);
u64 palisade_boottime_ms(void);
u64 palisade_realtime_ms(void);
bool palisade_is_sent_from(const struct sk_buff *skb, const struct net *net);
void *palisade_namespace_slot(const struct net *net, unsigned int id);

struct palisade_counters __percpu *palisade_counters_alloc(void);
void palisade_counters_add(struct palisade_counters __percpu *counters, u64 bytes);
struct palisade_counters *palisade_counters_of(struct palisade_counters __percpu *counters,
					       unsigned int cpu);
u64 __percpu *palisade_events_alloc(unsigned int count);
void palisade_events_add(u64 __percpu *events, unsigned int index);
u64 *palisade_events_of(u64 __percpu *events, unsigned int cpu);
unsigned int palisade_next_possible_cpu(int cpu);
unsigned int palisade_cpu_count(void);

struct mem_cgroup *palisade_current_memory_cgroup(void);
void palisade_put_memory_cgroup(struct mem_cgroup *cgroup);
struct mem_cgroup *palisade_set_active_memory_cgroup(struct mem_cgroup *cgroup);

void palisade_spin_lock_bh(spinlock_t *lock);
void palisade_spin_unlock_bh(spinlock_t *lock);
void palisade_raw_spin_lock_init(raw_spinlock_t *lock);
void palisade_raw_spin_lock(raw_spinlock_t *lock);
void palisade_raw_spin_unlock(raw_spinlock_t *lock);
void palisade_local_bh_disable(void);
void palisade_local_bh_enable(void);

bool palisade_rcu_is_held(void);

bool palisade_softirqs_are_off(void);
void palisade_softirqs_off(void);
void palisade_softirqs_on(void);

void palisade_warn_unless(bool is_so);

void palisade_lock_map_init(struct lockdep_map *map);
void palisade_lock_map_acquire(struct lockdep_map *map);
void palisade_lock_map_release(struct lockdep_map *map);
void palisade_assert_lock_map_held(const struct lockdep_map *map);

u32 palisade_jhash_1word(u32 word, u32 seed);
u32 palisade_jhash_3words(u32 first, u32 second, u32 third, u32 seed);
u32 palisade_jhash_4words(const u32 *words, u32 seed);
u32 palisade_jhash_9words(const u32 *words, u32 seed);
u32 palisade_random_u32(void);
u32 palisade_hsiphash(const void *data, size_t length, const hsiphash_key_t *key);

struct workqueue_struct *palisade_workqueue_alloc(const char *name);
void palisade_workqueue_flush(struct workqueue_struct *queue);
void palisade_rcu_work_init(struct rcu_work *work, work_func_t function);
void palisade_delayed_work_init(struct delayed_work *work, work_func_t function);
void palisade_cond_resched(void);

struct net *palisade_genl_info_net(const struct genl_info *info);
const struct genl_info *palisade_genl_info_dump(struct netlink_callback *callback);
void palisade_genl_dump_check_consistent(struct netlink_callback *callback, void *header);
u32 palisade_netlink_port(const struct sk_buff *skb);
struct nlattr *palisade_nla_nest_start(struct sk_buff *skb, int type);
int palisade_nla_nest_end(struct sk_buff *skb, struct nlattr *start);
void palisade_nla_nest_cancel(struct sk_buff *skb, struct nlattr *start);
void palisade_genlmsg_end(struct sk_buff *skb, void *header);
void palisade_genlmsg_cancel(struct sk_buff *skb, void *header);
struct sk_buff *palisade_genlmsg_new(bool may_sleep);
struct sk_buff *palisade_nlmsg_new(size_t payload);
int palisade_genlmsg_reply(struct sk_buff *skb, struct genl_info *info);
void palisade_nlmsg_free(struct sk_buff *skb);
bool palisade_has_listeners(struct net *net, unsigned int group);
int palisade_genlmsg_multicast(const struct genl_family *family, struct net *net, struct sk_buff *skb,
			       unsigned int group, bool may_sleep);
u32 palisade_current_tgid(void);
void palisade_current_comm(char *name);

#if IS_ENABLED(CONFIG_KUNIT)
struct sk_buff *palisade_test_packet(const void *data, unsigned int length, __be16 protocol);
void palisade_test_packet_free(struct sk_buff *skb);
#endif

#endif /* _PALISADE_HELPERS_H */
