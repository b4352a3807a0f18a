package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShards: whatever the number of shards, their parts merge to the bytes of one process. Parts that lack, are unfinished, twice
// there, changed or of another run are refused by name, and nothing is written then.
func TestShards(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data := dataset(t, 2, 1)
	write(t, filepath.Join(data, "train", "sea", "bad, \"very\"\n.jpg"), []byte("not a photo"))
	dir := t.TempDir()
	one := filepath.Join(data, "train", "sea", "a.jpg")
	split := func(out string, n int, more ...string) {
		t.Helper()
		for i := range n {
			args := classifyArgs(append([]string{one, data, one, "--skip-bad", "--quiet", "-k", "2", "-o", out, "--shard", fmt.Sprintf("%d/%d", i, n)}, more...)...)
			must(t, args...)
			must(t, append(args, "--resume")...)
		}
	}
	for _, format := range []string{"jsonl", "csv", "csv-excel", "parquet"} {
		ending := "." + strings.TrimSuffix(format, "-excel")
		whole := filepath.Join(dir, format+"-whole"+ending)
		run(t, classifyArgs(one, data, one, "--format", format, "-k", "2", "-o", whole)...)
		want, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 4, 14} { // more shards than inputs
			if n != 4 && format != "jsonl" && format != "csv" || n == 1 && format == "csv" {
				continue
			}
			parts := filepath.Join(dir, fmt.Sprintf("%s-%d", format, n))
			split(parts, n, "--format", format)
			merged := filepath.Join(dir, fmt.Sprintf("%s-%d%s", format, n, ending))
			must(t, "merge", parts, "-o", merged)
			if got, err := os.ReadFile(merged); err != nil || string(got) != string(want) {
				t.Errorf("%d shards of %s merge to\n%s(%v), want\n%s", n, format, got, err, want)
			}
		}
	}

	for from, to := range map[string]string{"jsonl": "parquet", "parquet": "jsonl"} { // which are the same answers
		merged := filepath.Join(dir, "from-"+from+"."+to)
		must(t, "merge", filepath.Join(dir, from+"-4"), "-o", merged)
		got, err := os.ReadFile(merged)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := os.ReadFile(filepath.Join(dir, to+"-whole."+to)); err != nil || string(got) != string(want) {
			t.Errorf("%s merges to %d bytes of %s (%v), want %d", from, len(got), to, err, len(want))
		}
	}
	if r := run(t, "merge", filepath.Join(dir, "csv-4"), "-o", filepath.Join(dir, "csv.parquet")); r.status != statusUsage || !strings.Contains(r.stderr, "the parts are .csv files") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}

	parts := filepath.Join(dir, "jsonl-4")
	part := func(i int) string { return filepath.Join(parts, fmt.Sprintf("part-%04d-of-0004.jsonl", i)) }
	out := filepath.Join(dir, "out.jsonl")
	refuses := func(says string, args ...string) {
		t.Helper()
		r := run(t, append([]string{"merge", "-o", out}, args...)...)
		if r.status != statusData || !strings.Contains(r.stderr, says) {
			t.Errorf("exit status %d, %s: want %q", r.status, r.stderr, says)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatal("it wrote")
		}
	}
	refuses("missing: 1/4, 3/4", part(0), part(2))
	refuses("holds no parts", data)
	refuses("no part", filepath.Join(dir, "jsonl-whole.jsonl"))
	other := filepath.Join(dir, "other")
	split(other, 4, "--threshold", "0.5")
	refuses("--threshold 0.5 instead of unset", part(0), part(1), part(2), filepath.Join(other, "part-0003-of-0004.jsonl"))
	copied := filepath.Join(dir, "copied.jsonl")
	for _, ending := range []string{"", ".done"} {
		text, _ := os.ReadFile(part(2) + ending)
		write(t, copied+ending, text)
	}
	refuses("shard 2/4 is there twice", parts, copied)
	refuses("one of 14", parts, filepath.Join(dir, "jsonl-14"))
	k, text := -1, []byte(nil) // which photos a part has hangs on their paths, so one that is not empty
	for len(text) == 0 {
		k++
		text, _ = os.ReadFile(part(k))
	}
	name := filepath.Base(part(k))
	write(t, part(k), []byte(strings.Replace(string(text), `"path"`, `"Path"`, 1)))
	refuses(name+": it has been changed", parts)
	write(t, part(k), text[:len(text)-3])
	refuses(name+": its last line", parts)
	write(t, part(k)+".journal", nil)
	refuses(name+" is unfinished", parts)
	os.Remove(part(k) + ".journal")
	os.Remove(part(k) + ".done")
	refuses(name+" has no mark of completion", parts)

	if r := run(t, classifyArgs(data, "--shard", "0/3", "-o", parts)...); r.status != statusUsage || !strings.Contains(r.stderr, "parts of 4 shards") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
	if r := run(t, "merge", filepath.Join(dir, "csv-4"), "-o", filepath.Join(dir, "csv-4.csv")); r.status != statusUsage || !strings.Contains(r.stderr, "is there already") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
}
