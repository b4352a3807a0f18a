#!/bin/sh
# local.sh REGRAFT DATA: does with processes what classify-job.yaml does with pods: one for each shard, with the same arguments, some of
# them killed and started again. DATA holds best.onnx and photos, and gets answers and answers.jsonl. KILLS (3) is how many are killed.
set -eu
regraft=$1 data=$2 kills=${KILLS:-3}
job=$(dirname "$0")/classify-job.yaml
shards=$(sed -n 's/^  completions: \([0-9]*\).*/\1/p' "$job")
arguments=$(sed -n 's/^ *args: \[\(.*\)\]/\1/p' "$job" | tr -d ',' | sed "s#/data#$data#g")

# shard INDEX tries until the shard is complete, six times at most (backoffLimitPerIndex), and kills its first try where told.
shard() {
	for try in 1 2 3 4 5 6; do
		JOB_COMPLETION_INDEX=$1 "$regraft" $arguments 2>>"$data/shard-$1.log" &
		pid=$!
		if [ "$try" = 1 ] && [ "$1" -lt "$kills" ]; then
			sleep "${DELAY:-1}"
			kill -9 $pid 2>/dev/null && echo "shard $1: killed"
		fi
		if wait $pid; then return 0; fi
	done
	echo "shard $1: failed six times, see $data/shard-$1.log" >&2
	return 1
}

index=0 running=
while [ "$index" -lt "$shards" ]; do
	shard "$index" &
	running="$running $!"
	index=$((index + 1))
done
for pid in $running; do wait "$pid"; done
"$regraft" merge "$data/answers" -o "$data/answers.jsonl"
