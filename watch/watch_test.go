package watch

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regraft/golden"
	"regraft/photo"
)

func TestMain(m *testing.M) {
	golden.InMemory()
	os.Exit(m.Run())
}

const still = 60 * time.Millisecond

// watched runs a folder's watch and gathers what it brings.
type watched struct {
	t       *testing.T
	dir     string
	mutex   sync.Mutex
	photos  []string
	leftOut []string
	end     context.CancelFunc
	ended   chan struct{}
}

func start(t *testing.T, f Folder) *watched {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watched{t: t, dir: f.Dir, end: cancel, ended: make(chan struct{})}
	f.Still = still
	add := func(to *[]string, path string) {
		rel, _ := filepath.Rel(f.Dir, path)
		w.mutex.Lock()
		*to = append(*to, filepath.ToSlash(rel))
		w.mutex.Unlock()
	}
	f.LeftOut = func(l photo.LeftOut) { add(&w.leftOut, l.Path) }
	go func() {
		defer close(w.ended)
		for path := range f.Photos(ctx) {
			add(&w.photos, path)
		}
	}()
	t.Cleanup(func() { cancel(); <-w.ended })
	return w
}

func (w *watched) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// waits until the photos are these, in any order, and then a little longer.
func (w *watched) waits(want ...string) {
	w.t.Helper()
	slices.Sort(want)
	var got []string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(still / 4) {
		w.mutex.Lock()
		got = slices.Sorted(slices.Values(w.photos))
		w.mutex.Unlock()
		if slices.Equal(got, want) {
			break
		}
	}
	time.Sleep(2 * still)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if got = slices.Sorted(slices.Values(w.photos)); !slices.Equal(got, want) {
		w.t.Fatalf("photos %q, want %q", got, want)
	}
}

// TestPhotos: what is there and what comes is brought once, in new folders too, when it is complete; what is no photo is told of.
func TestPhotos(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "old", "sorted"), 0o777)
	w := &watched{t: t, dir: dir}
	w.write("old/a.jpg", "a")
	w.write("old/known.jpg", "a")
	w.write("old/sorted/a.jpg", "a")
	w.write(".hidden/a.jpg", "a")
	w = start(t, Folder{Dir: dir, Excluded: []string{filepath.Join(dir, "old", "sorted")}, Known: func(p string) bool { return filepath.Base(p) == "known.jpg" }})
	w.waits("old/a.jpg")

	w.write("new/deep/b.jpg", "b")
	w.write("film.mp4", "film")
	w.write("old/sorted/b.jpg", "b")
	w.waits("old/a.jpg", "new/deep/b.jpg")

	w.write("c.jpg.part", "half")
	w.write("d.jpg", "")
	w.waits("old/a.jpg", "new/deep/b.jpg")
	os.Rename(filepath.Join(dir, "c.jpg.part"), filepath.Join(dir, "c.jpg"))
	w.write("d.jpg", "d")
	w.waits("old/a.jpg", "new/deep/b.jpg", "c.jpg", "d.jpg")

	w.write("d.jpg", "longer")                                          // the same file
	os.Rename(filepath.Join(dir, "c.jpg"), filepath.Join(dir, "e.jpg")) // another name
	w.waits("old/a.jpg", "new/deep/b.jpg", "c.jpg", "d.jpg", "e.jpg")
	w.write("c.jpg", "another") // as a camera counts from 0 again
	os.RemoveAll(filepath.Join(dir, "new"))
	time.Sleep(still)
	w.write("new/deep/b.jpg", "again")
	w.waits("old/a.jpg", "new/deep/b.jpg", "c.jpg", "d.jpg", "e.jpg", "c.jpg", "new/deep/b.jpg")
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if got := strings.Join(w.leftOut, " "); got != "film.mp4" {
		t.Errorf("left out: %s", got)
	}
}

// TestSpelling: however the folder is spelled, a photo of which the system tells is the one that is found by looking through it.
func TestSpelling(t *testing.T) {
	for _, dir := range []string{".", "in/"} {
		t.Chdir(t.TempDir())
		os.Mkdir("in", 0o777)
		w := start(t, Folder{Dir: dir, Every: 3 * still})
		w.write("a.jpg", "a")
		w.waits("a.jpg") // the watch has begun
		w.write("b.jpg", "b")
		os.Rename(filepath.Join(dir, "a.jpg"), filepath.Join(dir, "c.jpg"))
		w.write("a.jpg", "another")
		w.waits("a.jpg", "b.jpg", "c.jpg", "a.jpg")
		time.Sleep(4 * still)
		w.waits("a.jpg", "b.jpg", "c.jpg", "a.jpg")
		w.end()
		<-w.ended
	}
}

// TestUnreadable: photos of a folder that cannot be read for a while are not new when it can; those of one that was gone are.
func TestUnreadable(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	(&watched{t: t, dir: elsewhere}).write("a.jpg", "a")
	link := filepath.Join(dir, "link")
	w := &watcher{Folder: &Folder{Dir: dir}, pending: map[string]state{}, seen: map[string]bool{}, folders: map[string]bool{}, told: map[string]bool{}}
	for i, c := range []struct {
		to     string // what the link leads to
		photos int
	}{{elsewhere, 1}, {link, 0}, {elsewhere, 0}, {filepath.Join(dir, "gone"), 0}, {elsewhere, 1}} {
		os.Remove(link)
		if err := os.Symlink(c.to, link); err != nil {
			t.Skip(err)
		}
		w.scan(nil)
		if got := w.complete(); len(got) != c.photos {
			t.Errorf("%d: photos %q, want %d", i, got, c.photos)
		}
	}
}

// TestGrowing: a file that grows is not complete.
func TestGrowing(t *testing.T) {
	w := start(t, Folder{Dir: t.TempDir()})
	f, err := os.Create(filepath.Join(w.dir, "a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 20 {
		f.WriteString("more")
		time.Sleep(still / 6)
		w.mutex.Lock()
		if len(w.photos) > 0 {
			if info, _ := f.Stat(); time.Since(info.ModTime()) < still { // else this machine paused
				t.Error("it came before it was complete")
			}
			w.mutex.Unlock()
			return
		}
		w.mutex.Unlock()
	}
	w.waits("a.jpg")
}

// TestRescan: what the system does not tell of is found all the same.
func TestRescan(t *testing.T) {
	dir := t.TempDir()
	elsewhere := t.TempDir()
	w := &watched{t: t, dir: elsewhere}
	w.write("deep/a.jpg", "a")
	w = start(t, Folder{Dir: dir, Every: still})
	if err := os.Symlink(filepath.Join(elsewhere, "deep"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	os.Symlink(dir, filepath.Join(elsewhere, "deep", "loop"))
	w.waits("link/a.jpg")
	os.Mkdir(filepath.Join(dir, "closed"), 0)
	w.write("b.jpg", "b")
	w.waits("link/a.jpg", "b.jpg")
}
