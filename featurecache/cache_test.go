package featurecache

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// numbered is the key of a photo whose hash begins with n.
func numbered(n int) Key {
	var photo [32]byte
	binary.BigEndian.PutUint32(photo[:], uint32(n))
	return NewKeys("trunk", "prepared").Of(photo, 0)
}

func put(t *testing.T, c *Cache, k Key, values ...float32) {
	t.Helper()
	if err := c.Put(k, values); err != nil {
		t.Fatal(err)
	}
}

// TestPutGet: what is put comes back to the bit, and nothing else does.
func TestPutGet(t *testing.T) {
	c := Open(filepath.Join(t.TempDir(), "not", "there", "yet"), DefaultLimit)
	got := make([]float32, 3)
	if c.Get(numbered(1), got) || c.Holds(numbered(1)) {
		t.Error("an empty cache has an entry")
	}
	want := []float32{1.5, math.Float32frombits(1), -7}
	put(t, c, numbered(1), want...)
	if !c.Get(numbered(1), got) || !slices.Equal(got, want) || !c.Holds(numbered(1)) {
		t.Errorf("%v, want %v", got, want)
	}
	if c.Get(numbered(2), got) || c.Get(numbered(1), got[:2]) {
		t.Error("an entry of another key or length")
	}
	put(t, c, numbered(1), 4, 5, 6)
	if !c.Get(numbered(1), got) || got[0] != 4 {
		t.Errorf("%v is not the last that was put", got)
	}
	var none *Cache
	if none.Put(numbered(1), want) != nil || none.Get(numbered(1), got) || none.Holds(numbered(1)) || none.Trim() != nil {
		t.Error("no cache does something")
	}
}

// TestBytes: bytes of any length come back, never as features or those of another key.
func TestBytes(t *testing.T) {
	c := Open(t.TempDir(), DefaultLimit)
	for i, want := range [][]byte{{}, {7}, make([]byte, 5000), make([]byte, mostBytes)} {
		k := numbered(i)
		if _, ok := c.GetBytes(k); ok {
			t.Error("an entry that nobody put")
		}
		if err := c.PutBytes(k, want); err != nil {
			t.Fatal(err)
		}
		if got, ok := c.GetBytes(k); !ok || !slices.Equal(got, want) {
			t.Errorf("%d bytes came back as %d, %v", len(want), len(got), ok)
		}
		if len(want) > 8 && c.Get(k, make([]float32, (len(want)-8)/4)) {
			t.Error("bytes are taken for features")
		}
	}
	put(t, c, numbered(9), 1, 2)
	if _, ok := c.GetBytes(numbered(9)); ok {
		t.Error("features are taken for bytes")
	}
	for i, damaged := range [][]byte{nil, []byte("regraft"), make([]byte, mostBytes+1000)} {
		k := numbered(10 + i)
		if err := c.PutBytes(k, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.path(k), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.GetBytes(k); ok {
			t.Errorf("%d bytes are taken for an entry", len(damaged))
		}
	}
	var none *Cache
	if _, ok := none.GetBytes(numbered(1)); ok || none.PutBytes(numbered(1), nil) != nil {
		t.Error("no cache does something")
	}
}

// TestKeys: everything that decides features decides the key.
func TestKeys(t *testing.T) {
	photo, other := [32]byte{1}, [32]byte{2}
	keys := []Key{
		NewKeys("a", "b").Of(photo, 0), NewKeys("a", "b").Of(photo, 1), NewKeys("a", "b").Of(other, 0), NewKeys("a", "c").Of(photo, 0),
		NewKeys("b", "b").Of(photo, 0), NewKeys("a\" \"b", "").Of(photo, 0),
	}
	for i, k := range keys {
		if slices.Index(keys, k) != i {
			t.Errorf("key %d is an earlier one", i)
		}
	}
	if keys[0] != NewKeys("a", "b").Of(photo, 0) {
		t.Error("the same gives another key")
	}
}

// TestDamagedEntries: no changed bit and no cut gets through, and a damaged entry is removed.
func TestDamagedEntries(t *testing.T) {
	c, k := Open(t.TempDir(), DefaultLimit), numbered(7)
	put(t, c, k, 1, 2, 3)
	path := c.path(k)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 3)
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 4
		if os.WriteFile(path, bad, 0o600); c.Get(k, got) {
			t.Errorf("byte %d may change", i)
		}
		if c.Holds(k) {
			t.Fatalf("byte %d: the damaged entry stays", i)
		}
		if os.WriteFile(path, good[:i], 0o600); c.Get(k, got) {
			t.Errorf("%d bytes are enough", i)
		}
	}
	other := c.path(numbered(8)) // an entry under the name of another
	os.MkdirAll(filepath.Dir(other), 0o777)
	if os.WriteFile(other, good, 0o600); c.Get(numbered(8), got) {
		t.Error("an entry of another key was taken")
	}
	put(t, c, k, 1, 2, 3)
	if !c.Get(k, got) {
		t.Error("the entry cannot be put again")
	}
}

