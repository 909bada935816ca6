# SPDX-License-Identifier: GPL-2.0
# Of the scripts beside it, in a lab VM, from the build directory.

# run PROGRAM...: $result is its last line, $rc how it went
run() {
	log=$(mktemp)
	sh selftests/run.sh -o build/selftests "$@" | tee "$log"
	result=$(tail -n 1 "$log")
	case $result in
	*passed,\ 0\ failed*) rc=0 ;;
	*) rc=1 ;;
	esac
}

# The modules are gone; no page may be pinned. Ends the script.
given_back() {
	# The kernel sums up what the CPUs counted only now and then.
	echo 1 >/proc/sys/vm/stat_refresh
	grep foll_pin /proc/vmstat | sed 's/^/# /'
	set -- $(sed -n 's/^nr_foll_pin_[a-z]* //p' /proc/vmstat)
	[ "$1" = "$2" ] || { echo "not ok pages are still pinned"; rc=1; }
	echo "$result"
	exit $rc
}
