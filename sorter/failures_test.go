package sorter

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/photo"
)

// TestNoRoom: on a disk that is full at any byte, and where no more files can be opened, photos that are not sorted are errors; nothing is
// lost, going on sorts what is left, and undoing brings everything back.
func TestNoRoom(t *testing.T) {
	if golden.Alone(t) {
		return
	}
	limits := map[string]func() func(){}
	for bytes := uint64(0); bytes < 900; bytes += 60 {
		limits[fmt.Sprintf("%d bytes", bytes)] = func() func() { return golden.FullDisk(t, bytes) }
	}
	for n := range 6 {
		limits[fmt.Sprintf("%d files", n)] = func() func() { return golden.FewFiles(t, n) }
	}
	failed := map[Mode]int{}
	for _, mode := range Modes {
		for name, limit := range limits {
			in, dir := t.TempDir(), t.TempDir()
			paths := photos(t, in)
			before := tree(t, in)
			output := filepath.Join(dir, "out.jsonl")
			put := func(resume bool) (list string, err error) {
				s, err := Open(dir, mode, labels, output, resume)
				if err != nil {
					return "", err
				}
				defer s.Close()
				for _, p := range paths {
					if e := s.Put(p, nil, "sea", false); e != nil {
						err = e
					}
				}
				if e := s.Put("a.zip/member.jpg", []byte("content of a member"), "town", false); e != nil {
					err = e
				}
				return s.List(), err
			}
			end := limit()
			_, err := put(false)
			end()
			if err != nil {
				failed[mode]++
			}
			list, err := put(true)
			if err != nil {
				t.Errorf("%s, %s, afterwards: %v", mode, name, err)
				continue
			}
			got := tree(t, dir)
			if n := strings.Count(got, "sea/"); n != len(paths) || !strings.Contains(got, "town/member.jpg=content of a member") {
				t.Errorf("%s, %s: %s", mode, name, got)
			}
			lists, err := Lists([]string{dir})
			if err != nil || !slices.Contains(lists, list) {
				t.Fatalf("%s, %s: lists %v, %v", mode, name, lists, err)
			}
			for _, list := range lists {
				undo(t, list)
			}
			if got := tree(t, in) + tree(t, dir); got != before {
				t.Errorf("%s, %s: undone\n%s, want\n%s", mode, name, got, before)
			}
		}
	}
	for _, mode := range Modes {
		if failed[mode] < 10 {
			t.Errorf("%s: %d of %d runs failed", mode, failed[mode], len(limits))
		}
	}
}

