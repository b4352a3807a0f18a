package featurecache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTrimLimit: a cache that is just full stays whole; a byte less, and it keeps nine tenths.
func TestTrimLimit(t *testing.T) {
	for _, less := range []int64{0, 1} {
		values := make([]float32, 10)
		c := Open(t.TempDir(), 20*size(magic, 8+4*10)-less)
		for i := range 20 {
			put(t, c, numbered(i), values...)
			age(t, c, numbered(i), 40-i)
		}
		if err := c.Trim(); err != nil {
			t.Fatal(err)
		}
		u, err := c.Usage()
		want := map[int64]int{0: 20, 1: 17}[less]
		if err != nil || u.Entries != want || u.Bytes != int64(want)*size(magic, 8+4*10) || u.Dir != c.dir {
			t.Errorf("%d bytes less: %+v, %v", less, u, err)
		}
		if oldest := time.Duration(20+u.Entries) * time.Hour; time.Since(u.Oldest) < oldest-time.Minute || time.Since(u.Oldest) > oldest+time.Minute {
			t.Errorf("%d bytes less: the oldest is from %v", less, u.Oldest)
		}
	}
}

// TestUseMakesYoung: what is used after an hour is as if it were new, and what is used before keeps its time.
func TestUseMakesYoung(t *testing.T) {
	c, values := Open(t.TempDir(), DefaultLimit), []float32{1}
	for minutes, young := range map[int]bool{59: false, 61: true} {
		put(t, c, numbered(minutes), values...)
		at := time.Now().Add(-time.Duration(minutes) * time.Minute)
		os.Chtimes(c.path(numbered(minutes)), at, at)
		if !c.Get(numbered(minutes), values) {
			t.Fatal("an entry is gone")
		}
		info, err := os.Stat(c.path(numbered(minutes)))
		if err != nil || (time.Since(info.ModTime()) < time.Minute) != young {
			t.Errorf("after %d minutes it is from %v, %v", minutes, info.ModTime(), err)
		}
	}
}

// TestNames: entries and what killed processes leave of them are known by their names, and nothing else is.
func TestNames(t *testing.T) {
	digits := strings.Repeat("ab", len(Key{})-1)
	for name, want := range map[string][2]bool{
		digits + suffix: {true, false}, "." + digits + suffix + ".123": {false, true},
		digits: {}, digits + "ab" + suffix: {}, digits[2:] + suffix: {}, "xy" + digits[2:] + suffix: {}, digits + ".feature": {}, suffix: {},
		digits + suffix + ".123": {}, "." + digits + suffix: {}, "." + digits + suffix + ".x": {}, ".thesis" + suffix + ".123": {},
	} {
		if got := [2]bool{isEntry(name), isRest(name)}; got != want {
			t.Errorf("%s is an entry, a rest: %v", name, got)
		}
	}
}

// TestNoFolder: a cache whose folder is a file holds nothing, and says so once.
func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	c := Open(file, DefaultLimit)
	if c.Failed() != nil {
		t.Error("it has failed before it was used")
	}
	first := c.Put(numbered(1), []float32{1})
	if first == nil || c.Put(numbered(2), []float32{1}) != nil || c.PutBytes(numbered(3), nil) != nil || !errors.Is(c.Failed(), first) {
		t.Errorf("%v, then %v", first, c.Failed())
	}
	if c.Get(numbered(1), make([]float32, 1)) || c.Holds(numbered(1)) || c.Trim() != nil {
		t.Error("it holds something")
	}
	var none *Cache
	if none.Failed() != nil {
		t.Error("no cache fails")
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("LocalAppData", "")
	if dir, err := Dir(); err == nil || dir != "" {
		t.Errorf("without a home: %q, %v", dir, err)
	}
	t.Setenv("HOME", file)
	t.Setenv("XDG_CACHE_HOME", file)
	t.Setenv("LocalAppData", file)
	if dir, err := Dir(); err != nil || !strings.HasSuffix(dir, filepath.Join("regraft", "features")) {
		t.Errorf("%q, %v", dir, err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), 1).Usage(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
