#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# First process of a guest: load the drivers, then run what arrives on the port
# "lab.agent". A request is one line: a token, a time limit, a bash script in
# base64. The script's output is followed by 0x1e, the token, the exit code, a newline.

/bin/busybox mkdir -p /proc /sys /dev /tmp /run /mnt /sbin /root
/bin/busybox --install -s /bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
ln -s /bin/modprobe /sbin/modprobe
modprobe -a $(cat /load)
mount -t debugfs debug /sys/kernel/debug

# The ports and their names come some time after the driver.
tries=300
while [ -z "$port" ] && [ $tries -gt 0 ]; do
	name=$(grep -lx lab.agent /sys/class/virtio-ports/*/name 2>/dev/null)
	if [ -n "$name" ]; then
		name=${name%/name}
		port=/dev/${name##*/}
	else
		tries=$((tries - 1))
		sleep 0.1
	fi
done
if [ -z "$port" ]; then
	echo "lab: no agent port" >/dev/console
	exec setsid -c sh </dev/hvc0 >/dev/hvc0 2>&1
fi

exec 3<>"$port"
mkfifo /run/out
cat </run/out >&3 &
exec 4>/run/out
printf '\036ready 0\n' >&4
while read -r token limit script <&3; do
	echo "$script" | base64 -d >/run/script
	timeout -s KILL "$limit" bash /run/script </dev/null >&4 2>&1 3<&- 4>&-
	printf '\036%s %s\n' "$token" $? >&4
done
poweroff -f
