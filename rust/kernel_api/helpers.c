// SPDX-License-Identifier: GPL-2.0
/* One line each; anything that needs a decision belongs into Rust. */
#include <linux/cpumask.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/textsearch.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/netfilter/nf_log.h>
#include <net/netfilter/nf_nat.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "helpers.h"

u32 palisade_mark(const struct sk_buff *skb)
{
	return skb->mark;
}

void palisade_set_mark(struct sk_buff *skb, u32 mark)
{
	skb->mark = mark;
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

u16 palisade_ct_zone(const struct nf_conn *connection)
{
	return nf_ct_zone(connection)->id;
}

bool palisade_ct_destination_is_settled(const struct nf_conn *connection)
{
	return nf_nat_initialized(connection, NF_NAT_MANIP_DST);
}

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

void palisade_counters_add(struct palisade_counters __percpu *counters, u64 bytes)
{
	this_cpu_inc(counters->packets);
	this_cpu_add(counters->bytes, bytes);
}

struct palisade_counters *palisade_counters_of(struct palisade_counters __percpu *counters,
					       unsigned int cpu)
{
	return per_cpu_ptr(counters, cpu);
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

void palisade_seqlock_init(seqlock_t *lock)
{
	seqlock_init(lock);
}

unsigned int palisade_read_seqbegin(const seqlock_t *lock)
{
	return read_seqbegin(lock);
}

unsigned int palisade_raw_read_seqbegin(const seqlock_t *lock)
{
	return raw_read_seqcount_begin(&lock->seqcount);
}

void palisade_write_seqlock_bh(seqlock_t *lock)
{
	write_seqlock_bh(lock);
}

void palisade_write_sequnlock_bh(seqlock_t *lock)
{
	write_sequnlock_bh(lock);
}

u32 palisade_jhash_1word(u32 word, u32 seed)
{
	return jhash_1word(word, seed);
}

u32 palisade_random_u32(void)
{
	return get_random_u32();
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

struct sk_buff *palisade_genlmsg_new(void)
{
	return genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
}

int palisade_genlmsg_reply(struct sk_buff *skb, struct genl_info *info)
{
	return genlmsg_reply(skb, info);
}

void palisade_nlmsg_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
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
