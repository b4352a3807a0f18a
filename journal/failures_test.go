package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regraft/golden"
)

func TestMain(m *testing.M) {
	golden.InMemory()
	os.Exit(m.Run())
}

// whole writes an output from its beginning or its last answer to its end, and returns the first error.
func whole(path string, resume bool, form func(io.Reader, io.Writer) error) error {
	f, mark, err := Begin(path, origin, origin.Inputs, resume)
	if err != nil || mark != nil {
		return err
	}
	for i := f.Answered(); i < origin.Inputs; i++ {
		_, err := f.Write([]byte(answer(i)))
		if err == nil {
			err = f.Answer(i%5 == 0)
		}
		if err != nil {
			f.Close()
			return err
		}
	}
	if form != nil {
		return f.CompleteAs(nil, form)
	}
	return f.Complete(nil)
}

func copied(from io.Reader, to io.Writer) error { _, err := io.Copy(to, from); return err }

// TestNoRoom: on a disk that is full at any byte, and where no more files can be opened, a run ends with an error, and goes on to the
// same bytes when there is room.
func TestNoRoom(t *testing.T) {
	if golden.Alone(t) {
		return
	}
	defer func(d time.Duration) { SaveEvery = d }(SaveEvery)
	SaveEvery = 0
	limits := map[string]func() func(){}
	for bytes := uint64(0); bytes < 2500; bytes += 93 {
		limits[fmt.Sprintf("%d bytes", bytes)] = func() func() { return golden.FullDisk(t, bytes) }
	}
	for n := range 4 {
		limits[fmt.Sprintf("%d files", n)] = func() func() { return golden.FewFiles(t, n) }
	}
	failed := 0
	for name, limit := range limits {
		for kind, form := range map[string]func(io.Reader, io.Writer) error{"as it is": nil, "in another form": copied} {
			path := filepath.Join(t.TempDir(), "out")
			end := limit()
			err := whole(path, true, form)
			end()
			if _, e := ReadMark(path); (err == nil) != (e == nil) {
				t.Errorf("%s, %s: %v, mark %v", name, kind, err, e)
			}
			if err != nil {
				failed++
				if err := whole(path, true, form); err != nil {
					t.Errorf("%s, %s, afterwards: %v", name, kind, err)
				}
			}
			complete(t, path, nil)
		}
	}
	if failed < 40 {
		t.Errorf("%d of %d runs failed", failed, 2*len(limits))
	}
}

// TestObstacles: what stands in the way of an output, or is not what its journal says, is an error that names it; nothing of it is lost.
func TestObstacles(t *testing.T) {
	defer func(d time.Duration) { SaveEvery = d }(SaveEvery)
	SaveEvery = 0
	finished := func(t *testing.T, path string) { complete(t, path, begin(t, path, false)) }
	begun := func(t *testing.T, path string) { f := begin(t, path, false); write(t, f, 9); f.Close() }
	folder := func(path string) error { return os.MkdirAll(filepath.Join(path, "in the way"), 0o777) }
	overwrite := func(path string) error { return os.WriteFile(path, []byte("others' bytes"), 0o666) }
	for name, c := range map[string]struct {
		before func(t *testing.T, path string)
		change func(path string) error
		says   string
		is     error
	}{
		"a folder for the journal":      {nil, func(p string) error { return folder(p + journalEnding) }, "cannot write", nil},
		"no folder":                     {nil, func(p string) error { return os.Remove(filepath.Dir(p)) }, "cannot write", fs.ErrNotExist},
		"a folder for what grows":       {begun, func(p string) error { os.Remove(p + partialEnding); return folder(p + partialEnding) }, partialEnding, nil},
		"what grows is missing":         {begun, func(p string) error { return os.Remove(p + partialEnding) }, "is missing, of which", nil},
		"a mark that is none":           {finished, func(p string) error { return overwrite(MarkOf(p)) }, "not a mark", nil},
		"a folder for the mark":         {finished, func(p string) error { os.Remove(MarkOf(p)); return folder(MarkOf(p)) }, markEnding, nil},
		"other bytes, complete":         {finished, overwrite, "is not what", nil},
		"named, then other bytes":       {begun, func(p string) error { os.Rename(p+partialEnding, p); return overwrite(p) }, "is not what", nil},
		"what grows without a journal":  {begun, func(p string) error { return os.Remove(p + journalEnding) }, "without its journal", nil},
		"a journal of another program":  {nil, func(p string) error { return os.WriteFile(p+journalEnding, []byte("{}\n"), 0o666) }, "not a journal", nil},
		"under its name what is others": {begun, overwrite, "rename it, then Resume finishes", nil},
	} {
		path := filepath.Join(t.TempDir(), "sub", "out")
		if err := os.Mkdir(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if c.before != nil {
			c.before(t, path)
		}
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		err := whole(path, true, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
		if Unfinished(path) { // and nobody holds it
			if again := whole(path, true, nil); again == nil || again.Error() != err.Error() {
				t.Errorf("%s, once more: %v", name, again)
			}
		}
		if name == "under its name what is others" {
			os.Rename(path, path+".other")
			if err := whole(path, true, nil); err != nil {
				t.Errorf("%s, renamed: %v", name, err)
			}
			os.Remove(path + ".other")
			complete(t, path, nil)
		}
	}
}

// TestBegun: what can be seen of an output from its begin to its end.
func TestBegun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	see := func(when string, unfinished, begun bool) {
		t.Helper()
		if Unfinished(path) != unfinished || Begun(path) != begun {
			t.Errorf("%s: unfinished %v, begun %v", when, Unfinished(path), Begun(path))
		}
	}
	see("before", false, false)
	f := begin(t, path, false)
	see("begun", true, true)
	os.Rename(path+journalEnding, path+".j")
	see("without its journal", true, true)
	os.Rename(path+".j", path+journalEnding)
	os.Rename(path+partialEnding, path+".p")
	see("without what grows", true, true)
	os.Rename(path+".p", path+partialEnding)
	complete(t, path, f)
	see("complete", false, true)
}

// TestSavedSometimes: a journal grows at most once in SaveEvery, however many answers there are.
func TestSavedSometimes(t *testing.T) {
	defer func(d time.Duration) { SaveEvery = d }(SaveEvery)
	for every, want := range map[time.Duration]int{time.Hour: 1, 0: 11} {
		SaveEvery = every
		path := filepath.Join(t.TempDir(), "out")
		f := begin(t, path, false)
		write(t, f, 10)
		data, err := os.ReadFile(path + journalEnding)
		if n := strings.Count(string(data), "\n"); err != nil || n != want {
			t.Errorf("every %v: %d lines, want %d", every, n, want)
		}
		f.Close()
	}
}

// TestDiffers: the words for what is another thing of an output of inputs that come as they come.
func TestDiffers(t *testing.T) {
	was := origin
	was.Inputs = OpenEnded
	is := was
	is.List, is.Network, is.Shard = "k", "other", "1/2"
	if got, want := is.Differs(was), "another model, shard 1/2 instead of none, another folder, or another spelling of its path"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := was.Differs(was); got != "" {
		t.Error(got)
	}
}
