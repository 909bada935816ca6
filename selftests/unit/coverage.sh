#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# coverage.sh OUT MIN PROGRAM...: run programs built for coverage, fuzz targets
# also over the corpora there are, and say what they reached.
out=$1
least=$2
shift 2
dir=$out/coverage
find "$dir" -name '*.gcda' -delete

# run PROGRAM ARG...
run() {
	prog=$dir/$1
	shift
	"$prog" "$@" >"$prog.log" 2>&1 && return
	cat "$prog.log"
	echo "$prog failed"
	exit 1
}

for prog; do
	run "$prog"
	corpus=$out/corpus/${prog#fuzz_}
	[ -d "$corpus" ] || continue
	find "$corpus" -type f | xargs "$dir/$prog" || exit 1
done
exec ./coverage.py "$least" "$dir"
