/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_LLIST_H
#define _SHIM_LINUX_LLIST_H

#include <linux/kernel.h>
#include <linux/types.h>

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

/* One thread. */

static inline void init_llist_head(struct llist_head *l)
{
	l->first = NULL;
}

static inline bool llist_empty(const struct llist_head *l)
{
	return !l->first;
}

static inline bool llist_add(struct llist_node *n, struct llist_head *l)
{
	bool first = !l->first;

	n->next = l->first;
	l->first = n;
	return first;
}

static inline struct llist_node *llist_del_all(struct llist_head *l)
{
	struct llist_node *n = l->first;

	l->first = NULL;
	return n;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *next, *done = NULL;

	for (; n; n = next) {
		next = n->next;
		n->next = done;
		done = n;
	}
	return done;
}

#define llist_entry(node, type, member)	container_of(node, type, member)

#define llist_entry_or_null(node, type, member)				\
	((node) ? container_of(node, type, member) : NULL)

#define llist_for_each_entry_safe(pos, n, node, member)			\
	for (pos = llist_entry_or_null(node, typeof(*pos), member);	\
	     pos && (n = llist_entry_or_null(pos->member.next,		\
					     typeof(*pos), member), 1);	\
	     pos = n)

#endif
