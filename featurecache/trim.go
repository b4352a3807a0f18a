package featurecache

import (
	"cmp"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"regraft/atomicfile"
)

// trimmed is the share of its limit that a cache has when it was above.
const trimmed = 0.9

// abandoned is the age at which an unfinished entry belongs to a process that was killed.
const abandoned = time.Hour

// file is an entry as the folder shows it.
type file struct {
	path string
	size int64
	used time.Time
}

// Usage is what a cache holds.
type Usage struct {
	Dir     string
	Entries int
	Bytes   int64
	Limit   int64
	// Oldest is when the entry was used that was not used for the longest time; zero where there is none.
	Oldest time.Time
}

// Usage counts the entries.
func (c *Cache) Usage() (Usage, error) {
	u := Usage{Dir: c.dir, Limit: c.limit}
	files, err := c.files()
	for _, f := range files {
		u.Entries++
		u.Bytes += f.size
		if u.Oldest.IsZero() || f.used.Before(u.Oldest) {
			u.Oldest = f.used
		}
	}
	return u, err
}

// Trim removes the entries that were not used for the longest time until the others keep well within the limit. It does nothing in
// a process that has put none.
func (c *Cache) Trim() error {
	if c == nil || c.added.Load() == 0 {
		return nil
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	total := int64(0)
	for _, f := range files {
		total += f.size
	}
	if total <= c.limit {
		return nil
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.path, b.path)) })
	for _, f := range files {
		if total <= int64(trimmed*float64(c.limit)) {
			break
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) { // another process trims too
			return err
		}
		total -= f.size
	}
	return nil
}

// Clear removes all entries, unfinished ones too, and the folder where nothing else is in it.
func (c *Cache) Clear() error {
	files, rests, err := c.walk()
	if err != nil {
		return err
	}
	files = append(files, rests...)
	for _, f := range files {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	folders, err := os.ReadDir(c.dir)
	for _, f := range folders {
		if f.IsDir() {
			os.Remove(filepath.Join(c.dir, f.Name())) // unless something is in it
		}
	}
	os.Remove(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// files lists the entries, and removes what killed processes have left of others.
func (c *Cache) files() ([]file, error) {
	files, rests, err := c.walk()
	for _, f := range rests {
		if time.Since(f.used) > abandoned {
			os.Remove(f.path)
		}
	}
	return files, err
}

// walk lists the entries and the unfinished ones. Files that are neither are left alone.
func (c *Cache) walk() (files, rests []file, err error) {
	err = filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreMissing(err)
		}
		info, err := e.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		f := file{path, info.Size(), info.ModTime()}
		switch name := e.Name(); {
		case isEntry(name):
			files = append(files, f)
		case isRest(name):
			rests = append(rests, f)
		}
		return nil
	})
	return files, rests, err
}

// isRest reports whether a name is that of an unfinished entry: a dot, the entry's name, a number.
func isRest(name string) bool {
	entry, _, _ := strings.Cut(strings.TrimPrefix(name, "."), suffix)
	return isEntry(entry+suffix) && atomicfile.IsRest(name, entry+suffix)
}

// isEntry reports whether a name is one that path gives.
func isEntry(name string) bool {
	digits, is := strings.CutSuffix(name, suffix)
	rest, err := hex.DecodeString(digits)
	return is && err == nil && len(rest) == len(Key{})-1
}

// ignoreMissing is nil for what another process has just removed.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
