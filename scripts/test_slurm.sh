#!/bin/bash
# test_slurm.sh REGRAFT MODEL PHOTOS, as root: munged, slurmctld and one slurmd of two cores on loopback (Debian's slurm-wlm and munge) run
# deploy/slurm/classify.sh as an array; one task is killed and requeued while it works. The merged answers must have the bytes of one process. The
# daemons end with the script.
set -eu
regraft=$(realpath "$1") model=$(realpath "$2") photos=$(realpath "$3") script=$(realpath "$(dirname "$0")")/../deploy/slurm/classify.sh
work=$(mktemp -d) running=()
stop() {
	for p in "${running[@]}"; do kill "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT
host=$(hostname -s)
export SLURM_CONF=$work/slurm.conf PATH=$work/bin:$PATH
mkdir -p "$work"/{state,spool,bin,munge}
ln -s "$regraft" "$work/bin/regraft"
head -c 1024 /dev/urandom >"$work/munge/key"
chmod 700 "$work/munge" && chmod 400 "$work/munge/key"
chmod 711 "$work"
/usr/sbin/munged --foreground --force --socket="$work/munge.socket" --key-file="$work/munge/key" --pid-file="$work/munge.pid" \
	--log-file="$work/munge.log" --seed-file="$work/munge/seed" &
running+=($!)
cat >"$SLURM_CONF" <<END
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
SlurmUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
/usr/sbin/slurmctld -D & running+=($!)
/usr/sbin/slurmd -D -N "$host" & running+=($!)
until sinfo -h -o %T 2>/dev/null | grep -q idle; do sleep 1; done
sinfo
"$regraft" classify -q --skip-bad --no-cache -m "$model" -o "$work/want.jsonl" "$photos"
cd "$work"
job=$(sbatch --parsable "$script" "$model" "$photos" "$work/answers")
echo "array $job"
until task=$(squeue -h -r -t R -o %i -j "$job" | head -1) && [ -n "$task" ]; do sleep 0.2; done
scontrol requeue "$task"
echo "task $task was requeued while it ran"
while squeue -h -r -j "$job" -o "%i %T" 2>/dev/null | grep -q .; do sleep 1; done
grep -h 'requeue\|WEXITSTATUS\|_slurm_rpc_requeue' "$work/slurmctld.log" | tail -12
cat "$work"/slurm-*.out
"$regraft" merge "$work/answers" -o "$work/answers.jsonl"
cmp "$work/want.jsonl" "$work/answers.jsonl"
echo "$(wc -l <"$work/answers.jsonl") answers, the bytes of one process"
