package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put := func(text string, fail error) error {
		return Write(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return fail
		})
	}
	if err := put("first", nil); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := put("second", broken); !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that wraps %q and names the path", err, broken)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "first" {
		t.Errorf("after a failed write the file holds %q (%v), want %q", data, err, "first")
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files are left (%v), want 1", len(left), err)
	}
	if err := Write(filepath.Join(path, "below"), func(io.Writer) error { return nil }); err == nil {
		t.Error("a file below a file was written")
	}
}

func TestIsRest(t *testing.T) {
	dir := t.TempDir()
	err := Write(filepath.Join(dir, "a.b"), func(io.Writer) error {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || !IsRest(entries[0].Name(), "a.b") || IsRest(entries[0].Name(), "a") {
			t.Errorf("in the midst of writing: %v, %v", entries, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"a.b", ".a.b", ".a.b.", ".a.b.txt", ".a.b.-1", "a.b.1", ".a.b.1.2"} {
		if IsRest(other, "a.b") {
			t.Errorf("%s is taken for a rest", other)
		}
	}
}

// TestTidy: what a killed write has left goes with the next write of the same file; what another one writes at the moment stays.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.b")
	rest, other, foreign := filepath.Join(dir, ".a.b.17"), filepath.Join(dir, ".c.17"), filepath.Join(dir, ".a.b.txt")
	for _, path := range []string{rest, other, foreign} {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(io.Writer) error { return nil }
	err := Write(file, func(io.Writer) error { return Write(file, nothing) }) // the inner one must leave the outer one's
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 || left[0].Name() != ".a.b.txt" || left[1].Name() != ".c.17" || left[2].Name() != "a.b" {
		t.Errorf("%v are left (%v)", left, err)
	}
}

// TestWriteNew: of many writers of one name one succeeds, and its file stays.
func TestWriteNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var all sync.WaitGroup
	var written atomic.Int32
	for range 8 {
		all.Go(func() {
			switch err := WriteNew(path, func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err }); {
			case err == nil:
				written.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if data, err := os.ReadFile(path); err != nil || string(data) != "whole" || written.Load() != 1 {
		t.Errorf("%q, %v, written %d times", data, err, written.Load())
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files are left (%v), want 1", len(left), err)
	}
}

// TestErrorsNameTheFile: no error names a temporary file.
func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(folder, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	other := &fs.PathError{Op: "read", Path: "other", Err: fs.ErrPermission}
	for path, content := range map[string]func(io.Writer) error{
		folder:                          func(io.Writer) error { return nil },
		filepath.Join(dir, "none", "a"): func(io.Writer) error { return nil },
		filepath.Join(dir, "unwritten"): func(io.Writer) error { return other },
	} {
		err := Write(path, content)
		if err == nil || !strings.HasPrefix(err.Error(), "cannot write "+path+": ") || strings.Contains(err.Error(), string(filepath.Separator)+".") {
			t.Errorf("%s: %v", path, err)
		}
		if strings.HasSuffix(path, "unwritten") && !errors.Is(err, other) {
			t.Errorf("another file's error is lost: %v", err)
		}
	}
}

// TestLongNames: a file may have the longest name that there is, and what a killed write of it leaves is known for that.
func TestLongNames(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{longest, longest + 1, 255} {
		name := strings.Repeat("x", n)
		path := filepath.Join(dir, name)
		for _, write := range []func(string, func(io.Writer) error) error{WriteNew, Write, WriteUnflushed} {
			rest := ""
			if err := write(path, func(w io.Writer) error {
				entries, err := os.ReadDir(dir)
				for _, e := range entries {
					if IsRest(e.Name(), name) {
						rest = e.Name()
					}
				}
				return err
			}); err != nil || rest == "" {
				t.Errorf("%d bytes: %v, %q", n, err, rest)
			}
		}
		if IsRest("."+name+"x.1", name) || n <= longest && !IsRest("."+name+".1", name) {
			t.Errorf("%d bytes: another file's rest", n)
		}
	}
}
