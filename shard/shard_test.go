package shard

import (
	"fmt"
	"strings"
	"testing"
)

// TestAuto: what engines set, and what they cannot mean.
func TestAuto(t *testing.T) {
	for _, c := range []struct{ text, variables, want string }{
		{"3/10", "", "3/10"},
		{"0/1", "", "0/1"},
		{"10/10", "", "counted from 0 to 9"},
		{"-1/10", "", "counted from 0"},
		{"1/0", "", "number of shards"},
		{"3", "", "write I/N"},
		{"x/3", "", "write I/N"},
		{"auto", "", "no variable"},
		{"auto", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=10 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_STEP=1", "3/10"},
		{"auto", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_STEP=1", "auto/N"},
		{"auto", "SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_COUNT=5 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_STEP=2", "auto/N"},
		{"auto", "SLURM_ARRAY_TASK_ID=8 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_STEP=1", "auto/N"},
		{"auto/10", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_STEP=1", "3/10"},
		{"auto", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=10 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=9 SLURM_PROCID=0 SLURM_NTASKS=1", "3/10"},
		{"auto", "SLURM_PROCID=2 SLURM_NTASKS=4", "2/4"},
		{"auto", "SLURM_ARRAY_TASK_ID=x", `SLURM_ARRAY_TASK_ID="x" is no number`},
		{"auto", "JOB_COMPLETION_INDEX=3", "auto/N"},
		{"auto/4", "JOB_COMPLETION_INDEX=3", "3/4"},
		{"auto/3", "JOB_COMPLETION_INDEX=3", "counted from 0 to 2"},
		{"auto", "AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=2", "1/2"},
		{"auto", "PBS_ARRAY_INDEX=1", "auto/N"},
		{"auto/2", "PBS_ARRAYID=1", "1/2"},
		{"auto", "SGE_TASK_ID=1 SGE_TASK_FIRST=1 SGE_TASK_LAST=4 SGE_TASK_STEPSIZE=1", "0/4"},
		{"auto", "SGE_TASK_ID=2 SGE_TASK_FIRST=2 SGE_TASK_LAST=4 SGE_TASK_STEPSIZE=1", "auto/N"},
		{"auto/4", "SGE_TASK_ID=4 SGE_TASK_FIRST=4 SGE_TASK_LAST=4 SGE_TASK_STEPSIZE=1", "3/4"},
		{"auto", "SGE_TASK_ID=undefined", "no variable"},
		{"auto", "PBS_ARRAY_INDEX=1 JOB_COMPLETION_INDEX=1", "both"},
	} {
		set := map[string]string{}
		for _, v := range strings.Fields(c.variables) {
			name, value, _ := strings.Cut(v, "=")
			set[name] = value
		}
		s, err := Parse(c.text, func(name string) string { return set[name] })
		got := s.String()
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != c.want || !strings.Contains(got, c.want) {
			t.Errorf("%s with %q: %s, want %s", c.text, c.variables, got, c.want)
		}
	}
}

// TestHas: every name is in one shard, and shards are about equal.
func TestHas(t *testing.T) {
	const names, shards = 10000, 7
	counts := make([]int, shards)
	for i := range names {
		in := 0
		for s := range shards {
			if (Shard{s, shards}).Has(fmt.Sprintf("photos/%04d.jpg", i)) {
				in++
				counts[s]++
			}
		}
		if in != 1 {
			t.Fatalf("input %d is in %d shards", i, in)
		}
	}
	for _, n := range counts {
		if n < names/shards*9/10 || n > names/shards*11/10 {
			t.Errorf("shards of %v", counts)
		}
	}
	if !(Shard{}).Has("x") {
		t.Error("no shard lacks an input")
	}
}

func TestPartNames(t *testing.T) {
	for _, s := range []Shard{{3, 10}, {0, 1}, {99999, 100000}} {
		if got, ending, ok := PartOf(s.Part(".csv")); !ok || got != s || ending != ".csv" {
			t.Errorf("%s: %v %s %v", s.Part(".csv"), got, ending, ok)
		}
	}
	for _, name := range []string{"", "part", "part-3-of-10.csv", "part-0010-of-0010.csv", "part-0003-of-0010x.csv", "a.csv", "part--001-of-0010.csv"} {
		if s, _, ok := PartOf(name); ok {
			t.Errorf("%q is part %v", name, s)
		}
	}
}
