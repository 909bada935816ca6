/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MINMAX_H
#define _SHIM_LINUX_MINMAX_H

#define min(a, b)				\
	({					\
		typeof(a) min_a_ = (a);		\
		typeof(b) min_b_ = (b);		\
		min_a_ < min_b_ ? min_a_ : min_b_;	\
	})

#define min_t(type, a, b)	min((type)(a), (type)(b))

#define max(a, b)				\
	({					\
		typeof(a) max_a_ = (a);		\
		typeof(b) max_b_ = (b);		\
		max_a_ > max_b_ ? max_a_ : max_b_;	\
	})

#define max_t(type, x, y)			\
	({					\
		type x_ = (x);			\
		type y_ = (y);			\
		x_ > y_ ? x_ : y_;		\
	})

#endif
