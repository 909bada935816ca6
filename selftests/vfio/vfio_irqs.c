// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of the VFIO door without a VM. Triggers that come from user
 * space take the same way as those of the controller.
 */
#include <sys/eventfd.h>

#include "vfio_life.h"

#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK VFIO_IRQ_SET_ACTION_MASK
#define UNMASK VFIO_IRQ_SET_ACTION_UNMASK

static int make_eventfd(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* How often it was signalled since the last look. */
static u64 count(int fd)
{
	u64 n = 0;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		return 0;
	return n;
}

static void make_all(int *fd, unsigned int n)
{
	while (n--)
		fd[n] = make_eventfd();
}

static void close_all(int *fd, unsigned int n)
{
	while (n--)
		close(fd[n]);
}

static u64 pending(struct vfio *v)
{
	return vfio_get(v, VFIO_BAR4, 0x1000, 8);
}

TEST_F(vfio, what_there_is)
{
	static const struct {
		u32 count, flags;
	} want[VFIO_PCI_NUM_IRQS] = {
		[VFIO_INTX] = { 1, VFIO_IRQ_INFO_EVENTFD |
				VFIO_IRQ_INFO_MASKABLE |
				VFIO_IRQ_INFO_AUTOMASKED },
		[VFIO_MSIX] = { VECTORS, VFIO_IRQ_INFO_EVENTFD |
				VFIO_IRQ_INFO_MASKABLE },
		[VFIO_PCI_ERR_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_REQ_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
	};
	struct vfio_irq_info info;
	unsigned int i;
	int fd = make_eventfd();

	OPEN();
	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		ASSERT_EQ(0, vfio_irq_info(&self->v, i, &info));
		EXPECT_EQ(want[i].count, info.count);
		EXPECT_EQ(want[i].flags, info.flags);
		EXPECT_EQ(want[i].count ? 0 : -EINVAL,
			  vfio_set_eventfds(&self->v, i, 0, 1, &fd));
		if (want[i].count)
			EXPECT_EQ(0, vfio_irqs_off(&self->v, i));
	}
	EXPECT_EQ(-EINVAL, vfio_irq_info(&self->v, VFIO_PCI_NUM_IRQS, &info));
	EXPECT_EQ(-EINVAL, vfio_set_eventfds(&self->v, VFIO_PCI_NUM_IRQS, 0, 1,
					     &fd));
	close(fd);
}

TEST_F(vfio, vectors)
{
	static const u8 some[VECTORS] = { 1, 0, 1, 0 };
	int fd[VECTORS], i;

	OPEN();
	make_all(fd, VECTORS);
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_MSIX, 0, TRIGGER));
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, VECTORS, fd));
	for (i = 0; i < VECTORS; i++) {
		EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, i, TRIGGER));
		EXPECT_EQ(1, count(fd[i]));
	}
	EXPECT_EQ(0, vfio_set_irqs(&self->v, VFIO_MSIX, TRIGGER |
				   VFIO_IRQ_SET_DATA_BOOL, 0, VECTORS, some, 1));
	for (i = 0; i < VECTORS; i++)
		EXPECT_EQ(some[i], count(fd[i]));
	EXPECT_EQ(0, pending(&self->v));
	EXPECT_EQ(0, vfio_irqs_off(&self->v, VFIO_MSIX));
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_MSIX, 0, TRIGGER));
	EXPECT_EQ(0, count(fd[0]));
	close_all(fd, VECTORS);
}

TEST_F(vfio, vectors_refused)
{
	int fd[VECTORS + 1], bad[2];

	OPEN();
	make_all(fd, VECTORS + 1);
	EXPECT_EQ(-EINVAL, vfio_set_eventfds(&self->v, VFIO_MSIX, 0,
					     VECTORS + 1, fd));
	EXPECT_EQ(-EINVAL, vfio_set_eventfds(&self->v, VFIO_MSIX, VECTORS, 1,
					     fd));
	EXPECT_EQ(-EINVAL, vfio_set_eventfds(&self->v, VFIO_MSIX, ~0u, 1, fd));
	EXPECT_EQ(-EINVAL, vfio_set_irqs(&self->v, VFIO_MSIX, TRIGGER | MASK |
					 VFIO_IRQ_SET_DATA_NONE, 0, 1, NULL, 0));
	EXPECT_EQ(-EINVAL, vfio_set_irqs(&self->v, VFIO_MSIX,
					 VFIO_IRQ_SET_DATA_NONE, 0, 1, NULL, 0));
	EXPECT_EQ(-EINVAL, vfio_set_irqs(&self->v, VFIO_MSIX, TRIGGER | 1u << 30 |
					 VFIO_IRQ_SET_DATA_NONE, 0, 1, NULL, 0));
	EXPECT_EQ(-ENOTTY, vfio_set_irqs(&self->v, VFIO_MSIX, MASK |
					 VFIO_IRQ_SET_DATA_EVENTFD, 0, 1, fd,
					 sizeof(fd[0])));
	/* One that is bad: all stay what they were. */
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, VECTORS, fd));
	bad[0] = fd[VECTORS];
	bad[1] = self->v.fd;
	EXPECT_EQ(-EINVAL, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, 2, bad));
	bad[1] = 9999;
	EXPECT_EQ(-EBADF, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, 2, bad));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 0, TRIGGER));
	EXPECT_EQ(1, count(fd[0]));
	EXPECT_EQ(0, count(fd[VECTORS]));
	close_all(fd, VECTORS + 1);
}

