package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlace: a file gets a name that is free, once, whether the file system has links or not.
func TestPlace(t *testing.T) {
	dir := t.TempDir()
	temp, path := filepath.Join(dir, "temp"), filepath.Join(dir, "name")
	for _, taken := range []bool{false, true} {
		if err := os.WriteFile(temp, []byte("new"), 0o666); err != nil {
			t.Fatal(err)
		}
		err := Place(temp, path)
		_, still := os.Stat(temp)
		if taken && (!errors.Is(err, fs.ErrExist) || still != nil) || !taken && (err != nil || !errors.Is(still, fs.ErrNotExist)) {
			t.Errorf("taken %v: %v, the file is where it was: %v", taken, err, still)
		}
	}
	if err := Place(filepath.Join(dir, "none"), filepath.Join(dir, "other")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	folder := filepath.Join(dir, "folder") // of which there are no links
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Place(folder, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("without links, a name that is taken: %v", err)
	}
	if err := Place(temp, filepath.Join(dir, "none", "name")); err == nil {
		t.Error("a folder that is not there")
	}
}

// TestSame: paths are compared by what they lead to.
func TestSame(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, path := range []string{a, b} {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{{a, a, true}, {a, filepath.Join(dir, ".", "a"), true}, {a, b, false}, {a, a + "x", false}, {a + "x", a, false}, {a + "x", a + "x", false}} {
		if Same(c.a, c.b) != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, !c.same)
		}
	}
}

// TestBareNames: a file in the folder where the program runs is written as any other, and tidied up.
func TestBareNames(t *testing.T) {
	t.Chdir(t.TempDir())
	rest := ".file.123"
	if err := os.WriteFile(rest, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("x", 1<<17) // more than is buffered
	if err := Write("file", func(w io.Writer) error { _, err := io.WriteString(w, content); return err }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if text, _ := os.ReadFile("file"); err != nil || len(entries) != 1 || string(text) != content {
		t.Errorf("%v, %v", entries, err)
	}
	info, err := os.Stat("file")
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	Tidy(filepath.Join("none", "file")) // which is no error
}
