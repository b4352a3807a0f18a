#!/bin/bash
# test_spark.sh REGRAFT MODEL PHOTOS: a standalone cluster on loopback, a master and two workers of one core, classifies a folder of photos with
# spark_classify.py while one worker is killed with all that it runs. Every photo must have one answer, with the bytes of one process.
# PYTHON has pyspark, pandas and pyarrow; java is on the path.
set -eu
regraft=$(realpath "$1") model=$(realpath "$2") photos=$(realpath "$3") here=$(realpath "$(dirname "$0")")
python=${PYTHON:-python3} parts=${PARTS:-24}
work=$(mktemp -d) running=()
children() { for p in $(pgrep -P "$1"); do children "$p"; echo "$p"; done; }
stop() {
	for p in "${running[@]}"; do kill -9 $(children "$p") "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT
SPARK_HOME=$("$python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1 SPARK_DAEMON_MEMORY=256m SPARK_WORKER_DIR=$work/worker SPARK_LOCAL_DIRS=$work/local PYSPARK_PYTHON=$python PYSPARK_DRIVER_PYTHON=$python
start() { "$SPARK_HOME/bin/spark-class" "$@" >>"$work/log" 2>&1 & running+=($!); disown; }

find "$photos" -name '*.jpg' | sort >"$work/list"
head -c 1000 /dev/zero >"$work/broken.jpg"
echo "$work/broken.jpg" >>"$work/list"
"$regraft" classify -q --json --skip-bad --no-cache -m "$model" --files-from "$work/list" 2>/dev/null | sort >"$work/want"
port=17077
start org.apache.spark.deploy.master.Master --host 127.0.0.1 --port $port --webui-port 0
for i in 1 2; do start org.apache.spark.deploy.worker.Worker spark://127.0.0.1:$port --host 127.0.0.1 --cores 1 --memory 600m --webui-port 0; done
victim=${running[1]}
"$SPARK_HOME/bin/spark-submit" --master spark://127.0.0.1:$port --executor-memory 500m --driver-memory 500m --conf spark.ui.enabled=false \
	--conf spark.sql.shuffle.partitions="$parts" --conf spark.sql.adaptive.enabled=false --py-files "$here/regraft_pipe.py" \
	"$here/spark_classify.py" --regraft "$regraft" --model "$model" --files-from "$work/list" --out "$work/out" --partitions "$parts" >>"$work/log" 2>&1 &
job=$!
running+=($job)
done_parts() { find "$work/out" -name 'part-*.parquet' 2>/dev/null | wc -l; }
until [ "$(done_parts)" -ge 4 ]; do
	kill -0 $job 2>/dev/null || { tail -50 "$work/log"; exit 1; }
	sleep 0.2
done
kill -9 $(children "$victim") "$victim"
echo "a worker with its executor was killed when $(done_parts) of $parts parts were begun or done"
wait $job || { tail -50 "$work/log"; exit 1; }
grep -c 'Lost executor\|Lost task' "$work/log" | sed 's/$/ lines of the log tell of what was lost/'
"$python" -c 'import sys, pyarrow.parquet as p; sys.stdout.write("".join(a + "\n" for a in p.read_table(sys.argv[1])["answer"].to_pylist()))' "$work/out" | LC_ALL=C sort >"$work/got"
LC_ALL=C sort "$work/want" | cmp - "$work/got"
echo "$(wc -l <"$work/got") answers, each once, the bytes of one process"