TEST_F(vfio, vector_without_eventfd)
{
	int fd[2] = { make_eventfd(), -1 };

	OPEN();
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, 2, fd));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 1, TRIGGER));
	EXPECT_EQ(2, pending(&self->v));
	/* It gets what came before. */
	fd[1] = make_eventfd();
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 1, 1, &fd[1]));
	EXPECT_EQ(1, count(fd[1]));
	EXPECT_EQ(0, pending(&self->v));
	EXPECT_EQ(0, count(fd[0]));
	close_all(fd, 2);
}

/* Three masks; while one is set, what is raised stays pending. */
static int set_mask(struct vfio *v, int kind, bool on)
{
	unsigned int msix = vfio_cap(v, PCI_CAP_ID_MSIX);

	switch (kind) {
	case 0:
		return vfio_irq_action(v, VFIO_MSIX, 1, on ? MASK : UNMASK);
	case 1:
		return vfio_write(v, VFIO_BAR4, 16 + 12, 4, on);
	default:
		return vfio_write(v, VFIO_CONFIG, msix + PCI_MSIX_FLAGS, 2,
				  PCI_MSIX_FLAGS_ENABLE |
				  (on ? PCI_MSIX_FLAGS_MASKALL : 0));
	}
}

TEST_F(vfio, vectors_masked)
{
	int fd[VECTORS], kind;

	OPEN();
	make_all(fd, VECTORS);
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, VECTORS, fd));
	for (kind = 0; kind < 3; kind++) {
		ASSERT_EQ(0, set_mask(&self->v, kind, true));
		EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 1, TRIGGER));
		EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 1, TRIGGER));
		EXPECT_EQ(0, count(fd[1]));
		EXPECT_EQ(2, pending(&self->v));
		/* The others are masked only by the function's mask. */
		EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 2, TRIGGER));
		EXPECT_EQ(kind != 2, count(fd[2]));
		ASSERT_EQ(0, set_mask(&self->v, kind, false));
		EXPECT_EQ(1, count(fd[1]));
		EXPECT_EQ(kind == 2, count(fd[2]));
		EXPECT_EQ(0, pending(&self->v));
	}
	/* Two at once: both must go. */
	set_mask(&self->v, 0, true);
	set_mask(&self->v, 1, true);
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 1, TRIGGER));
	set_mask(&self->v, 0, false);
	EXPECT_EQ(0, count(fd[1]));
	set_mask(&self->v, 1, false);
	EXPECT_EQ(1, count(fd[1]));
	close_all(fd, VECTORS);
}

TEST_F(vfio, table)
{
	unsigned int at;

	OPEN();
	for (at = 0; at < VECTORS * 16; at += 8)
		EXPECT_EQ(0, vfio_get(&self->v, VFIO_BAR4, at, 8));
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_BAR4, 16, 8, 0xfee00000));
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_BAR4, 24, 8, ~0ull));
	EXPECT_EQ(0xfee00000, vfio_get(&self->v, VFIO_BAR4, 16, 4));
	EXPECT_EQ(0xfe, vfio_get(&self->v, VFIO_BAR4, 19, 1));
	/* Of the control word only the mask is there. */
	EXPECT_EQ(0x1ffffffffull, vfio_get(&self->v, VFIO_BAR4, 24, 8));
	/* The rest of the BAR is empty and cannot be written. */
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_BAR4, VECTORS * 16, 8, ~0ull));
	EXPECT_EQ(0, vfio_get(&self->v, VFIO_BAR4, VECTORS * 16, 8));
	EXPECT_EQ(0, vfio_write(&self->v, VFIO_BAR4, 0x1000, 8, ~0ull));
	EXPECT_EQ(0, pending(&self->v));
	EXPECT_EQ(0, vfio_get(&self->v, VFIO_BAR4, 0x1ff8, 8));
	/* A reset clears it. */
	EXPECT_EQ(0, vfio_reset(&self->v));
	EXPECT_EQ(0, vfio_set_command(&self->v, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, vfio_get(&self->v, VFIO_BAR4, 24, 8));
}

