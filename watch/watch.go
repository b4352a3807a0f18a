// Package watch finds the photos that come into a folder, and hands each on when it is complete.
package watch

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"regraft/photo"
)

// Folder is a folder that is watched, with all folders below it.
type Folder struct {
	Dir string
	// Excluded are folders whose photos do not count.
	Excluded []string
	// Known says which of the photos that are there at the beginning do not count; nil: all count.
	Known func(path string) bool
	// Still is how long a file must not have changed until it is taken for complete, by default two seconds.
	Still time.Duration
	// Every is how often the whole folder is looked through for what the system has not told of, as on network drives; by default
	// half a minute, and more where that takes long.
	Every time.Duration
	// LeftOut is told of files that are no photos, once each, and Failed of folders that cannot be watched; both may be nil.
	LeftOut func(photo.LeftOut)
	Failed  func(path string, err error)
}

// unfinished are the endings of names that programs give to files while they write them.
var unfinished = []string{".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp", ".temp"}

// Photos brings the photos that are there and then those that come, each once, until ctx ends. A file that was removed or renamed and
// is there again is a new one.
func (f *Folder) Photos(ctx context.Context) iter.Seq[string] {
	return func(yield func(string) bool) {
		w := &watcher{Folder: f, still: cmp.Or(f.Still, 2*time.Second), pending: map[string]state{}, seen: map[string]bool{}, folders: map[string]bool{}, told: map[string]bool{}}
		every := cmp.Or(f.Every, 30*time.Second)
		var events chan fsnotify.Event
		var failures chan error
		if notify, err := fsnotify.NewWatcher(); err != nil {
			w.failed(f.Dir, err) // then it is looked through now and then
		} else {
			defer notify.Close()
			w.notify, events, failures = notify, notify.Events, notify.Errors
		}
		w.scan(f.Known)
		tick := time.NewTicker(max(w.still/4, time.Millisecond))
		defer tick.Stop()
		rescan := time.NewTimer(every)
		defer rescan.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-events:
				w.event(e)
			case err := <-failures:
				if errors.Is(err, fsnotify.ErrEventOverflow) {
					rescan.Reset(0)
				}
			case <-rescan.C:
				began := time.Now()
				w.scan(nil)
				rescan.Reset(max(every, 20*time.Since(began)))
			case <-tick.C:
				for _, path := range w.complete() {
					if !yield(path) || ctx.Err() != nil {
						return
					}
				}
			}
		}
	}
}

// watcher is a call of Photos at work.
type watcher struct {
	*Folder
	still   time.Duration
	notify  *fsnotify.Watcher // nil where the system has none to give
	pending map[string]state  // files that are not complete
	seen    map[string]bool   // those that were handed on, or do not count
	folders map[string]bool   // that are watched
	told    map[string]bool   // of which Failed was told
}

// state is what a file was when it last changed, as far as we have seen.
type state struct {
	size  int64
	time  time.Time
	since time.Time
}

func (w *watcher) failed(path string, err error) {
	if w.Failed != nil && !w.told[path] {
		w.told[path] = true
		w.Failed(path, err)
	}
}

// event notes what has changed.
func (w *watcher) event(e fsnotify.Event) {
	path := filepath.Clean(e.Name) // as looking through the folder spells it
	switch {
	case e.Has(fsnotify.Remove), e.Has(fsnotify.Rename):
		w.forget(path)
	case e.Has(fsnotify.Create), e.Has(fsnotify.Write):
		info, err := os.Stat(path)
		if err != nil {
			return
		}
		if entry := fs.FileInfoToDirEntry(info); info.IsDir() {
			if _, folder, _ := photo.Entry(path, entry); folder {
				w.walk(path, map[string]bool{}, nil, nil)
			}
		} else {
			w.note(path, info)
		}
	}
}

