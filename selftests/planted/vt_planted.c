// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs, planted to see that the debug kernels find them. Written to the parameter
 * "plant", a name has that bug done, between two lines in the kernel's log. To be
 * loaded in a VM that ends afterwards.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#define RACE_MS 3000

static void plant_none(void)
{
}

static void plant_lockdep(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
}

static void plant_atomic(void)
{
	static DEFINE_SPINLOCK(lock);
	void *p;

	spin_lock(&lock);
	p = kmalloc(16, GFP_KERNEL);
	OPTIMIZER_HIDE_VAR(p);
	spin_unlock(&lock);
	kfree(p);
}

static void plant_shift(void)
{
	int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("vt_planted: %d\n", 1 << by);
}

static void plant_bounds(void)
{
	struct {
		int array[4];
		int behind[4];
	} s = {};
	int at = 5;

	OPTIMIZER_HIDE_VAR(at);
	s.array[at] = 1;
	pr_info("vt_planted: %d\n", s.behind[1]);
}

static void plant_oob(void)
{
	char *p = kzalloc(24, GFP_KERNEL);
	int at = 24;

	OPTIMIZER_HIDE_VAR(p);
	OPTIMIZER_HIDE_VAR(at);
	if (p)
		WRITE_ONCE(p[at], 1);
	kfree(p);
}

static void plant_uaf(void)
{
	char *p = kzalloc(24, GFP_KERNEL), *q = p;

	OPTIMIZER_HIDE_VAR(q);
	kfree(p);
	if (q)
		WRITE_ONCE(q[8], 1);
}

static void plant_list(void)
{
	static LIST_HEAD(head);
	static struct list_head one;

	list_add(&one, &head);
	list_del(&one);
	list_del(&one);
}

static void plant_refcount(void)
{
	static refcount_t count = REFCOUNT_INIT(INT_MAX);

	refcount_inc(&count);
}

static void timer_ends(struct timer_list *t)
{
}

static void plant_object(void)
{
	struct timer_list *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, timer_ends, 0);
	mod_timer(t, jiffies + 100 * HZ);
	kfree(t);
}

/* Several: that the last one's address is still on a stack does not matter. */
static void plant_leak(void)
{
	unsigned int i;
	void *p;

	for (i = 0; i < 16; i++) {
		p = kmalloc(200, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(p);
	}
}

static int shared;
static int marked;

static int racer(void *arg)
{
	while (!kthread_should_stop()) {
		shared++;
		cond_resched();
	}
	return 0;
}

static int marked_racer(void *arg)
{
	while (!kthread_should_stop()) {
		WRITE_ONCE(marked, READ_ONCE(marked) + 1);
		/* A look that need not be right. */
		if (data_race(marked) & 1)
			cpu_relax();
		cond_resched();
	}
	return 0;
}

static void race(int (*fn)(void *arg))
{
	struct task_struct *task[2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(task); i++)
		task[i] = kthread_run(fn, NULL, "vt_planted/%u", i);
	msleep(RACE_MS);
	for (i = 0; i < ARRAY_SIZE(task); i++)
		if (!IS_ERR(task[i]))
			kthread_stop(task[i]);
}

static void plant_race(void)
{
	race(racer);
}

/* Nothing that has to be found. */
static void plant_marked(void)
{
	race(marked_racer);
}

/* The last one: whoever asks for it does not come back. */
static void plant_oops(void)
{
	int *p = NULL;

	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(*p, 1);
}

static const struct {
	const char *name;
	void (*fn)(void);
} bugs[] = {
	{ "none", plant_none },
	{ "lockdep", plant_lockdep },
	{ "atomic", plant_atomic },
	{ "shift", plant_shift },
	{ "bounds", plant_bounds },
	{ "oob", plant_oob },
	{ "uaf", plant_uaf },
	{ "list", plant_list },
	{ "refcount", plant_refcount },
	{ "object", plant_object },
	{ "leak", plant_leak },
	{ "race", plant_race },
	{ "marked", plant_marked },
	{ "oops", plant_oops },
};

static int plant(const char *val, const struct kernel_param *kp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!sysfs_streq(val, bugs[i].name))
			continue;
		pr_notice("vt_planted: begin %s\n", bugs[i].name);
		bugs[i].fn();
		pr_notice("vt_planted: end %s\n", bugs[i].name);
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops plant_ops = {
	.set	= plant,
};
module_param_cb(plant, &plant_ops, NULL, 0200);
MODULE_PARM_DESC(plant, "a bug to be done");

MODULE_DESCRIPTION("Bugs for debug kernels to find");
MODULE_LICENSE("GPL");
