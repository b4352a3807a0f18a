#!/bin/sh
#SBATCH --job-name=regraft
#SBATCH --array=0-9
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --requeue
# sbatch classify.sh MODEL PHOTOS ANSWERS: ten shards, each a task that goes on where it was when it is requeued. Then
#   regraft merge ANSWERS -o answers.jsonl
# One shard again, by itself: sbatch --array=3 classify.sh MODEL PHOTOS ANSWERS
shards=10 # of the array above
exec regraft classify --model "$1" --shard auto/$shards --resume --skip-bad --no-cache --threads "${SLURM_CPUS_PER_TASK:-1}" --out "$3" "$2"
