package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var plain = []string{"--mean", "0,0,0", "--std", "1,1,1"}

func classifyArgs(args ...string) []string {
	return append(append([]string{"classify", "--model", model}, plain...), args...)
}

// lines decodes one JSON object a line.
func lines[T any](t *testing.T, stdout string) []T {
	t.Helper()
	var all []T
	for d := json.NewDecoder(strings.NewReader(stdout)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %q", err, stdout)
		}
		all = append(all, v)
	}
	return all
}

// TestClassifyOrder: every input gives one line, in the order of the arguments, whatever the batch,
// bad photos included; the answers do not depend on the batch.
func TestClassifyOrder(t *testing.T) {
	data := dataset(t, 4, 1)
	bad := filepath.Join(data, "bad.jpg")
	write(t, bad, []byte("not a photo"))
	missing := filepath.Join(data, "missing.jpg")
	one := filepath.Join(data, "train", "sea", "a.jpg")
	args := []string{one, bad, filepath.Join(data, "train"), missing, one}

	var want []string
	want = append(want, one, bad)
	for _, class := range []string{"forest", "sea", "street"} {
		for _, f := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg"} {
			want = append(want, filepath.Join(data, "train", class, f))
		}
	}
	want = append(want, missing, one)

	var first string
	for _, batch := range []string{"1", "3", "32"} {
		r := run(t, classifyArgs(append(args, "--json", "-b", batch, "-k", "7")...)...)
		if r.status != statusInputs {
			t.Fatalf("exit status %d, want %d: %s", r.status, statusInputs, r.stderr)
		}
		if first == "" {
			first = r.stdout
		} else if r.stdout != first {
			t.Errorf("batch %s gives other answers than batch 1", batch)
		}
	}
	var got []string
	for _, a := range lines[jsonAnswer](t, first) {
		got = append(got, a.Path)
		if failed := a.Path == bad || a.Path == missing; failed != (a.Error != nil) || failed != (len(a.Top) == 0) {
			t.Errorf("%s: error %v, top %v", a.Path, a.Error, a.Top)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("order\n%q\nwant\n%q", got, want)
	}
}

// TestReadingFlags: TIFF files and large photos are answered for where the flags say so, by every command that reads photos.
func TestReadingFlags(t *testing.T) {
	data := dataset(t, 3, 1)
	tiff, err := os.ReadFile("../photo/testdata/lzw.tiff")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"t.tiff", "u.tiff", "v.tiff"} { // not one group of equal photos
		write(t, filepath.Join(data, "train", "sea", name), append(slices.Clone(tiff), name...))
	}
	photo := filepath.Join(data, "train", "sea", "t.tiff")
	for _, c := range []struct {
		args []string
		flag []string
		says string
	}{
		{classifyArgs(photo), []string{"--tiff"}, "--tiff"},
		{[]string{"embed", "-m", model, photo, "-o", filepath.Join(t.TempDir(), "f.csv")}, []string{"--tiff"}, "--tiff"},
		{classifyArgs(filepath.Join(data, "train", "sea", "a.jpg"), "--max-pixels", "100"), []string{"--max-pixels", "7200"}, "--max-pixels"},
	} {
		without, with := run(t, c.args...), run(t, append(slices.Clone(c.args), c.flag...)...)
		if without.status == statusDone || !strings.Contains(without.stdout+without.stderr, c.says) {
			t.Errorf("%v: exit status %d, which does not name %s: %s%s", c.args[0], without.status, c.says, without.stdout, without.stderr)
		}
		if with.status != statusDone {
			t.Errorf("%v %v: exit status %d: %s", c.args[0], c.flag, with.status, with.stderr)
		}
	}
}

func TestClassifyStdin(t *testing.T) {
	data := dataset(t, 2, 1)
	a, b := filepath.Join(data, "train", "sea", "a.jpg"), filepath.Join(data, "train", "forest", "b.jpg")
	r := runWith(t, b+"\n\n"+a+"\n", classifyArgs("-", "--quiet")...)
	if got := strings.Split(r.stdout, "\n"); r.status != statusDone || len(got) != 3 ||
		!strings.HasPrefix(got[0], b+"\t") || !strings.HasPrefix(got[1], a+"\t") {
		t.Errorf("exit status %d, %q, %s", r.status, r.stdout, r.stderr)
	}
}

func TestClassifyCSV(t *testing.T) {
	data := dataset(t, 1, 1)
	bad := filepath.Join(data, `bad, "very".jpg`)
	write(t, bad, []byte("not a photo"))
	r := run(t, classifyArgs("--format", "csv", "-k", "2", bad, filepath.Join(data, "test"))...)
	rows, err := csv.NewReader(strings.NewReader(r.stdout)).ReadAll()
	if err != nil || r.status != statusInputs {
		t.Fatalf("exit status %d, %v", r.status, err)
	}
	if header := "path,rank,label,index,p,unknown,error"; strings.Join(rows[0], ",") != header {
		t.Errorf("header %q, want %q", rows[0], header)
	}
	if len(rows) != 1+1+2*3 {
		t.Errorf("%d rows", len(rows))
	}
	if rows[1][0] != bad || rows[1][6] == "" {
		t.Errorf("the bad photo's row is %q", rows[1])
	}
}

