#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs test programs; the last line is the sum of their last lines.
passed=0
failed=0

for prog; do
	log=$prog.log
	echo "# $(basename "$prog")"
	"$prog" >"$log" 2>&1
	rc=$?
	cat "$log"
	last=$(tail -n 1 "$log")
	case $last in
	*" passed, "*" failed")
		passed=$((passed + ${last%% *}))
		last=${last#* passed, }
		failed=$((failed + ${last%% *}))
		;;
	*)
		echo "# $(basename "$prog") ended with $rc before its last line"
		failed=$((failed + 1))
		;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