TEST_F(vfio, reset_forgets_what_is_pending)
{
	int fd = make_eventfd();

	OPEN();
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 1, 1, &fd));
	ASSERT_EQ(0, set_mask(&self->v, 1, true));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 1, TRIGGER));
	EXPECT_EQ(0, vfio_reset(&self->v));
	EXPECT_EQ(0, count(fd));
	EXPECT_EQ(0, vfio_set_command(&self->v, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, pending(&self->v));
	/* The eventfd is still the VMM's. */
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 1, TRIGGER));
	EXPECT_EQ(1, count(fd));
	close(fd);
}

TEST_F(vfio, pin)
{
	int fd = make_eventfd(), un = make_eventfd();
	u64 one = 1;

	OPEN();
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_INTX, 0, UNMASK));
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_INTX, 0, 1, &fd));
	/* It masks itself. */
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(1, count(fd));
	/* The level is low: unmasked, it is not signalled again. */
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, UNMASK));
	EXPECT_EQ(0, count(fd));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(1, count(fd));
	/* Unmasked by an eventfd, as irqfd does it at the end of interrupt. */
	ASSERT_EQ(0, vfio_set_irqs(&self->v, VFIO_INTX, UNMASK |
				   VFIO_IRQ_SET_DATA_EVENTFD, 0, 1, &un,
				   sizeof(un)));
	EXPECT_EQ(sizeof(one), write(un, &one, sizeof(one)));
	EXPECT_TRUE(vt_wait((vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER),
			     count(fd))));
	/* Masked by hand, and by the command register. */
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, MASK));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(0, count(fd));
	EXPECT_EQ(0, vfio_set_command(&self->v, PCI_COMMAND_MEMORY |
				      PCI_COMMAND_INTX_DISABLE));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, UNMASK));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(0, count(fd));
	EXPECT_EQ(0, vfio_set_command(&self->v, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	EXPECT_EQ(1, count(fd));
	EXPECT_EQ(0, vfio_irqs_off(&self->v, VFIO_INTX));
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_INTX, 0, TRIGGER));
	close(fd);
	close(un);
}

TEST_F(vfio, notifiers)
{
	static const unsigned int index[] = {
		VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX,
	};
	unsigned int i;
	int fd = make_eventfd();

	OPEN();
	for (i = 0; i < ARRAY_SIZE(index); i++) {
		EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, index[i], 0,
						   TRIGGER));
		ASSERT_EQ(0, vfio_set_eventfds(&self->v, index[i], 0, 1, &fd));
		EXPECT_EQ(0, vfio_irq_action(&self->v, index[i], 0, TRIGGER));
		EXPECT_EQ(1, count(fd));
		EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, index[i], 0,
						   MASK));
		EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, index[i], 1,
						   TRIGGER));
		EXPECT_EQ(0, vfio_irqs_off(&self->v, index[i]));
		EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, index[i], 0,
						   TRIGGER));
	}
	close(fd);
}

TEST_F(vfio, pin_is_silent_with_msix)
{
	int pin = make_eventfd(), vec = make_eventfd();

	OPEN();
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_INTX, 0, 1, &pin));
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, 1, &vec));
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 0, TRIGGER));
	EXPECT_EQ(1, count(vec));
	EXPECT_EQ(0, count(pin));
	close(pin);
	close(vec);
}

/* Eventfds are left as they are: nothing may be left of them. */
TEST_F(vfio, closed_with_everything_set)
{
	int fd[VECTORS], un = make_eventfd();
	int i;

	OPEN();
	make_all(fd, VECTORS);
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_INTX, 0, 1, fd));
	ASSERT_EQ(0, vfio_set_irqs(&self->v, VFIO_INTX, UNMASK |
				   VFIO_IRQ_SET_DATA_EVENTFD, 0, 1, &un,
				   sizeof(un)));
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_MSIX, 0, VECTORS, fd));
	ASSERT_EQ(0, vfio_set_eventfds(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1,
				       fd));
	set_mask(&self->v, 2, true);
	EXPECT_EQ(0, vfio_irq_action(&self->v, VFIO_MSIX, 3, TRIGGER));
	vfio_close(&self->v);
	/* Whoever comes next finds nothing of it. */
	OPEN();
	EXPECT_EQ(0, pending(&self->v));
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_MSIX, 3, TRIGGER));
	EXPECT_EQ(-EINVAL, vfio_irq_action(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0,
					   TRIGGER));
	for (i = 0; i < VECTORS; i++)
		EXPECT_EQ(0, count(fd[i]));
	close_all(fd, VECTORS);
	close(un);
}

TEST_HARNESS_MAIN
