// SPDX-License-Identifier: GPL-2.0
/* Pollers: see the DOC section of <vhost_target/poller.h>. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/vhost_target.h>
#include <vhost_target/poller.h>
#include <vhost_target/stats.h>

#include "poller.h"
#include "queue.h"
#include "spin.h"
#include "trace.h"

static char *pollers;
module_param(pollers, charp, 0444);
MODULE_PARM_DESC(pollers, "CPU list of the pollers made at load (default: one for every four CPUs, the last ones)");

static unsigned int idle_us = 50;
module_param(idle_us, uint, 0444);
MODULE_PARM_DESC(idle_us, "microseconds without work before a queue sleeps, for pollers made at load (default 50)");

struct vt_call {
	struct llist_node node;
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

DEFINE_MUTEX(vt_pollers_lock);
DEFINE_XARRAY_ALLOC(vt_pollers);

/* A queue was let go; how often. */
static DECLARE_WAIT_QUEUE_HEAD(released);
static unsigned long releases;

/*
 * In the thread: put the queues that were woken on the active list, the latest
 * last, before those that were there: those have had their turn, and what woke
 * these does not wait for another of it.
 */
static void poller_take_wakes(struct vt_poller *p)
{
	struct llist_node *list = llist_del_all(&p->wake);
	struct vt_pq *pq, *tmp;

	llist_for_each_entry_safe(pq, tmp, list, wake) {
		list_add(&pq->node, &p->active);
		WRITE_ONCE(p->nr_active, p->nr_active + 1);
	}
}

static void poller_run_calls(struct vt_poller *p)
{
	struct llist_node *list = llist_del_all(&p->calls);
	struct vt_call *call, *tmp;

	llist_for_each_entry_safe(call, tmp, llist_reverse_order(list), node) {
		call->fn(call->arg);
		complete(&call->done);
	}
}

static void poller_unlist(struct vt_poller *p, struct vt_pq *pq)
{
	list_del_init(&pq->node);
	WRITE_ONCE(p->nr_active, p->nr_active - 1);
}

/*
 * The barrier pairs with the one in vt_pq_wake(): either pending() sees what
 * the waker made visible, or the waker sees the bit clear.
 */
static void poller_try_sleep(struct vt_poller *p, struct vt_pq *pq)
{
	if (!pq->ops->arm(pq)) {
		vt_stat_inc(*pq->rearms);
		return;
	}
	clear_bit(VT_PQ_ACTIVE, &pq->flags);
	/* Pairs with smp_mb() in vt_pq_wake(). */
	smp_mb__after_atomic();
	if (pq->ops->pending(pq) &&
	    !test_and_set_bit(VT_PQ_ACTIVE, &pq->flags)) {
		vt_stat_inc(*pq->rearms);
		return;
	}
	/* If a waker has set the bit again, it brings the queue back. */
	poller_unlist(p, pq);
	vt_spin_slept(&pq->spin, pq->backend);
	vt_stat_inc(*pq->sleeps);
}

/* What is held back is not told earlier for want of patience. */
static bool poller_may_sleep(const struct vt_pq *pq, u64 now, u64 idle_ns)
{
	u64 ns = pq->holds ? idle_ns :
			     vt_spin_ns(&pq->spin, pq->backend, idle_ns);

	return now - pq->last_work >= ns;
}

static void poller_worked(struct vt_pq *pq, u64 now, u64 idle_ns)
{
	vt_spin_worked(&pq->spin, now - pq->last_work, idle_ns);
	pq->last_work = now;
}

/* A queue whose device takes its time sleeps between two requests. */
#define CROWD_NS	(10 * NSEC_PER_MSEC)

static bool poller_is_crowded(struct vt_poller *p, u64 now)
{
	if (p->nr_active > 1)
		p->crowded = now;
	return now - p->crowded < CROWD_NS;
}

