#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [-o DIR] [PROGRAM...]
#
# Runs the test programs built in DIR (build/selftests), all of them or those
# named (blk/blk_io, or just blk_io), and ends with "N passed, N failed, N
# skipped". A program that dies, or does not do what it planned, is one failure.
# BLK_IO_ARGS, BLK_FUZZ_ARGS and SCSI_FUZZ_ARGS are handed to the program of that
# name. TURN=0 or TURN=1: every other variant of each program, the rest are the
# other turn's.

here=$(cd "$(dirname "$0")" && pwd)
dir=$here/../build/selftests
if [ "$1" = -o ]; then
	dir=$2
	shift 2
fi
if [ ! -f "$dir/test_progs" ]; then
	echo "$0: nothing built in $dir: make -C selftests first" >&2
	exit 2
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

count() {
	grep -cE "$1" "$log"
}

# The harness's words for the variants of the other turn. The list has one in
# columns 22 to 46; of four, the first and the last are one turn.
not_in_turn() {
	grep -q '# FIXTURE' "$dir/$1" || return 0
	"$dir/$1" -l 2>&1 | awk -v turn="$TURN" '
		/^# FIXTURE/ || /^---/ { next }
		{ v = substr($0, 22, 25); gsub(/ /, "", v) }
		v != "" && !(v in at) { at[v] = n++ }
		END {
			for (v in at)
				if (n > 1 && (at[v] + int(at[v] / 2)) % 2 != turn)
					printf "-V %s ", v
		}'
}

run_one() {
	args=
	case $1 in
	*/blk_io) args=$BLK_IO_ARGS ;;
	*/blk_fuzz) args=$BLK_FUZZ_ARGS ;;
	*/scsi_fuzz) args=$SCSI_FUZZ_ARGS ;;
	esac
	[ -z "$TURN" ] || args="$args $(not_in_turn "$1")"
	echo "# ==== $1 $args"
	start=$(date +%s)
	{ "$dir/$1" $args 2>&1; echo "# exit code $?"; } | tee "$log"
	echo "# ==== $1: $(($(date +%s) - start)) s"

	fail=$(count '^not ok ')
	skip=$(count '^ok .*# SKIP')
	pass=$(($(count '^ok ') - skip))
	plan=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$log" | head -n 1)
	code=$(sed -n 's/^# exit code //p' "$log" | tail -n 1)
	if [ "$plan" = 0 ]; then
		skip=$((skip + 1))
	elif [ "$plan" != $((pass + fail + skip)) ]; then
		echo "# $1: planned ${plan:-nothing}, did $((pass + fail + skip))"
		fail=$((fail + 1))
	elif [ "$code" != 0 ] && [ "$fail" = 0 ]; then
		echo "# $1: exit code $code"
		fail=$((fail + 1))
	fi
	passed=$((passed + pass))
	failed=$((failed + fail))
	skipped=$((skipped + skip))
}

for name in ${@:-$(cat "$dir/test_progs")}; do
	found=$(grep -E "(^|/)$name\$" "$dir/test_progs" | head -n 1)
	if [ -z "$found" ]; then
		echo "# no test program $name"
		failed=$((failed + 1))
		continue
	fi
	run_one "$found"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
