#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own judges on our sources: W=1 and sparse for each kernel that
# is supported, and checkpatch --strict. KTAP output.
cd "$(dirname "$0")/.." || exit 1
fail=0
n=0

report() { # result name log
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' "$3"
		fail=$((fail + 1))
	fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "KTAP version 1"
for kernel in 6.12 7.2; do
	out=$(tools/lab/lab build "$kernel" check-sparse 2>&1) && rc=0 || rc=1
	printf '%s\n' "$out" | grep -E 'warning:|error:|Error' >"$log" && rc=1
	[ "$rc" = 0 ] || printf '%s\n' "$out" | tail -n 20 >>"$log"
	report "$rc" "W=1 and sparse on $kernel" "$log"
done

# Comments are in kernel-doc above the struct, not beside the field; the
# tracepoint and version headers look as such headers do.
tools/lab/lab build 6.12 checkpatch-script >"$log" 2>&1 || report 1 "checkpatch.pl" "$log"
checkpatch=build/6.12/build/checkpatch/checkpatch.pl
export checkpatch
# A file that is older than its stamp has passed.
git ls-files 'drivers/*.[ch]' 'include/*.h' 'tools/lab/svm/*.c' | xargs -P "$(nproc)" -n 1 sh -c '
	stamp=$(dirname "$checkpatch")/$(echo "$1" | tr / _).ok
	[ ! "$stamp" -nt "$1" ] || [ ! "$stamp" -nt tools/check-style.sh ] || exit 0
	ignore=UNCOMMENTED_DEFINITION,MACRO_ARG_REUSE
	case $1 in
	*/trace.h) ignore=$ignore,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,SPACING ;;
	drivers/compat/* | tools/lab/svm/*) ignore=$ignore,LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED ;;
	esac
	perl "$checkpatch" --strict --no-tree --terse --no-summary \
		--ignore "$ignore" -f "$1" 2>&1 && touch "$stamp"' sh >"$log"
if [ -s "$log" ]; then rc=1; else rc=0; fi
report "$rc" "checkpatch --strict" "$log"

find drivers -name '*.[ch]' ! -path 'drivers/compat/*' \
	-exec grep -lE 'LINUX_VERSION_CODE|KERNEL_VERSION\(' {} + >"$log"
if [ -s "$log" ]; then rc=1; else rc=0; fi
report "$rc" "kernel version checks only in drivers/compat" "$log"

echo "1..$n"
echo "$((n - fail)) passed, $fail failed"
[ "$fail" = 0 ]