static unsigned int poller_pass(struct vt_poller *p, u64 now)
{
	bool crowded = poller_is_crowded(p, now);
	u64 idle_ns = READ_ONCE(p->idle_ns);
	struct vt_pq *pq, *tmp;
	unsigned int work = 0;
	unsigned int n;

	list_for_each_entry_safe(pq, tmp, &p->active, node) {
		pq->crowded = crowded;
		n = INDIRECT_CALL_1(pq->ops->poll, vt_queue_poll, pq, now,
				    idle_ns);
		work += n;
		if (n) {
			poller_worked(pq, now, idle_ns);
			WRITE_ONCE(pq->work, pq->work + n);
		} else if (!pq->stays && poller_may_sleep(pq, now, idle_ns)) {
			poller_try_sleep(p, pq);
		}
	}
	return work;
}

static bool poller_has_news(struct vt_poller *p)
{
	return !llist_empty(&p->wake) || !llist_empty(&p->calls) ||
	       kthread_should_stop();
}

static void poller_sleep(struct vt_poller *p)
{
	trace_vhost_poller_sleep(p->id);
	/* Pairs with llist_add() before wake_up_process(). */
	set_current_state(TASK_IDLE);
	if (!poller_has_news(p)) {
		WRITE_ONCE(p->resting, true);
		schedule();
		WRITE_ONCE(p->passed, ktime_get_ns());
		WRITE_ONCE(p->resting, false);
	}
	__set_current_state(TASK_RUNNING);
	WRITE_ONCE(p->sleeps, p->sleeps + 1);
	trace_vhost_poller_wake(p->id);
}

static void poller_account(struct vt_poller *p, unsigned int work, u64 now,
			   u64 ns)
{
	WRITE_ONCE(p->passed, now);
	WRITE_ONCE(p->loops, p->loops + 1);
	if (work)
		WRITE_ONCE(p->busy_ns, p->busy_ns + ns);
	else
		WRITE_ONCE(p->idle_time_ns, p->idle_time_ns + ns);
}

#define WINDOW_NS	NSEC_PER_SEC

/* Too much for one? Somebody else may have time for some of its queues. */
static void poller_look_back(struct vt_poller *p, u64 now)
{
	u64 span = now - p->window;

	if (p->busy_ns - p->window_busy > span / 8 * VT_BUSY_EIGHTHS &&
	    now - p->crowded < WINDOW_NS)
		vt_balance();
	p->window = now;
	p->window_busy = p->busy_ns;
}

static int poller_thread(void *arg)
{
	struct vt_poller *p = arg;
	u64 now = ktime_get_ns();
	unsigned int work;
	u64 then;

	while (!kthread_should_stop()) {
		if (!llist_empty(&p->calls))
			poller_run_calls(p);
		if (!llist_empty(&p->wake))
			poller_take_wakes(p);
		if (list_empty(&p->active)) {
			poller_sleep(p);
			now = ktime_get_ns();
			continue;
		}
		work = poller_pass(p, now);
		then = now;
		now = ktime_get_ns();
		poller_account(p, work, now, now - then);
		if (now - p->window > WINDOW_NS)
			poller_look_back(p, now);
		cond_resched_tasks_rcu_qs();
	}
	/* A call may have come after the last look. */
	poller_run_calls(p);
	return 0;
}

void vt_pq_init(struct vt_pq *pq, const struct vt_pq_ops *ops, u64 *rearms,
		u64 *sleeps)
{
	memset(pq, 0, sizeof(*pq));
	pq->ops = ops;
	pq->rearms = rearms;
	pq->sleeps = sleeps;
	/* Active without a poller: wakes do nothing. */
	pq->flags = BIT(VT_PQ_ACTIVE);
	INIT_LIST_HEAD(&pq->node);
	INIT_LIST_HEAD(&pq->placed);
}
EXPORT_SYMBOL_GPL(vt_pq_init);

