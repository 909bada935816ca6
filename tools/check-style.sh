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
trap 'rm -f "$log" "$log.now"' EXIT

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
stamp_of() {
	echo "$(dirname "$checkpatch")/$(echo "$1" | tr / _).ok"
}

# lint IGNORE FILE...: those that changed. Starting the judge is most of its work.
lint() {
	ignore=UNCOMMENTED_DEFINITION,MACRO_ARG_REUSE$1
	shift
	for file; do
		# A file that is older than its stamp has passed.
		stamp=$(stamp_of "$file")
		[ "$stamp" -nt "$file" ] && [ "$stamp" -nt tools/check-style.sh ] || echo "$file"
	done | ignore=$ignore xargs -r -P "$(nproc)" -n 16 sh -c '
		perl "$checkpatch" --strict --no-tree --terse --no-summary \
			--ignore "$ignore" -f "$@" 2>&1' sh >"$log.now"
	cat "$log.now" >>"$log"
	[ -s "$log.now" ] || for file; do
		touch "$(stamp_of "$file")"
	done
}

: >"$log"
traces=$(git ls-files 'drivers/*/trace.h')
versions=$(git ls-files 'drivers/compat/*.[ch]' 'tools/lab/svm/*.c')
rest=$(git ls-files 'drivers/*.[ch]' 'include/*.h' 'selftests/planted/*.c' | grep -v -e /trace.h -e drivers/compat/)
# shellcheck disable=SC2086
{
	lint ,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,SPACING $traces
	lint ,LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED $versions
	lint "" $rest
}
if [ -s "$log" ]; then rc=1; else rc=0; fi
report "$rc" "checkpatch --strict" "$log"

find drivers -name '*.[ch]' ! -path 'drivers/compat/*' \
	-exec grep -lE 'LINUX_VERSION_CODE|KERNEL_VERSION\(' {} + >"$log"
if [ -s "$log" ]; then rc=1; else rc=0; fi
report "$rc" "kernel version checks only in drivers/compat" "$log"

python3 tools/syzkaller/check.py >"$log" && rc=0 || rc=1
report "$rc" "syzkaller descriptions are those of the header" "$log"

echo "1..$n"
echo "$((n - fail)) passed, $fail failed"
[ "$fail" = 0 ]
