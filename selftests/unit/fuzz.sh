#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh OUT SECONDS TARGET...: run them by libFuzzer, each for its share of
# the time; KTAP. What they find of interest stays in OUT/corpus.
out=$1
seconds=$2
shift 2
n=0
failed=0
share=$((seconds / $#))
[ "$share" -gt 0 ] || share=1

echo "KTAP version 1"
echo "1..$#"
for target; do
	n=$((n + 1))
	corpus=$out/corpus/$target
	log=$out/corpus/$target.log
	mkdir -p "$corpus"
	if "$out/clang/fuzz_$target" -max_total_time="$share" -max_len=4096 \
		-use_value_profile=1 -print_final_stats=1 -rss_limit_mb=3000 \
		-artifact_prefix="$out/corpus/$target-" \
		"$corpus" "$out/seeds/$target" >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
		cov=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
		echo "ok $n fuzz_$target: $runs runs, $cov edges," \
			"corpus of $(find "$corpus" -type f | wc -l)"
	else
		failed=$((failed + 1))
		tail -n 40 "$log" | sed 's/^/# /'
		echo "not ok $n fuzz_$target"
		sed -n "s|.*Test unit written to |# reproducer: $out/clang/fuzz_$target |p" \
			"$log"
	fi
done
echo "$((n - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