void vt_pq_wake(struct vt_pq *pq)
{
	struct vt_poller *p;

	/* Pairs with the barrier in poller_try_sleep(). */
	smp_mb();
	if (test_bit(VT_PQ_ACTIVE, &pq->flags))
		return;

	/* The poller waits for us (detach) and is freed after us (RCU). */
	preempt_disable();
	if (!test_and_set_bit(VT_PQ_ACTIVE, &pq->flags)) {
		p = READ_ONCE(pq->poller);
		if (llist_add(&pq->wake, &p->wake))
			wake_up_process(p->task);
	}
	preempt_enable();
}
EXPORT_SYMBOL_GPL(vt_pq_wake);

/*
 * A queue is one's at a time from here until it is released: it stays where it is.
 * What its poller is to do meanwhile may take as long as some device puts that to
 * sleep: nobody waits for it with vt_pollers_lock held.
 */
static void pq_hold(struct vt_pq *pq)
{
	lockdep_assert_held(&vt_pollers_lock);
	while (pq->held) {
		mutex_unlock(&vt_pollers_lock);
		wait_event(released, !READ_ONCE(pq->held));
		mutex_lock(&vt_pollers_lock);
	}
	WRITE_ONCE(pq->held, true);
}

static void pq_release(struct vt_pq *pq)
{
	lockdep_assert_held(&vt_pollers_lock);
	WRITE_ONCE(pq->held, false);
	WRITE_ONCE(releases, releases + 1);
	wake_up_all(&released);
}

/* By whoever holds one of its queues; vt_pollers_lock is given up meanwhile. */
static void poller_call(struct vt_poller *p, void (*fn)(void *arg), void *arg)
{
	struct vt_call call = { .fn = fn, .arg = arg };

	lockdep_assert_held(&vt_pollers_lock);
	p->callers++;
	mutex_unlock(&vt_pollers_lock);
	init_completion(&call.done);
	llist_add(&call.node, &p->calls);
	wake_up_process(p->task);
	wait_for_completion(&call.done);
	mutex_lock(&vt_pollers_lock);
	p->callers--;
}

static void pq_attach_fn(void *arg)
{
	struct vt_pq *pq = arg;
	struct vt_poller *p = pq->poller;

	pq->last_work = ktime_get_ns();
	list_add_tail(&pq->node, &p->active);
	WRITE_ONCE(p->nr_active, p->nr_active + 1);
}

static void pq_detach_fn(void *arg)
{
	struct vt_pq *pq = arg;

	/* Asleep: it stays off the lists, and wakes do nothing from now on. */
	if (!test_and_set_bit(VT_PQ_ACTIVE, &pq->flags))
		return;
	/* A waker has set the bit and is about to add it, on another CPU. */
	while (list_empty(&pq->node)) {
		poller_take_wakes(pq->poller);
		cpu_relax();
	}
	poller_unlist(pq->poller, pq);
}

static void pq_attach(struct vt_pq *pq, struct vt_poller *p)
{
	lockdep_assert_held(&vt_pollers_lock);

	WRITE_ONCE(pq->poller, p);
	list_add_tail(&pq->placed, &p->queues);
	p->nr_queues++;
	poller_call(p, pq_attach_fn, pq);
}

static void pq_detach(struct vt_pq *pq)
{
	struct vt_poller *p = pq->poller;

	lockdep_assert_held(&vt_pollers_lock);

	poller_call(p, pq_detach_fn, pq);
	list_del_init(&pq->placed);
	p->nr_queues--;
}

void vt_pq_move(struct vt_pq *pq, struct vt_poller *to)
{
	pq_hold(pq);
	/* It stays, too. */
	to->callers++;
	pq_detach(pq);
	pq_attach(pq, to);
	to->callers--;
	to->moves++;
	pq_release(pq);
}

