#!/bin/bash
# cost.sh REGRAFT MODEL FOLDER...: what classifying costs, by processor time, which depends little on what else the machine does. Each folder holds
# photos of one size. The time of a run with one photo, start and loading, is taken off that with all. Prints a table for bench/COST.md.
set -eu
regraft=$1 model=$2
shift 2
export LC_ALL=C TIMEFORMAT='%U %S'
# seconds FILE... is the processor time of answering for them, the least of three runs.
seconds() {
	for _ in 1 2 3; do
		{ time "$regraft" classify -q --json --no-cache --skip-bad -m "$model" --decode "$decode" "$@" >/dev/null 2>&1; } 2>&1
	done | awk '{ s = $1 + $2; if (NR == 1 || s < least) least = s } END { print least }'
}
echo '| photos | `--decode` | s of processor time each | a core-hour | a million, 2 cores | 16 cores | 160 cores |'
echo '|---|---|---|---|---|---|---|'
for folder; do
	mapfile -t files < <(find "$folder" -type f | sort)
	for decode in exact fast; do
		all=$(seconds "${files[@]}") one=$(seconds "${files[0]}")
		awk -v n="${#files[@]}" -v all="$all" -v one="$one" -v name="$(basename "$folder")" -v decode="$decode" 'BEGIN {
			s = (all - one) / (n - 1); m = 1e6 * s / 3600
			printf "| %s | %s | %.3f | %d | %.1f h | %.1f h | %.2f h |\n", name, decode, s, 3600 / s, m / 2, m / 16, m / 160 }'
	done
done
