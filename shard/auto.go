package shard

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// engine names the variables by which an engine tells a process its place among those that it starts.
type engine struct {
	name  string
	index string
	// count is how many there are, or first and last say it; an engine without them does not.
	count, first, last, step string
	base                     int // of the index, where the number of shards is given and first is not asked
}

// engines are those that --shard auto knows.
var engines = []engine{
	{name: "Slurm's array", index: "SLURM_ARRAY_TASK_ID", count: "SLURM_ARRAY_TASK_COUNT", first: "SLURM_ARRAY_TASK_MIN",
		last: "SLURM_ARRAY_TASK_MAX", step: "SLURM_ARRAY_TASK_STEP"},
	{name: "Kubernetes", index: "JOB_COMPLETION_INDEX"},
	{name: "AWS Batch", index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"},
	{name: "PBS", index: "PBS_ARRAY_INDEX"},
	{name: "Torque", index: "PBS_ARRAYID"},
	{name: "Grid Engine", index: "SGE_TASK_ID", first: "SGE_TASK_FIRST", last: "SGE_TASK_LAST", step: "SGE_TASK_STEPSIZE", base: 1},
}

// automatic is the shard that an engine's variables say; n is the number of shards where the user gives it, else 0.
func automatic(n int, getenv func(string) string) (Shard, error) {
	var found []engine
	for _, e := range engines {
		if v := getenv(e.index); v != "" && v != "undefined" { // Grid Engine's word outside of arrays
			found = append(found, e)
		}
	}
	switch {
	case len(found) > 1:
		return Shard{}, fmt.Errorf("auto: both %s and %s are set: write I/N", found[0].index, found[1].index)
	case len(found) == 1:
		return found[0].shard(n, getenv)
	}
	if rank, tasks := getenv("SLURM_PROCID"), getenv("SLURM_NTASKS"); rank != "" && tasks != "" { // srun without an array
		return engine{name: "Slurm", index: "SLURM_PROCID", count: "SLURM_NTASKS"}.shard(n, getenv)
	}
	return Shard{}, errors.New("auto: no variable of Slurm, Kubernetes, AWS Batch, PBS or Grid Engine says which shard this is: write I/N")
}

// shard reads the variables.
func (e engine) shard(n int, getenv func(string) string) (Shard, error) {
	var bad []string
	number := func(name string, otherwise int) int {
		v := getenv(name)
		if name == "" || v == "" {
			return otherwise
		}
		i, err := strconv.Atoi(v)
		if err != nil {
			bad = append(bad, fmt.Sprintf("%s=%q", name, v))
		}
		return i
	}
	index := number(e.index, 0)
	count, first, last, step := number(e.count, 0), number(e.first, 0), number(e.last, -1), number(e.step, 1)
	switch {
	case len(bad) > 0:
		return Shard{}, fmt.Errorf("auto: %s is no number", strings.Join(bad, ", "))
	case n > 0: // a part of the array may be started again, and has other ends then
		return of(index-e.base, n)
	case count == 0 && last < first:
		return Shard{}, fmt.Errorf("auto: %s says which shard this is (%s=%d), not how many there are: write auto/N", e.name, e.index, index)
	case last >= first && (step != 1 || count > 0 && count != last-first+1 || first != e.base):
		return Shard{}, fmt.Errorf("auto: the array of %s does not go from %d on without gaps (%s=%d, from %d to %d): write auto/N", e.name, e.base, e.index, index, first, last)
	case count == 0:
		count = last - first + 1
	}
	return of(index-e.base, count)
}