void vt_pq_call(struct vt_pq *pq, void (*fn)(void *arg), void *arg)
{
	mutex_lock(&vt_pollers_lock);
	pq_hold(pq);
	poller_call(pq->poller, fn, arg);
	pq_release(pq);
	mutex_unlock(&vt_pollers_lock);
}
EXPORT_SYMBOL_GPL(vt_pq_call);

bool vt_poller_in_set(const struct vt_poller *p,
		      const struct vt_poller_set *set)
{
	unsigned int i;

	if (!set->nr)
		return true;
	for (i = 0; i < set->nr; i++)
		if (set->id[i] == p->id)
			return true;
	return false;
}

#define STUCK_NS	(1LL * NSEC_PER_SEC)

/* A guess: it is far from the end of a pass, and would not take a queue soon. */
bool vt_poller_is_stuck(const struct vt_poller *p)
{
	s64 ns = ktime_get_ns() - READ_ONCE(p->passed);

	return !READ_ONCE(p->resting) && ns > STUCK_NS;
}

/* Of two with as many queues, the one near who asks: there his memory is. */
static bool poller_is_better(const struct vt_poller *p,
			     const struct vt_poller *than)
{
	if (vt_poller_is_stuck(p) != vt_poller_is_stuck(than))
		return vt_poller_is_stuck(than);
	if (p->nr_queues != than->nr_queues)
		return p->nr_queues < than->nr_queues;
	return vt_poller_node(p) == numa_node_id() &&
	       vt_poller_node(than) != numa_node_id();
}

static struct vt_poller *poller_least_loaded(const struct vt_poller_set *set,
					     const struct vt_poller *but)
{
	struct vt_poller *p, *best = NULL;
	unsigned long id;

	lockdep_assert_held(&vt_pollers_lock);

	xa_for_each(&vt_pollers, id, p) {
		if (p == but || p->leaving || !vt_poller_in_set(p, set))
			continue;
		if (!best || poller_is_better(p, best))
			best = p;
	}
	return best;
}

void vt_pq_place(struct vt_pq *pq, const struct vt_poller_set *set)
{
	mutex_lock(&vt_pollers_lock);
	pq->set = set;
	pq_hold(pq);
	pq_attach(pq, poller_least_loaded(set, NULL));
	pq_release(pq);
	mutex_unlock(&vt_pollers_lock);
}
EXPORT_SYMBOL_GPL(vt_pq_place);

void vt_pq_unplace(struct vt_pq *pq)
{
	mutex_lock(&vt_pollers_lock);
	pq_hold(pq);
	pq_detach(pq);
	pq_release(pq);
	mutex_unlock(&vt_pollers_lock);
}
EXPORT_SYMBOL_GPL(vt_pq_unplace);

int vt_poller_set_get(const struct vt_poller_set *set)
{
	struct vt_poller *p;
	unsigned int i;
	int err = 0;

	mutex_lock(&vt_pollers_lock);
	for (i = 0; i < set->nr; i++) {
		p = xa_load(&vt_pollers, set->id[i]);
		if (!p || p->leaving)
			err = -ENOENT;
	}
	for (i = 0; !err && i < set->nr; i++) {
		p = xa_load(&vt_pollers, set->id[i]);
		p->users++;
	}
	mutex_unlock(&vt_pollers_lock);
	return err;
}

void vt_poller_set_put(const struct vt_poller_set *set)
{
	struct vt_poller *p;
	unsigned int i;

	mutex_lock(&vt_pollers_lock);
	for (i = 0; i < set->nr; i++) {
		p = xa_load(&vt_pollers, set->id[i]);
		p->users--;
	}
	mutex_unlock(&vt_pollers_lock);
}

static bool poller_cpu_taken(unsigned int cpu)
{
	struct vt_poller *p;
	unsigned long id;

	xa_for_each(&vt_pollers, id, p)
		if (p->cpu == cpu)
			return true;
	return false;
}

static struct vt_poller *poller_start(unsigned int cpu, u32 idle)
{
	struct task_struct *task;
	struct vt_poller *p;

