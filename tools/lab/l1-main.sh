# SPDX-License-Identifier: GPL-2.0
# Second half of L1's start, in the root tree: run the command, say how it ended.
# /lab/settings holds LAB_*; /lab/command is the script to run.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
. /lab/settings
export LAB_GUEST_RELEASE LAB_GUEST_KERNEL LAB_GUEST_INITRD

# As on a host with the modules installed.
cp /src/tools/conf/*.conf /etc/modprobe.d/ 2>/dev/null

ulimit -l unlimited
ulimit -c 0

# All output goes through one fifo, so that the end mark comes after it. The port
# can be opened once only: the command gets the fifo.
exec 3<>/dev/vport0p1
busybox=/lab/busybox
$busybox mkfifo /lab/out
$busybox cat </lab/out >&3 &
exec 4>/lab/out
mark() {
	printf '\036%s %s\n' "$LAB_TOKEN" "$*" >&4
}

# On a timeout L0 asks what is stuck. Empty lines only wake a CPU.
(
	while read -r line <&3 && [ -z "$line" ]; do :; done
	echo w >/proc/sysrq-trigger
	echo l >/proc/sysrq-trigger
	$busybox sleep 1
	$busybox dmesg >"/src/log/$LAB_DMESG"
	mark dumped
) 4>/lab/out &

echo 5 >/proc/sys/kernel/printk
mark booted
cd "$LAB_CWD" || cd /
if [ -n "$LAB_TTY" ]; then
	setsid -c -w bash /lab/command </dev/hvc0 >/dev/hvc0 2>&1 3<&- 4>&-
else
	setsid -w bash /lab/command </dev/null >&4 2>&1 3<&- 4>&-
fi
code=$?

if [ -n "$LAB_KMEMLEAK" ]; then
	# Young objects are not reported: scan, let them age, scan again.
	leaks=/sys/kernel/debug/kmemleak
	echo scan >$leaks
	$busybox sleep 6
	echo scan >$leaks
	$busybox cat $leaks >"/src/log/$LAB_KMEMLEAK"
fi
$busybox dmesg >"/src/log/$LAB_DMESG"
mark "exit $code"
$busybox sleep 30
$busybox poweroff -f
