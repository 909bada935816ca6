// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"

int submit(struct vblk_queue *q, u32 type, unsigned int n)
{
	int ret = vblk_submit_many(q, type, n, LEN);

	if (!ret)
		vblk_kick(q);
	return ret;
}

static void start_child(life_open_fn open, struct vblk *d,
			const struct vblk_opts *o)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (open(d, o))
		_exit(1);
}

pid_t child_with_io(life_open_fn open, struct vblk *d,
		    const struct vblk_opts *o, u32 type)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	start_child(open, d, o);
	if (submit(&d->q[0], type, FLIGHT))
		_exit(1);
	for (;;)
		pause();
}

pid_t child_at_work(life_open_fn open, struct vblk *d,
		    const struct vblk_opts *o)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	start_child(open, d, o);
	for (;;)
		vblk_verified_io(&d->q[0], 0, 24, LEN, 1);
}

int kill_child(pid_t pid, const struct bed *b)
{
	int status;

	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFSIGNALED(status)) {
		vt_msg("the child ended by itself: %d", WEXITSTATUS(status));
		return -ECHILD;
	}
	return bed_wait_detached(b);
}

static int swap_call(struct vblk_queue *q)
{
	int fd = q->d->fd, event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ret;

	if (event < 0)
		return -errno;
	ret = submit(q, READ, 4);
	/* What was signalled to the old one was said: look. */
	if (!ret)
		ret = vhost_set_vring_call(fd, q->index, event);
	close(q->call);
	q->call = event;
	vring_disarm(&q->vr);
	return ret ? ret : vblk_drain(q);
}

int swap_calls(struct vblk_queue *q, unsigned int n)
{
	int ret = 0;

	while (!ret && n--)
		ret = swap_call(q);
	if (!ret)
		ret = vhost_set_vring_call(q->d->fd, q->index, -1);
	q->d->o.poll = true;
	return ret;
}
