package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cacheOf is what regraft cache says of a folder.
func cacheOf(t *testing.T, dir string) cacheJSON {
	t.Helper()
	var j cacheJSON
	if err := json.Unmarshal([]byte(must(t, "cache", "--cache", dir, "--json").stdout), &j); err != nil {
		t.Fatal(err)
	}
	return j
}

// TestCache: train, eval and classify share a cache, which changes nothing that they print; regraft cache shows and clears it.
func TestCache(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data, dir, run := dataset(t, 4, 7), filepath.Join(t.TempDir(), "cache"), t.TempDir()
	train := func(out string, more ...string) {
		must(t, append(trainArgs(data, filepath.Join(run, out), "--mode", "heads"), more...)...)
	}
	train("kept", "--cache", dir)
	entries := cacheOf(t, dir).Entries
	if entries != 2*2*12+21+12+21 {
		t.Errorf("%d entries of 12 photos in two views for the head and the distance, 21 to test the main head, and what all of them look like", entries)
	}
	train("again", "--cache", dir)
	train("without", "--no-cache")
	for _, out := range []string{"again", "without"} {
		if string(parameters(t, filepath.Join(run, out))) != string(parameters(t, filepath.Join(run, "kept"))) {
			t.Errorf("%s: other weights", out)
		}
	}
	best := filepath.Join(run, "kept", "best.onnx")
	for _, args := range [][]string{
		{"eval", "-m", best, "--data", data, "--json"},
		{"eval", "-m", best, "--data", data, "--json", "--views", "2"},
		{"classify", "-m", best, "--json", "--logits", "--features", data},
		{"classify", "-m", best, "--json", "--logits", "--features", "--views", "3", data},
	} {
		without := must(t, append(args, "--no-cache")...).stdout
		for _, what := range []string{"first", "second"} {
			if with := must(t, append(args, "--cache", dir)...).stdout; with != without {
				t.Errorf("%s: the %s time with a cache prints\n%s\nwithout\n%s", strings.Join(args, " "), what, with, without)
			}
		}
	}
	after := cacheOf(t, dir)
	if after.Entries <= entries || after.Bytes <= 0 || after.Oldest == nil || after.Dir != dir {
		t.Errorf("%+v", after)
	}
	must(t, "cache", "--cache", dir, "--clear")
	if j := cacheOf(t, dir); j.Entries != 0 || j.Oldest != nil {
		t.Errorf("cleared: %+v", j)
	}
}

// TestCacheLimit: the cache does not outgrow its limit.
func TestCacheLimit(t *testing.T) {
	data, dir := dataset(t, 4, 2), t.TempDir()
	must(t, append(trainArgs(data, filepath.Join(t.TempDir(), "run"), "--mode", "heads"), "--cache", dir, "--cache-limit", "5K")...)
	if j := cacheOf(t, dir); j.Bytes > 5<<10 || j.Entries == 0 {
		t.Errorf("%d bytes in %d entries", j.Bytes, j.Entries)
	}
}

// TestCacheFlags: wrong ones are refused, and a cache that cannot be written is no failure.
func TestCacheFlags(t *testing.T) {
	for says, args := range map[string][]string{
		"a number of bytes":              {"cache", "--cache-limit", "much"},
		"--cache does nothing with --no": {"classify", "-m", model, "--no-cache", "--cache", "x", "photo.jpg"},
		"takes flags only":               {"cache", "clear"},
	} {
		wrong{says, args, statusUsage, says}.check(t, "")
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	r := must(t, append(trainArgs(dataset(t, 2, 1), filepath.Join(t.TempDir(), "run"), "--mode", "heads"), "--cache", file)...)
	if strings.Count(r.stderr, "not kept") != 1 {
		t.Errorf("a cache that is a file: %s", r.stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Size() != 0 {
		t.Error("the file was touched")
	}
}

// TestCacheThatCannotBeWritten: one warning, and everything else as without a cache.
func TestCacheThatCannotBeWritten(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data, run := dataset(t, 6, 2), t.TempDir()
	file := filepath.Join(run, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	best := filepath.Join(run, "run", "best.onnx")
	for _, args := range [][]string{
		trainArgs(data, filepath.Dir(best), "--mode", "heads"), {"eval", "-m", best, "--data", data}, {"classify", "-m", best, data},
		{"embed", "-m", best, data, "-o", filepath.Join(run, "features.csv")},
	} {
		r := must(t, append(args, "--cache", file)...)
		if n := strings.Count(r.stderr, "the features are not kept for later"); n != 1 {
			t.Errorf("%s: %d warnings:\n%s", args[0], n, r.stderr)
		}
	}
}
