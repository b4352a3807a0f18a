package watch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"regraft/photo"
)

// looking is a watcher whose steps a test makes, without what the system tells of.
func looking(f *Folder) *watcher {
	return &watcher{Folder: f, pending: map[string]state{}, seen: map[string]bool{}, folders: map[string]bool{}, told: map[string]bool{}}
}

// TestFailures: a folder that cannot be read is told of once, and so is a system that watches nothing.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	var told []string
	none := filepath.Join(dir, "none")
	f := &Folder{Dir: none, Failed: func(path string, err error) {
		if err == nil {
			t.Error("no reason")
		}
		told = append(told, path)
	}}
	w := looking(f)
	for range 3 {
		w.scan(nil)
	}
	w.failed("other", errors.New("closed"))
	if !slices.Equal(told, []string{none, "other"}) {
		t.Errorf("told of %q", told)
	}
	looking(&Folder{Dir: none}).scan(nil) // nobody wants to know
	if notify, err := fsnotify.NewWatcher(); err == nil {
		notify.Close()
		w.notify, w.Dir = notify, dir
		if w.scan(nil); !slices.Equal(told, []string{none, "other", dir}) || len(w.folders) != 0 {
			t.Errorf("told of %q, watched %v", told, w.folders)
		}
	}
}

// TestChangesWait: a file is complete when neither its size nor its time has changed, whichever does.
func TestChangesWait(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jpg")
	if err := os.WriteFile(path, []byte("a"), 0o666); err != nil {
		t.Fatal(err)
	}
	w := looking(&Folder{Dir: dir})
	w.still = time.Hour
	ripe := func() []string { // after an hour without a change
		for p, s := range w.pending {
			s.since = s.since.Add(-time.Hour)
			w.pending[p] = s
		}
		return w.complete()
	}
	w.scan(nil)
	if got := w.complete(); got != nil {
		t.Errorf("%q at once", got)
	}
	then := time.Now().Add(-time.Minute)
	if os.Chtimes(path, then, then); ripe() != nil {
		t.Error("its time has changed")
	}
	if os.WriteFile(path, []byte("longer"), 0o666); os.Chtimes(path, then, then) != nil || ripe() != nil {
		t.Error("its size has changed")
	}
	if got := ripe(); !slices.Equal(got, []string{path}) {
		t.Errorf("%q, want the photo", got)
	}
	if w.scan(nil); ripe() != nil {
		t.Error("it came twice")
	}
}

// TestEachFolderOnce: folders that lead to one another are looked through once, those that are left out not at all, by whatever path.
func TestEachFolderOnce(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"in/a.jpg", "sorted/b.jpg", "in/film.mp4"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"in/back": "..", "out": "sorted"} {
		if err := os.Symlink(filepath.Join(dir, filepath.Dir(link), to), filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	var left []string
	t.Chdir(dir)
	w := looking(&Folder{Dir: dir, Excluded: []string{filepath.Join("none"), "out"}, LeftOut: func(l photo.LeftOut) { left = append(left, l.Path+" "+l.Why) }})
	w.scan(nil)
	if got := w.complete(); !slices.Equal(got, []string{filepath.Join(dir, "in", "a.jpg")}) {
		t.Errorf("photos %q", got)
	}
	if len(left) != 1 || !strings.HasSuffix(left[0], "film.mp4 "+photo.NotAPhoto) {
		t.Errorf("left out %q", left)
	}
}
