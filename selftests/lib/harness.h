/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's test harness with time enough for an emulated machine. */
#ifndef VT_HARNESS_H
#define VT_HARNESS_H

#include <kselftest_harness.h>

/* Seconds; each wait inside a test has its own, shorter limit. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

#endif