func TestClassifyUnknown(t *testing.T) {
	photo := filepath.Join(dataset(t, 1, 1), "train", "sea", "a.jpg")
	for threshold, unknown := range map[string]bool{"0": false, "1": true} {
		r := must(t, classifyArgs("--json", "--threshold", threshold, photo)...)
		if got := lines[jsonAnswer](t, r.stdout)[0].Unknown; got != unknown {
			t.Errorf("threshold %s: unknown is %v", threshold, got)
		}
	}
	if r := must(t, classifyArgs("--threshold", "1", photo)...); !strings.Contains(r.stdout, "\tunknown\t") {
		t.Errorf("text does not say unknown: %q", r.stdout)
	}
}

// TestClassifyAssumes: a model without preprocessing gets ImageNet's and one warning, whatever the number of photos; the end of the
// run says it again.
func TestClassifyAssumes(t *testing.T) {
	photos := filepath.Join(dataset(t, 3, 1), "train")
	r := must(t, "classify", "--model", model, photos)
	assumed, again := strings.Count(r.stderr, "are assumed"), strings.Count(r.stderr, "were assumed")
	if n := strings.Count(r.stderr, "warning:"); n != 2 || assumed != 1 || again != 1 {
		t.Errorf("%d warnings: %s", n, r.stderr)
	}
	if r := must(t, "classify", "--quiet", "--model", model, photos); r.stderr != "" {
		t.Errorf("--quiet prints %q", r.stderr)
	}
}

// TestClassifySameBits: threads and decoding workers change nothing.
func TestClassifySameBits(t *testing.T) {
	photos := filepath.Join(dataset(t, 3, 1), "train")
	var first string
	for _, threads := range []string{"1", "2", "3"} {
		r := must(t, classifyArgs("--json", "--logits", "--features", "-t", threads, "-j", threads, photos)...)
		if first == "" {
			first = r.stdout
		}
		if r.stdout != first {
			t.Errorf("%s threads give other bits", threads)
		}
	}
}

// TestNames: blanks, letters outside ASCII and names like flags.
func TestNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("such names are not possible here")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	abs := modelPath(t)
	for _, name := range []string{"a b.jpg", "größe.jpg", "--json.jpg", "new\nline.jpg"} {
		writePhoto(t, filepath.Join(dir, name), colours["sea"], 0)
		args := append([]string{"classify", "--model", abs, "--json"}, plain...)
		r := must(t, append(args, "--", name)...)
		if got := lines[jsonAnswer](t, r.stdout); len(got) != 1 || got[0].Path != name {
			t.Errorf("%q: %q", name, r.stdout)
		}
		args = append([]string{"classify", "--model", abs, "--quiet"}, plain...)
		if r := must(t, append(args, "--", name)...); strings.Count(r.stdout, "\n") != 1 {
			t.Errorf("%q: not one line of text: %q", name, r.stdout)
		}
	}
}

var modelFile, _ = filepath.Abs(model)

// modelPath is the model's absolute path, for tests that change the folder.
func modelPath(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(modelFile); err != nil {
		t.Fatal(err)
	}
	return modelFile
}

// TestEvalSkipsBad: an evaluation names all photos that it cannot read, or goes on without them and lists them.
func TestEvalSkipsBad(t *testing.T) {
	data := dataset(t, 1, 3)
	_, _, best := common(t)
	bad := []string{filepath.Join("test", "forest", "b.jpg"), filepath.Join("test", "sea", "c.jpg")}
	for _, name := range bad {
		write(t, filepath.Join(data, name), []byte("no photo"))
	}
	r := run(t, "eval", "-m", best, "--data", data)
	if r.status != statusData || r.stdout != "" || !strings.Contains(r.stderr, bad[0]) || !strings.Contains(r.stderr, bad[1]) || !strings.Contains(r.stderr, "--skip-bad") {
		t.Errorf("exit status %d, %s%s", r.status, r.stdout, r.stderr)
	}
	r = must(t, "eval", "-m", best, "--data", data, "--skip-bad", "--json")
	v := decode(t, r.stdout, "regraft/eval/1", "")
	skipped := v["skipped"].([]any)
	if v["images"] != 7.0 || len(skipped) != 2 || skipped[1].(map[string]any)["path"] != "test/sea/c.jpg" || !strings.Contains(r.stderr, "2 of 9 photos are left out") {
		t.Errorf("%v, %s", v, r.stderr)
	}
}