	p = kzalloc_node(sizeof(*p), GFP_KERNEL, cpu_to_node(cpu));
	if (!p)
		return ERR_PTR(-ENOMEM);
	init_llist_head(&p->wake);
	init_llist_head(&p->calls);
	INIT_LIST_HEAD(&p->active);
	INIT_LIST_HEAD(&p->queues);
	p->cpu = cpu;
	p->idle_ns = (u64)idle * NSEC_PER_USEC;
	p->passed = ktime_get_ns();

	task = kthread_create_on_node(poller_thread, p, cpu_to_node(cpu),
				      "vhost-poll/%u", cpu);
	if (IS_ERR(task)) {
		kfree(p);
		return ERR_CAST(task);
	}
	kthread_bind(task, cpu);
	p->task = get_task_struct(task);
	return p;
}

static void poller_free(struct vt_poller *p)
{
	kthread_stop(p->task);
	/* A waker may be between adding to a list and waking the thread. */
	synchronize_rcu();
	put_task_struct(p->task);
	kfree(p);
}

static int poller_add_locked(unsigned int cpu, u32 idle, u32 *id)
{
	struct vt_poller *p;
	int err;

	if (idle > VHOST_TARGET_MAX_IDLE_US)
		return -ERANGE;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -ENXIO;
	if (poller_cpu_taken(cpu))
		return -EEXIST;

	p = poller_start(cpu, idle);
	if (IS_ERR(p))
		return PTR_ERR(p);
	err = xa_alloc(&vt_pollers, &p->id, p,
		       XA_LIMIT(0, VHOST_TARGET_MAX_POLLERS - 1), GFP_KERNEL);
	if (err) {
		poller_free(p);
		return err == -EBUSY ? -ENOSPC : err;
	}
	wake_up_process(p->task);
	*id = p->id;
	return 0;
}

int vt_poller_add(unsigned int cpu, u32 idle, u32 *id)
{
	int err;

	cpus_read_lock();
	mutex_lock(&vt_pollers_lock);
	err = poller_add_locked(cpu, idle, id);
	mutex_unlock(&vt_pollers_lock);
	cpus_read_unlock();
	return err;
}

static struct vt_pq *poller_first_free(struct vt_poller *p)
{
	struct vt_pq *pq;

	lockdep_assert_held(&vt_pollers_lock);
	list_for_each_entry(pq, &p->queues, placed)
		if (!pq->held)
			return pq;
	return NULL;
}

/* Until nobody has to do with it any more. */
static int poller_move_queues(struct vt_poller *from)
{
	unsigned long seen;
	struct vt_pq *pq;

	list_for_each_entry(pq, &from->queues, placed)
		if (!poller_least_loaded(pq->set, from))
			return -EBUSY;
	from->leaving = true;
	while (!list_empty(&from->queues) || from->callers) {
		pq = poller_first_free(from);
		if (pq) {
			vt_pq_move(pq, poller_least_loaded(pq->set, from));
			continue;
		}
		seen = releases;
		mutex_unlock(&vt_pollers_lock);
		wait_event(released, READ_ONCE(releases) != seen);
		mutex_lock(&vt_pollers_lock);
	}
	return 0;
}

int vt_poller_remove(u32 id)
{
	struct vt_poller *p;
	int err;

	mutex_lock(&vt_pollers_lock);
	p = xa_load(&vt_pollers, id);
	if (!p)
		err = -ENOENT;
	else if (p->users || p->leaving ||
		 !poller_least_loaded(&(struct vt_poller_set){}, p))
		err = -EBUSY;
	else
		err = poller_move_queues(p);
	if (!err)
		xa_erase(&vt_pollers, id);
	mutex_unlock(&vt_pollers_lock);
	if (!err)
		poller_free(p);
	return err;
}