// TestOpenRefused: lists that another run writes, that are none, or that were begun in another mode; a folder that cannot be.
func TestOpenRefused(t *testing.T) {
	const first = `{"schema":"regraft/sort/1","mode":"copy"}` + "\n"
	for name, c := range map[string]struct{ list, says string }{
		"nothing":              {"", "is not a list"},
		"a header that is cut": {first[:20], "is not a list"},
		"another version":      {`{"schema":"regraft/sort/2","mode":"copy"}` + "\n", "is not a list"},
		"another mode":         {`{"schema":"regraft/sort/1","mode":"burn"}` + "\n", "is not a list"},
		"another text":         {"notes\n", "is not a list"},
		"a line without end":   {first + strings.Repeat(" ", longestLine), "is not a list"},
		"a relative path":      {first + `{"from":"a.jpg","to":"sea/a.jpg"}` + "\n", "is damaged behind byte 42"},
		"a path out of it":     {first + `{"from":"/a.jpg","to":"../a.jpg"}` + "\n", "is damaged behind byte 42"},
		"an absolute path":     {first + `{"from":"/a.jpg","to":"/a.jpg"}` + "\n", "is damaged behind byte 42"},
		"no record":            {first + "notes\n", "is damaged behind byte 42"},
	} {
		dir := t.TempDir()
		list := filepath.Join(dir, "undo-000001.jsonl")
		write(t, list, c.list)
		if _, err := Open(dir, Copy, labels, "", false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Undo(list, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("undo of %s: %v", name, err)
		}
	}
	list := filepath.Join(t.TempDir(), "undo-000001.jsonl")
	write(t, list, first+`{"from":"/a.jpg","to":"a.jpg","void":true}`+"\n"+`{"from":"/b.jpg","to":"b.jpg"}`+"\nhalf a li")
	if h, records, end, err := readList(list); err != nil || h.Mode != Copy || len(records) != 1 || records[0].to() != "b.jpg" || end != int64(len(first))+74 {
		t.Errorf("a record taken back before there is one: %v, %v to byte %d, %v", h, records, end, err)
	}
	in, dir := t.TempDir(), t.TempDir()
	output := filepath.Join(dir, "out.jsonl")
	s := open(t, dir, Copy, output, false)
	s.mustPut(t, photos(t, in)[0], "sea")
	moving := open(t, dir, Move, "", false) // to which another mode's photos mean nothing
	moving.mustPut(t, photos(t, in)[0], "sea")
	if got := tree(t, dir); got != "sea/x-2.jpg=0 sea/x.jpg=0" {
		t.Errorf("copied, then moved: %s", got)
	}
	for what, c := range map[string]struct {
		open func() (*Sorter, error)
		says string
	}{
		"another run goes on":  {func() (*Sorter, error) { return Open(dir, Copy, labels, output, true) }, "is in use by another run"},
		"another mode goes on": {func() (*Sorter, error) { return Open(dir, Move, labels, output, true) }, "was begun with copy"},
		"a file":               {func() (*Sorter, error) { return Open(photos(t, in)[1], Copy, labels, "", false) }, "not a directory"},
	} {
		if _, err := c.open(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Undo(s.List(), nil); err == nil || !strings.Contains(err.Error(), "is still being written") {
		t.Errorf("undone while it is written: %v", err)
	}
	if _, err := Undo(filepath.Join(dir, "none"), nil); !os.IsNotExist(err) {
		t.Errorf("no list: %v", err)
	}
	write(t, filepath.Join(dir, "town"), "a file where the folder should be")
	if err := s.Put(photos(t, in)[1], nil, "town", false); err == nil {
		t.Error("a photo was put into a file")
	}
}

// TestLists: the lists of folders come in the order in which they are to be undone, each once; a new one has the next number.
func TestLists(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	if _, err := Lists([]string{dir}); err == nil || !strings.Contains(err.Error(), "holds no list") {
		t.Errorf("none: %v", err)
	}
	if _, err := Lists([]string{filepath.Join(dir, "none")}); !os.IsNotExist(err) {
		t.Errorf("no folder: %v", err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("undo-000007.jsonl"), `{"schema":"regraft/sort/1","mode":"copy"}`+"\n")
	for i, p := range photos(t, in)[:2] {
		s := open(t, dir, Copy, "", false)
		if s.List() != "" || !slices.Contains(s.Folders(), at("sea")) || !slices.Contains(s.Folders(), at("unknown")) || len(s.Folders()) != 3 {
			t.Errorf("before anything: list %q, folders %v", s.List(), s.Folders())
		}
		s.mustPut(t, p, "sea")
		if want := at(fmt.Sprintf("undo-%06d.jsonl", 8+i)); s.List() != want {
			t.Errorf("list %s, want %s", s.List(), want)
		}
	}
	want := []string{at("undo-000008.jsonl"), at("undo-000009.jsonl"), at("undo-000007.jsonl")}
	if got, err := Lists([]string{want[0], dir, want[1]}); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// TestOddNames: names that are not UTF-8 and of any length are moved, found again by a run that goes on, and brought back.
func TestOddNames(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	names := []string{"caf\xe9.jpg", strings.Repeat("x", 230) + ".jpg", strings.Repeat("\u9577", 80) + ".jpg", "a." + strings.Repeat("y", 220)}
	for i, name := range names {
		write(t, filepath.Join(in, name), fmt.Sprint(i))
	}
	output := filepath.Join(dir, "out.jsonl")
	before := tree(t, in)
	for resume := range 2 {
		s := open(t, dir, Move, output, resume == 1)
		for _, name := range names {
			p := filepath.Join(in, name)
			if moved := s.Moved(p); moved != (resume == 1) {
				t.Errorf("%q: moved %v", name, moved)
			}
			s.mustPut(t, p, "sea")
			if !s.Moved(p) || s.Moved(p+"x") || s.Where(p) != filepath.Join(dir, "sea", name) {
				t.Errorf("%q is at %q", name, s.Where(p))
			}
		}
		s.Close()
	}
	if undone, left := undo(t, filepath.Join(dir, "undo-000001.jsonl")); undone != 4 || left != 0 || tree(t, in) != before {
		t.Errorf("%d undone, %d left, %q", undone, left, tree(t, in))
	}
	for name, want := range map[string]string{
		strings.Repeat("x", 201): strings.Repeat("x", 200), strings.Repeat("x", 200): strings.Repeat("x", 200),
		strings.Repeat("x", 230) + ".jpg": strings.Repeat("x", 196) + ".jpg", "a." + strings.Repeat("y", 220): "a." + strings.Repeat("y", 198),
		strings.Repeat("\u9577", 80) + ".jpg": strings.Repeat("\u9577", 65) + ".jpg", "." + strings.Repeat("y", 99) + "." + strings.Repeat("z", 100): "." + strings.Repeat("y", 99) + "." + strings.Repeat("z", 99),
		strings.Repeat("x", 150) + "." + strings.Repeat("y", 99): strings.Repeat("x", 100) + "." + strings.Repeat("y", 99),
	} {
		if got := cut(name, longest); got != want {
			t.Errorf("%q is cut to %q, want %q", name, got, want)
		}
	}
}

// TestRestore: a photo that was named itself is found where it was, a folder's are added to those that are there, other inputs stay as
// they are.
func TestRestore(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	paths := photos(t, in)
	s := open(t, dir, Move, filepath.Join(dir, "out.jsonl"), false)
	if got := s.Restore(in, nil); got != nil || s.Where(paths[0]) != paths[0] {
		t.Errorf("before anything is moved: %v", got)
	}
	s.mustPut(t, paths[0], "sea")
	s.mustPut(t, paths[1], "sea")
	files := func(paths ...string) (all []photo.File) {
		for _, p := range paths {
			all = append(all, photo.File{Path: p})
		}
		return all
	}
	gone := []photo.File{{Path: paths[0], Err: os.ErrNotExist}}
	for what, c := range map[string]struct {
		path        string
		found, want []photo.File
	}{
		"the photo":              {paths[0], gone, files(paths[0])},
		"its folder":             {filepath.Dir(paths[0]), []photo.File{{Path: filepath.Dir(paths[0]), Err: os.ErrNotExist}}, files(paths[0])},
		"the folder above":       {in, files(paths[2], paths[3]), files(paths[0], paths[1], paths[2], paths[3])},
		"a photo that is there":  {in, files(paths[1], paths[2]), files(paths[0], paths[1], paths[2])},
		"another photo":          {paths[2], files(paths[2]), files(paths[2])},
		"another folder":         {filepath.Dir(paths[3]), files(paths[3]), files(paths[3])},
		"what begins like it":    {in + "x", nil, nil},
		"a folder with a longer": {filepath.Dir(paths[2]), files(paths[2]), files(paths[2])},
	} {
		if got := s.Restore(c.path, c.found); !slices.EqualFunc(got, c.want, func(a, b photo.File) bool { return a.Path == b.Path && a.Err == b.Err }) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	if s.Where(paths[0]) != filepath.Join(dir, "sea", "x.jpg") || s.Where(paths[2]) != paths[2] {
		t.Errorf("%s, %s", s.Where(paths[0]), s.Where(paths[2]))
	}
	write(t, paths[0], "a new one")
	if s.Where(paths[0]) != paths[0] {
		t.Error("a new photo is taken for the one that was moved")
	}
}

// TestUndoSays: why a photo is not brought back, in the cases that a list can meet.
func TestUndoSays(t *testing.T) {
	type at struct{ from, to string }
	for name, c := range map[string]struct {
		mode   Mode
		change func(p at)
		undone int
		says   string // "" where nothing stays
	}{
		"moved, gone from there":            {Move, func(p at) { os.Remove(p.to) }, 0, "it is gone, from there and from"},
		"moved, brought back by hand":       {Move, func(p at) { os.Rename(p.to, p.from) }, 0, ""},
		"moved, copied back by hand":        {Move, func(p at) { os.WriteFile(p.from, []byte("0"), 0o666) }, 1, ""},
		"moved, its folder is a file now":   {Move, func(p at) { os.Remove(filepath.Dir(p.from)); os.WriteFile(filepath.Dir(p.from), nil, 0o666) }, 0, "not a directory"},
		"moved, its folder is gone":         {Move, func(p at) { os.Remove(filepath.Dir(p.from)) }, 1, ""},
		"copied, gone":                      {Copy, func(p at) { os.Remove(p.to) }, 0, ""},
		"copied, the photo is gone":         {Copy, func(p at) { os.Remove(p.from) }, 0, "no longer a copy"},
		"copied, now a link to something":   {Symlink, func(p at) { os.Remove(p.to); os.Symlink(p.from+"x", p.to) }, 0, "no longer a link"},
		"linked, the photo is another":      {Link, func(p at) { os.Remove(p.from); os.WriteFile(p.from, []byte("0"), 0o666) }, 0, "no longer the same file"},
		"linked, the photo is gone":         {Link, func(p at) { os.Remove(p.from) }, 0, "no longer the same file"},
		"a folder where it was":             {Copy, func(p at) { os.Remove(p.to); os.MkdirAll(filepath.Join(p.to, "x"), 0o777) }, 0, "no longer a copy"},
		"of the same length, other content": {Copy, func(p at) { os.WriteFile(p.to, []byte("1"), 0o666) }, 0, "no longer a copy"},
	} {
		in, dir := t.TempDir(), t.TempDir()
		p := at{photos(t, in)[0], filepath.Join(dir, "sea", "x.jpg")}
		s := open(t, dir, c.mode, "", false)
		s.mustPut(t, p.from, "sea")
		s.Close()
		c.change(p)
		said := ""
		undone, err := Undo(s.List(), func(to string, why error) { said = why.Error() })
		if err != nil || undone != c.undone || (said == "") != (c.says == "") || !strings.Contains(said, c.says) {
			t.Errorf("%s: %d undone, %q, %v", name, undone, said, err)
		}
		if _, err := os.Stat(s.List()); (err == nil) != (c.says != "") {
			t.Errorf("%s: the list: %v", name, err)
		}
	}
	dir := t.TempDir()
	s := open(t, dir, Move, "", false)
	for _, name := range []string{"a.zip/x.jpg", "https://host/y.jpg?size=2"} {
		if err := s.Put(name, []byte("member"), "sea", false); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if got, want := tree(t, dir), "sea/x.jpg=member sea/y.jpg=member"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	write(t, filepath.Join(dir, "sea", "x.jpg"), "edited")
	said := ""
	if undone, err := Undo(s.List(), func(_ string, why error) { said = why.Error() }); err != nil || undone != 1 || said != "it has been changed since" {
		t.Errorf("%d undone, %q, %v", undone, said, err)
	}
}

// TestSameContent: files of any size are the same where every byte is, and only where both are files.
func TestSameContent(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	long := strings.Repeat("0123456789abcdef", 1<<13) // two pieces of 64 KiB
	for name, text := range map[string]string{
		"empty": "", "empty too": "", "short": "abc", "short too": "abc", "short other": "abd", "long": long, "long too": long,
		"longer": long + "x", "longer too": long + "x", "ends otherwise": long + "y", "begins otherwise": "x" + long[1:], "in the second piece": long[:1<<16] + "x" + long[1<<16+1:],
	} {
		write(t, at(name), text)
	}
	if err := os.Mkdir(at("folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"empty", "empty too", true}, {"short", "short too", true}, {"long", "long too", true}, {"longer", "longer too", true}, {"short", "short", true},
		{"short", "short other", false}, {"empty", "short", false}, {"long", "longer", false}, {"longer", "ends otherwise", false},
		{"long", "begins otherwise", false}, {"long", "in the second piece", false}, {"none", "short", false}, {"short", "none", false},
		{"folder", "short", false}, {"short", "folder", false},
	} {
		if got := sameContent(at(c.a), at(c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}
