package sorter

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regraft/golden"
	"regraft/photo"
)

func TestMain(m *testing.M) {
	golden.InMemory()
	os.Exit(m.Run())
}

// tree is what lies below a folder: paths and contents, without the lists.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), "undo-") {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all = append(all, filepath.ToSlash(rel)+"="+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

var labels = []string{"sea", "town"}

func open(t *testing.T, dir string, mode Mode, output string, resume bool) *Sorter {
	t.Helper()
	s, err := Open(dir, mode, labels, output, resume)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func (s *Sorter) mustPut(t *testing.T, path, label string) {
	t.Helper()
	if err := s.Put(path, nil, label, label == ""); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func undo(t *testing.T, list string) (undone, left int) {
	t.Helper()
	undone, err := Undo(list, func(string, error) { left++ })
	if err != nil {
		t.Fatal(err)
	}
	return undone, left
}

// photos are files that differ, with names that are the same on some file systems.
func photos(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	for i, name := range []string{"a/x.jpg", "b/x.jpg", "c/X.JPG", "d/\u00e9.jpg", "e/e\u0301.jpg", "f/x-2.jpg"} {
		paths = append(paths, filepath.Join(dir, filepath.FromSlash(name)))
		write(t, paths[i], fmt.Sprint(i))
	}
	return paths
}

// TestPut: every mode brings every photo into its folder under a name that no file system confuses with another, what was there stays,
// and undoing leaves everything as it was.
func TestPut(t *testing.T) {
	for _, mode := range Modes {
		t.Run(string(mode), func(t *testing.T) {
			in, dir := t.TempDir(), t.TempDir()
			paths := photos(t, in)
			write(t, filepath.Join(dir, "sea", "X.jpg"), "mine")
			before, existing := tree(t, in), tree(t, dir)
			s := open(t, dir, mode, "", false)
			for i, p := range paths {
				label := "sea"
				if i == 5 {
					label = ""
				}
				s.mustPut(t, p, label)
				s.mustPut(t, p, label) // an input may be there twice
			}
			want := "sea/X-4.JPG=2 sea/X.jpg=mine sea/e\u0301-2.jpg=4 sea/x-2.jpg=0 sea/x-3.jpg=1 sea/\u00e9.jpg=3 unknown/x-2.jpg=5"
			if got := tree(t, dir); got != want {
				t.Errorf("sorted\n%s, want\n%s", got, want)
			}
			if got := tree(t, in); mode == Move && got != "" || mode != Move && got != before {
				t.Errorf("left %s", got)
			}
			s.Close()
			if undone, left := undo(t, s.List()); undone != 6 || left != 0 {
				t.Errorf("%d undone, %d left", undone, left)
			}
			if got := tree(t, in) + tree(t, dir); got != before+existing {
				t.Errorf("undone\n%s, want\n%s%s", got, before, existing)
			}
			if lists, _ := listsIn(dir); len(lists) != 0 {
				t.Errorf("lists %v", lists)
			}
			if _, err := os.Stat(filepath.Join(dir, "unknown")); err == nil {
				t.Error("an empty folder stays")
			}
		})
	}
}

// TestCut: wherever a kill ends a run, going on sorts every photo once, and undoing brings back every one.
func TestCut(t *testing.T) {
	for _, mode := range Modes {
		for done := range 7 {
			for _, cut := range []string{"before", "torn", "written", "copied"} {
				t.Run(fmt.Sprintf("%s-%d-%s", mode, done, cut), func(t *testing.T) {
					in, dir := t.TempDir(), t.TempDir()
					paths := photos(t, in)
					before := tree(t, in)
					output := filepath.Join(dir, "out.jsonl")
					s := open(t, dir, mode, output, false)
					for _, p := range paths[:min(done, 6)] {
						s.mustPut(t, p, "sea")
					}
					if done < 6 && cut != "before" { // in the midst of the next one
						r := newRecord(paths[done])
						to, err := s.choose("sea", paths[done], false)
						if err != nil {
							t.Fatal(err)
						}
						if err := s.writeDown(&r, to); err != nil {
							t.Fatal(err)
						}
						switch info, _ := s.list.file.Stat(); cut {
						case "torn":
							os.Truncate(s.list.path, info.Size()-3)
						case "copied":
							if mode == Move {
								if err := copyFile(paths[done], to); err != nil {
									t.Fatal(err)
								}
							} else if err := put(mode, paths[done], to, nil); err != nil {
								t.Fatal(err)
							}
						case "written":
							write(t, filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".123"), "half")
						}
					}
					s.Close()
					s = open(t, dir, mode, output, true)
					found, _ := photo.Files(in)
					found = s.Restore(in, found)
					var again []string
					for _, f := range found {
						again = append(again, f.Path)
						if text, err := os.ReadFile(s.Where(f.Path)); err != nil || !strings.Contains(before, "="+string(text)) {
							t.Errorf("%s is %q (%v)", f.Path, text, err)
						}
					}
					if !slices.Equal(again, paths) {
						t.Fatalf("inputs %q", again)
					}
					for _, p := range paths {
						s.mustPut(t, p, "sea")
					}
					want := "sea/X-3.JPG=2 sea/e\u0301-2.jpg=4 sea/x-2-2.jpg=5 sea/x-2.jpg=1 sea/x.jpg=0 sea/\u00e9.jpg=3"
					if got := tree(t, dir); got != want {
						// a name that the killed run had in mind stays free
						if n := strings.Count(got, "="); n != 6 || strings.Contains(got, "half") {
							t.Errorf("sorted\n%s, want\n%s", got, want)
						}
					}
					s.Close()
					if _, left := undo(t, s.List()); left != 0 {
						t.Errorf("%d left", left)
					}
					if got := tree(t, in) + tree(t, dir); got != before {
						t.Errorf("undone\n%s, want\n%s", got, before)
					}
				})
			}
		}
	}
}

// TestUndoKeeps: what has been changed since stays, and says why; then the list stays too.
func TestUndoKeeps(t *testing.T) {
	for mode, change := range map[Mode]func(from, to string){
		Copy:    func(_, to string) { os.WriteFile(to, []byte("edited"), 0o666) },
		Link:    func(_, to string) { os.Remove(to); os.WriteFile(to, []byte("0"), 0o666) },
		Symlink: func(_, to string) { os.Remove(to); os.WriteFile(to, []byte("edited"), 0o666) },
		Move:    func(from, _ string) { os.WriteFile(from, []byte("new"), 0o666) },
	} {
		in, dir := t.TempDir(), t.TempDir()
		paths := photos(t, in)
		s := open(t, dir, mode, "", false)
		s.mustPut(t, paths[0], "sea")
		s.mustPut(t, paths[5], "town")
		s.Close()
		to := filepath.Join(dir, "sea", "x.jpg")
		change(paths[0], to)
		was := tree(t, filepath.Join(dir, "sea"))
		if undone, left := undo(t, s.List()); undone != 1 || left != 1 {
			t.Errorf("%s: %d undone, %d left", mode, undone, left)
		}
		if got := tree(t, filepath.Join(dir, "sea")); got != was {
			t.Errorf("%s: %s is left of %s", mode, got, was)
		}
		os.Remove(to)
		if mode == Move {
			continue
		}
		if undone, left := undo(t, s.List()); undone != 0 || left != 0 {
			t.Errorf("%s, once more: %d undone, %d left", mode, undone, left)
		}
	}
}

// TestUndoLinked: where links to the sorted photos stand for the photos, as programs leave them that look for doubles, nothing is taken
// away.
func TestUndoLinked(t *testing.T) {
	for _, mode := range []Mode{Copy, Link, Move} {
		for _, whole := range []bool{false, true} { // the photo, or its folder
			in, dir := t.TempDir(), t.TempDir()
			paths := photos(t, in)
			output := filepath.Join(dir, "out.jsonl")
			s := open(t, dir, mode, output, false)
			s.mustPut(t, paths[0], "sea")
			s.Close()
			want := tree(t, filepath.Join(dir, "sea"))
			from, to := paths[0], filepath.Join(dir, "sea", "x.jpg")
			if whole {
				from, to = filepath.Dir(from), filepath.Dir(to)
			}
			os.RemoveAll(from)
			if err := os.Symlink(to, from); err != nil {
				t.Skip(err)
			}
			if mode == Move {
				s = open(t, dir, mode, output, true)
				s.mustPut(t, paths[0], "sea")
				s.Close()
			}
			if undone, left := undo(t, filepath.Join(dir, "undo-000001.jsonl")); undone != 0 || left != 1 {
				t.Errorf("%s: %d undone, %d left", mode, undone, left)
			}
			if got := tree(t, filepath.Join(dir, "sea")); got != want {
				t.Errorf("%s: %q is left of %q", mode, got, want)
			}
			if _, err := os.Lstat(from); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestTakeAway: a photo that is written while it moves stays where it is, and the copy goes.
func TestTakeAway(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg")
	taken := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, change := range map[string]func(){
		"longer":  func() { write(t, from, "photo and more"); os.Chtimes(from, taken, taken) },
		"another": func() { os.Rename(from, from+".old"); write(t, from, "other"); os.Chtimes(from, taken, taken) },
		"later":   func() { os.Chtimes(from, taken, taken.Add(time.Hour)) },
	} {
		write(t, from, "photo")
		os.Chtimes(from, taken, taken)
		before, err := os.Lstat(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := copyFile(from, to); err != nil {
			t.Fatal(err)
		}
		change()
		os.Remove(from + ".old")
		want, _ := os.ReadFile(from)
		if err := takeAway(before, from, to); err == nil {
			t.Errorf("%s: taken away", name)
		}
		if got := tree(t, dir); got != "a.jpg="+string(want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestContent: photos that are no files are copied in every mode, whatever they are called.
func TestContent(t *testing.T) {
	for _, mode := range Modes {
		dir := t.TempDir()
		s := open(t, dir, mode, "", false)
		for _, name := range []string{"a.zip/x.jpg", "b.zip/x.jpg", `a.zip/d\..\con.jpg`, "a.zip/..jpg", "a.zip/a\nb?.jpg"} {
			if err := s.Put(name, []byte(name), "sea", false); err != nil {
				t.Fatal(err)
			}
			if err := s.Put(name, []byte(name), "sea", false); err != nil {
				t.Fatal(err)
			}
		}
		want := "sea/_con.jpg=a.zip/d\\..\\con.jpg sea/_jpg=a.zip/..jpg sea/a_b_.jpg=a.zip/a\nb?.jpg sea/x-2.jpg=b.zip/x.jpg sea/x.jpg=a.zip/x.jpg"
		if got := tree(t, dir); got != want {
			t.Errorf("%s: sorted\n%s, want\n%s", mode, got, want)
		}
		s.Close()
		if undone, left := undo(t, s.List()); undone != 5 || left != 0 || tree(t, dir) != "" {
			t.Errorf("%s: %d undone, %d left, %s", mode, undone, left, tree(t, dir))
		}
	}
}

// TestFolders: labels of any kind have folders of their own.
func TestFolders(t *testing.T) {
	hostile := []string{"sea", "Sea", "../up", "..", ".", "", "a/b", `a\b`, "unknown", "con", "NUL.txt", " x ", "x.", "\x00", "é", "e\u0301", ".git", strings.Repeat("長", 200), "a\u202eb"}
	folders, unknown := foldersOf(hostile)
	seen := map[string]string{strings.ToLower(unknown): "of no class"}
	for _, label := range hostile {
		f := folders[label]
		if !filepath.IsLocal(f) || strings.ContainsAny(f, `/\:`) || strings.HasPrefix(f, ".") || len(f) > 210 || f != strings.TrimRight(f, ". ") {
			t.Errorf("%q has the folder %q", label, f)
		}
		if other, twice := seen[strings.ToLower(f)]; twice {
			t.Errorf("%q and %q have the folder %q", label, other, f)
		}
		seen[strings.ToLower(f)] = label
	}
	if folders["sea"] != "sea" || unknown != "unknown" || folders["a/b"] != "a_b" {
		t.Errorf("%v", folders)
	}
}

// TestPutFails: a photo that is a link or is gone stays as it is, and the list does not speak of it.
func TestPutFails(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	paths := photos(t, in)
	link := filepath.Join(in, "link.jpg")
	if err := os.Symlink(paths[0], link); err != nil {
		t.Skip(err)
	}
	s := open(t, dir, Move, "", false)
	if err := s.Put(link, nil, "sea", false); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("%v", err)
	}
	if err := s.Put(filepath.Join(in, "gone.jpg"), nil, "sea", false); err == nil {
		t.Error("moved what is not there")
	}
	s.mustPut(t, paths[0], "sea")
	s.Close()
	if _, records, _, err := readList(s.List()); err != nil || len(records) != 1 {
		t.Errorf("%v, %v", records, err)
	}
}

// FuzzList: no bytes make a list that ends the program or leads out of its folder.
func FuzzList(f *testing.F) {
	f.Add([]byte(`{"schema":"regraft/sort/1","mode":"move"}` + "\n" + `{"from":"/a","to":"sea/a"}` + "\n" + `{"from":"/a","to":"sea/a","void":true}` + "\n"))
	f.Add([]byte(`{"schema":"regraft/sort/1","mode":"copy"}` + "\n" + `{"from":"/a","to":"../a"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "undo-000001.jsonl")
		os.WriteFile(path, text, 0o666)
		_, records, end, err := readList(path)
		if err == nil && end > int64(len(text)) {
			t.Errorf("%d of %d bytes", end, len(text))
		}
		for _, r := range records {
			if !filepath.IsLocal(r.to()) {
				t.Errorf("%q", r.to())
			}
		}
	})
}

// TestFileSystems: a photo moves to another file system as a copy that keeps its time and permissions.
func TestFileSystems(t *testing.T) {
	in, err := os.MkdirTemp("/dev/shm", "sorter")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(in)
	dir, err := os.MkdirTemp("/var/tmp", "sorter")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(in, "x.jpg")
	write(t, path, "photo")
	if os.Link(path, filepath.Join(dir, "probe")) == nil {
		t.Skip("one file system")
	}
	taken := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := cmp.Or(os.Chtimes(path, taken, taken), os.Chmod(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Link, "", false)
	if err := s.Put(path, nil, "sea", false); err == nil || !strings.Contains(err.Error(), "file systems") {
		t.Errorf("%v", err)
	}
	s = open(t, dir, Move, "", false)
	s.mustPut(t, path, "sea")
	info, err := os.Stat(filepath.Join(dir, "sea", "x.jpg"))
	if err != nil || !info.ModTime().Equal(taken) || info.Mode() != 0o600 || tree(t, in) != "" {
		t.Errorf("%v, %v, left %q", info, err, tree(t, in))
	}
	s.Close()
	if undone, left := undo(t, s.List()); undone != 1 || left != 0 || tree(t, in) != "x.jpg=photo" {
		t.Errorf("%d undone, %d left, %s", undone, left, tree(t, in))
	}
}
