//go:build unix

package cli

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// below are the files below a folder that are no lists, with their contents.
func below(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(info.Name(), "undo-") {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// contents are those of files, sorted.
func contents(files map[string]string) []string {
	var all []string
	for _, text := range files {
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// TestSortInto: photos with an answer come into the folders of their classes, others stay and are named, a folder that is sorted into
// is not classified, and undo takes it back.
func TestSortInto(t *testing.T) {
	data := dataset(t, 2, 1)
	write(t, filepath.Join(data, "bad.jpg"), []byte("not a photo"))
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, _ := z.Create("../deep/a.jpg")
	w.Write([]byte("leaves"))
	w, _ = z.Create("in/a.jpg")
	photo, err := os.ReadFile(filepath.Join(data, "train", "sea", "a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	w.Write(photo)
	z.Close()
	archive := filepath.Join(t.TempDir(), "p.zip")
	write(t, archive, packed.Bytes())
	before := below(t, data)

	args := classifyArgs(data, archive, "--sort-into", filepath.Join(data, "sorted"), "--sort-mode", "move", "--threshold", "1")
	r := run(t, args...)
	if r.status != statusInputs || strings.Count(r.stdout, "\n") != 9+1+2 {
		t.Fatalf("exit status %d, %s%s", r.status, r.stdout, r.stderr)
	}
	for _, says := range []string{"left where they are, without an answer: " + filepath.Join(data, "bad.jpg") + ", " + archive, "10 photos sorted by move", "regraft undo"} {
		if !strings.Contains(r.stderr, says) {
			t.Errorf("%q is not in %s", says, r.stderr)
		}
	}
	if got := below(t, filepath.Join(data, "sorted", "unknown")); len(got) != 10 {
		t.Errorf("sorted %d", len(got))
	}
	if got := below(t, data); len(got) != 11 {
		t.Errorf("%d files are there", len(got))
	}
	if r := run(t, args...); !strings.Contains(r.stderr, "left out, sorted already") || strings.Count(r.stdout, "\n") != 1+2 {
		t.Errorf("once more: %s%s", r.stdout, r.stderr)
	}
	must(t, "undo", filepath.Join(data, "sorted"))
	if got := below(t, data); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("undone: %d files, want %d", len(got), len(before))
	}

	one := filepath.Join(data, "train", "sea", "a.jpg")
	for _, c := range []struct {
		args []string
		says string
	}{
		{classifyArgs(one, "--sort-mode", "move"), "--sort-mode does nothing without --sort-into"},
		{classifyArgs(one, "--sort-into", data, "--sort-mode", "steal"), "choose one of copy, link, symlink, move"},
		{classifyArgs(filepath.Join(data, "class_1"), "--sort-into", data), "lies in it"},
		{[]string{"undo"}, "no list given"},
	} {
		os.Mkdir(filepath.Join(data, "class_1"), 0o777)
		if r := run(t, c.args...); r.status != statusUsage || !strings.Contains(r.stderr, c.says) {
			t.Errorf("%v: exit status %d, %s", c.args, r.status, r.stderr)
		}
	}
	if r := run(t, "undo", archive); r.status != statusData || !strings.Contains(r.stderr, "not a list") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
}

// TestSortKill kills runs that move photos while they answer, and lets them end by --resume: the answers are those of a run that nobody
// disturbed, every photo is sorted once, and undo brings back every one.
func TestSortKill(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	source := dataset(t, 6, 1)
	write(t, filepath.Join(source, "train", "sea", "bad.jpg"), []byte("not a photo"))
	random := rand.New(rand.NewPCG(3, 4))
	var want []byte
	var life time.Duration
	for n := 0; n <= kills; n += 3 {
		dir := t.TempDir()
		data, out := filepath.Join(dir, "photos"), filepath.Join(dir, "a.jsonl")
		if err := os.CopyFS(data, os.DirFS(source)); err != nil {
			t.Fatal(err)
		}
		before := below(t, data)
		args := classifyArgs("--no-cache", "--resume", "--quiet", "-b", "1", "-o", "a.jsonl", "--sort-into", "photos", "--sort-mode", "move", "photos", filepath.Join("photos", "train"))
		args[2] = modelPath(t)
		start := func() *exec.Cmd {
			cmd := program(args...)
			cmd.Dir = dir
			return cmd
		}
		if n > 0 {
			killedAt(t, start(), func() bool {
				lists, _ := filepath.Glob(filepath.Join(data, "undo-*"))
				return len(lists) > 0
			})
			for range 2 {
				killed(t, start(), time.Duration(random.Int64N(int64(life))))
			}
		}
		began := time.Now()
		if status, output := ended(t, start()); status != statusInputs {
			t.Fatalf("exit status %d: %s", status, output)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			want, life = got, time.Since(began)
			if count := len(lines[jsonAnswer](t, string(want))); count != 22+19 {
				t.Errorf("%d answers", count)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the answers are\n%s, want\n%s", got, want)
		}
		if is := below(t, data); !slices.Equal(contents(is), contents(before)) || is["train/sea/bad.jpg"] == "" {
			t.Errorf("%d files, want %d", len(is), len(before))
		}
		if status, output := ended(t, program("undo", data)); status != statusDone {
			t.Fatalf("exit status %d: %s", status, output)
		}
		if is := below(t, data); fmt.Sprint(is) != fmt.Sprint(before) {
			t.Errorf("undone: %d files, want %d", len(is), len(before))
		}
	}
}

// TestWriteXMP: every photo with a class has it as a keyword beside it, in archives none, and what others have written stays.
func TestWriteXMP(t *testing.T) {
	data := dataset(t, 1, 0)
	write(t, filepath.Join(data, "bad.jpg"), []byte("not a photo"))
	sea, foreign := filepath.Join(data, "train", "sea", "a.jpg"), filepath.Join(data, "train", "forest", "a.jpg.xmp")
	write(t, foreign, []byte("<x/>"))
	args := classifyArgs(data, "--write-xmp", "--skip-bad", "--json")
	for range 2 {
		r := must(t, args...)
		if !strings.Contains(r.stderr, "keywords of 2 photos written") || !strings.Contains(r.stderr, "1 .xmp file of other programs left") {
			t.Errorf("%s", r.stderr)
		}
		text, err := os.ReadFile(sea + ".xmp")
		if label := lines[jsonAnswer](t, r.stdout)[2].Top[0].Label; err != nil || !strings.Contains(string(text), "<rdf:li>"+label+"</rdf:li>") {
			t.Errorf("%s (%v) without %s", text, err, label)
		}
	}
	if text, _ := os.ReadFile(foreign); string(text) != "<x/>" {
		t.Errorf("it has become %s", text)
	}
	must(t, append(args, "--threshold", "1")...)
	if left, _ := filepath.Glob(filepath.Join(data, "train", "*", "*.xmp")); len(left) != 1 {
		t.Errorf("keywords of unknown photos: %v", left)
	}
	if r := run(t, append(args, "--sort-into", data)...); r.status != statusUsage {
		t.Errorf("exit status %d", r.status)
	}
}