// age makes an entry old.
func age(t *testing.T, c *Cache, k Key, hours int) {
	t.Helper()
	at := time.Now().Add(-time.Duration(hours) * time.Hour)
	if err := os.Chtimes(c.path(k), at, at); err != nil {
		t.Fatal(err)
	}
}

// TestTrim: what was not used for the longest time goes first, and use makes young.
func TestTrim(t *testing.T) {
	values := make([]float32, 100)
	c := Open(t.TempDir(), 10*size(magic, int64(8+4*len(values))))
	for i := range 20 {
		put(t, c, numbered(i), values...)
		age(t, c, numbered(i), 100-i)
	}
	if !c.Get(numbered(0), values) { // the oldest is used
		t.Fatal("an entry is gone")
	}
	if err := c.Trim(); err != nil {
		t.Fatal(err)
	}
	u, err := c.Usage()
	if err != nil || u.Entries != 9 || u.Bytes > c.limit || u.Limit != c.limit {
		t.Errorf("%+v, %v", u, err)
	}
	for i := range 20 {
		if want := i == 0 || i >= 12; c.Holds(numbered(i)) != want {
			t.Errorf("entry %d is there: %v", i, !want)
		}
	}
	if again := Open(c.dir, 0); again.Trim() != nil {
		t.Error("a process that has put nothing trims")
	} else if u, _ := again.Usage(); u.Entries != 9 {
		t.Errorf("a process that has put nothing leaves %d entries", u.Entries)
	}
}

// TestClear removes entries and what killed processes leave, and nothing else.
func TestClear(t *testing.T) {
	c := Open(t.TempDir(), DefaultLimit)
	put(t, c, numbered(1), 1)
	put(t, c, numbered(2), 1)
	folder, name := filepath.Split(c.path(numbered(1)))
	rest := filepath.Join(folder, "."+name+".123")
	thesis := filepath.Join(c.dir, "thesis.features")
	for _, path := range []string{rest, thesis} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if u, err := c.Usage(); err != nil || u.Entries != 2 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := os.Stat(rest); err != nil {
		t.Error("an entry that may still be written is gone")
	}
	old := time.Now().Add(-2 * abandoned)
	os.Chtimes(rest, old, old)
	if c.Usage(); exists(rest) {
		t.Error("what a killed process left stays")
	}
	os.WriteFile(rest, nil, 0o600)
	if err := c.Clear(); err != nil {
		t.Fatal(err)
	}
	if exists(rest) || c.Holds(numbered(1)) || !exists(thesis) {
		t.Error("not the right files are left")
	}
	os.Remove(thesis)
	if err := c.Clear(); err != nil || exists(c.dir) {
		t.Errorf("the empty folder stays: %v", err)
	}
	if err := c.Clear(); err != nil {
		t.Errorf("a cache that is not there: %v", err)
	}
	if u, err := c.Usage(); err != nil || u.Entries != 0 {
		t.Errorf("a cache that is not there: %+v, %v", u, err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestTogether: several processes put, get, trim and clear at once; whatever is got is what was put.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for p := range 6 {
		all.Go(func() {
			c := Open(dir, 30*size(magic, 8+4*50))
			values := make([]float32, 50)
			for i := range 300 {
				n := (i*7 + p) % 60
				for j := range values {
					values[j] = float32(n)
				}
				if err := c.Put(numbered(n), values); err != nil {
					t.Errorf("put: %v", err)
				}
				clear(values)
				if k := (i*11 + p) % 60; c.Get(numbered(k), values) {
					for _, v := range values {
						if v != float32(k) {
							t.Fatalf("entry %d has %g", k, v)
						}
					}
				}
				switch {
				case i%50 == 49:
					if err := c.Trim(); err != nil {
						t.Errorf("trim: %v", err)
					}
				case p == 0 && i%100 == 30:
					if err := c.Clear(); err != nil {
						t.Errorf("clear: %v", err)
					}
				}
			}
		})
	}
	all.Wait()
}