// forget drops a file, or a folder with all that was in it.
func (w *watcher) forget(path string) {
	delete(w.pending, path)
	delete(w.seen, path)
	if !w.folders[path] {
		return
	}
	for p := range w.folders {
		if p == path || isBelow(p, path) {
			delete(w.folders, p)
			w.notify.Remove(p) // an error says that the system has done so
		}
	}
	for p := range w.seen {
		if isBelow(p, path) {
			delete(w.seen, p)
		}
	}
}

// isBelow reports whether a path lies in a folder.
func isBelow(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != "." && filepath.IsLocal(rel)
}

// note begins to wait for a file.
func (w *watcher) note(path string, info fs.FileInfo) {
	if !info.Mode().IsRegular() || w.seen[path] {
		return
	}
	if _, known := w.pending[path]; !known {
		w.pending[path] = state{info.Size(), info.ModTime(), time.Now()}
	}
}

// scan looks through the whole folder, and forgets what is gone. Files for which known is true do not count.
func (w *watcher) scan(known func(string) bool) {
	there := map[string]bool{}
	w.walk(w.Dir, map[string]bool{}, known, there)
	for path := range w.seen {
		if !there[path] {
			delete(w.seen, path)
		}
	}
}

// walk watches a folder and those below it, each real one once, and notes the files in them. What it finds is put into there.
func (w *watcher) walk(dir string, visited map[string]bool, known func(string) bool, there map[string]bool) {
	real, err := filepath.EvalSymlinks(dir)
	if err == nil && (visited[real] || w.excludes(real)) {
		return
	}
	visited[real] = true
	if err == nil && w.notify != nil && !w.folders[dir] {
		if failed := w.notify.Add(dir); failed != nil {
			w.failed(dir, failed)
		} else {
			w.folders[dir] = true
		}
	}
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(dir)
	}
	if err != nil {
		w.failed(dir, err)
		w.keep(dir, err, there)
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if there != nil {
			there[path] = true
		}
		if w.seen[path] {
			continue
		}
		if known != nil && known(path) {
			w.seen[path] = true
		} else if info, err := os.Stat(path); err != nil {
			w.keep(path, err, there)
		} else if info.IsDir() {
			if _, folder, _ := photo.Entry(path, e); folder {
				w.walk(path, visited, known, there)
			}
		} else {
			w.note(path, info)
		}
	}
}

// keep puts into there what was in a folder that cannot be read now: it need not be gone.
func (w *watcher) keep(dir string, err error, there map[string]bool) {
	if there == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	for path := range w.seen {
		if isBelow(path, dir) {
			there[path] = true
		}
	}
}

func (w *watcher) excludes(real string) bool {
	real, err := filepath.Abs(real)
	return err == nil && slices.ContainsFunc(w.Excluded, func(path string) bool {
		other, err := filepath.EvalSymlinks(path)
		if err == nil {
			other, err = filepath.Abs(other)
		}
		return err == nil && other == real
	})
}

// complete are the photos that have not changed for long enough, in the order of their paths. Empty files wait for their content.
func (w *watcher) complete() []string {
	var photos []string
	for path, was := range w.pending {
		info, err := os.Stat(path)
		switch {
		case err != nil || !info.Mode().IsRegular():
			delete(w.pending, path)
			continue
		case info.Size() != was.size || !info.ModTime().Equal(was.time):
			w.pending[path] = state{info.Size(), info.ModTime(), time.Now()}
			continue
		case time.Since(was.since) < w.still || info.Size() == 0 || slices.Contains(unfinished, strings.ToLower(filepath.Ext(path))):
			continue
		}
		delete(w.pending, path)
		w.seen[path] = true
		if is, _, why := photo.Entry(path, fs.FileInfoToDirEntry(info)); is {
			photos = append(photos, path)
		} else if w.LeftOut != nil {
			w.LeftOut(photo.LeftOut{Path: path, Why: why})
		}
	}
	slices.Sort(photos)
	return photos
}
