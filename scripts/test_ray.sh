#!/bin/bash
# test_ray.sh REGRAFT MODEL PHOTOS: Ray on this machine classifies a folder of photos with ray_classify.py by two actors, of which one is killed with
# its regraft. Every photo must have one answer, with the bytes of one process. PYTHON has ray[data].
set -eu
regraft=$(realpath "$1") model=$(realpath "$2") photos=$(realpath "$3") here=$(realpath "$(dirname "$0")")
python=${PYTHON:-python3} work=$(mktemp -d) job=
stop() {
	[ -z "$job" ] || kill "$job" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT
find "$photos" -name '*.jpg' | sort >"$work/list"
head -c 1000 /dev/zero >"$work/broken.jpg"
echo "$work/broken.jpg" >>"$work/list"
"$regraft" classify -q --json --skip-bad --no-cache -m "$model" --files-from "$work/list" 2>/dev/null | LC_ALL=C sort >"$work/want"
# a name of its own, by which the actors' processes are known; slow, so that the kill meets one at work
cat >"$work/regraft" <<END
#!/bin/bash
"$regraft" "\$@" | while IFS= read -r line; do sleep 0.2; printf '%s\n' "\$line"; done
END
chmod +x "$work/regraft"
RAY_TMPDIR=$work "$python" "$here/ray_classify.py" --regraft "$work/regraft" --model "$model" --files-from "$work/list" --out "$work/out" --actors 2 --batch 6 >"$work/log" 2>&1 &
job=$!
until pipe=$(pgrep -f "^/bin/bash $work/regraft" | head -1) && [ -n "$pipe" ]; do
	kill -0 $job 2>/dev/null || { tail -50 "$work/log"; exit 1; }
	sleep 0.2
done
sleep "${DELAY:-3}"
actor=$(ps -o ppid= -p "$pipe")
kill -9 $actor
echo "an actor was killed"
wait $job || { tail -50 "$work/log"; exit 1; }
grep -ci 'died\|restart' "$work/log" | sed 's/$/ lines of the log tell of it/' || true
"$python" -c 'import sys, pyarrow.parquet as p; sys.stdout.write("".join(a + "\n" for a in p.read_table(sys.argv[1])["answer"].to_pylist()))' "$work/out" | LC_ALL=C sort >"$work/got"
cmp "$work/want" "$work/got"
echo "$(wc -l <"$work/got") answers, each once, the bytes of one process"