int vt_poller_set_idle(u32 id, u32 idle)
{
	struct vt_poller *p;
	int err = 0;

	if (idle > VHOST_TARGET_MAX_IDLE_US)
		return -ERANGE;
	mutex_lock(&vt_pollers_lock);
	p = xa_load(&vt_pollers, id);
	if (p)
		WRITE_ONCE(p->idle_ns, (u64)idle * NSEC_PER_USEC);
	else
		err = -ENOENT;
	mutex_unlock(&vt_pollers_lock);
	return err;
}

int vt_poller_get(struct vhost_target_poller *info, bool next)
{
	unsigned long id = info->id;
	struct vt_poller *p;
	int err = -ENOENT;

	mutex_lock(&vt_pollers_lock);
	p = next ? xa_find(&vt_pollers, &id, U32_MAX, XA_PRESENT) :
		   xa_load(&vt_pollers, id);
	if (p) {
		info->id = p->id;
		info->cpu = p->cpu;
		info->idle_us = div_u64(p->idle_ns, NSEC_PER_USEC);
		info->nr_queues = p->nr_queues;
		info->nr_active = READ_ONCE(p->nr_active);
		info->pid = task_pid_nr(p->task);
		info->loops = READ_ONCE(p->loops);
		info->sleeps = READ_ONCE(p->sleeps);
		info->busy_ns = READ_ONCE(p->busy_ns);
		info->idle_ns = READ_ONCE(p->idle_time_ns);
		info->moves = p->moves;
		err = 0;
	}
	mutex_unlock(&vt_pollers_lock);
	return err;
}

unsigned int vt_poller_count(void)
{
	struct vt_poller *p;
	unsigned int nr = 0;
	unsigned long id;

	mutex_lock(&vt_pollers_lock);
	xa_for_each(&vt_pollers, id, p)
		nr++;
	mutex_unlock(&vt_pollers_lock);
	return nr;
}

static int poller_cpuhp;

static int pollers_wanted(struct cpumask *mask)
{
	unsigned int cpu, nr = DIV_ROUND_UP(num_online_cpus(), 4);

	if (pollers)
		return cpulist_parse(pollers, mask);
	cpumask_clear(mask);
	for (cpu = nr_cpu_ids; cpu-- > 0 && nr;) {
		if (cpu_online(cpu)) {
			cpumask_set_cpu(cpu, mask);
			nr--;
		}
	}
	return 0;
}

/* The scheduler moved the thread when its CPU went offline, and leaves it there. */
static int poller_cpu_online(unsigned int cpu)
{
	struct vt_poller *p;
	unsigned long id;

	mutex_lock(&vt_pollers_lock);
	xa_for_each(&vt_pollers, id, p)
		if (p->cpu == cpu)
			set_cpus_allowed_ptr(p->task, cpumask_of(cpu));
	mutex_unlock(&vt_pollers_lock);
	return 0;
}

int vt_pollers_init(void)
{
	cpumask_var_t mask;
	unsigned int cpu;
	int err;
	u32 id;

	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "vhost_target:online",
					poller_cpu_online, NULL);
	if (err < 0)
		return err;
	poller_cpuhp = err;
	if (!zalloc_cpumask_var(&mask, GFP_KERNEL)) {
		vt_pollers_exit();
		return -ENOMEM;
	}
	err = pollers_wanted(mask);
	if (!err && cpumask_empty(mask))
		err = -EINVAL;
	if (!err) {
		for_each_cpu(cpu, mask) {
			err = vt_poller_add(cpu, idle_us, &id);
			if (err)
				break;
		}
	}
	free_cpumask_var(mask);
	if (err)
		vt_pollers_exit();
	return err;
}

void vt_pollers_exit(void)
{
	struct vt_poller *p;
	unsigned long id;

	cpuhp_remove_state_nocalls(poller_cpuhp);
	vt_balance_exit();
	xa_for_each(&vt_pollers, id, p) {
		xa_erase(&vt_pollers, id);
		poller_free(p);
	}
	xa_destroy(&vt_pollers);
}
