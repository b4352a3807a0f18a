package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"regraft/photo"
	"regraft/train"
)

// TestClassifyGoesOn: a folder without photos and a path that is nothing are lines of their own, in every format.
func TestClassifyGoesOn(t *testing.T) {
	data := dataset(t, 2, 1)
	empty, missing := filepath.Join(data, "empty"), filepath.Join(data, "nowhere")
	write(t, filepath.Join(empty, "notes.txt"), []byte("no photo"))
	sea := filepath.Join(data, "train", "sea")
	want := []string{filepath.Join(sea, "a.jpg"), filepath.Join(sea, "b.jpg"), empty, missing, filepath.Join(sea, "a.jpg")}
	for format, paths := range map[string]func(stdout string) []string{
		"text": func(stdout string) (paths []string) {
			for line := range strings.Lines(stdout) {
				path, _, _ := strings.Cut(line, "\t")
				paths = append(paths, path)
			}
			return paths
		},
		"csv": func(stdout string) (paths []string) {
			rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[1:] {
				paths = append(paths, row[0])
				if failed := row[0] == empty || row[0] == missing; failed != (row[6] != "") || failed != (row[2] == "") {
					t.Errorf("%q", row)
				}
			}
			return paths
		},
		"jsonl": func(stdout string) (paths []string) {
			for _, a := range lines[jsonAnswer](t, stdout) {
				paths = append(paths, a.Path)
			}
			return paths
		},
	} {
		r := run(t, classifyArgs("--format", format, sea, empty, missing, filepath.Join(sea, "a.jpg"))...)
		if got := paths(r.stdout); r.status != statusInputs || !slices.Equal(got, want) {
			t.Errorf("%s: exit status %d, %q", format, r.status, got)
		}
		if !strings.Contains(r.stdout, "the folder holds no photos") || !strings.Contains(r.stdout, "no such file") || !strings.Contains(r.stderr, "notes.txt") {
			t.Errorf("%s: %s%s", format, r.stdout, r.stderr)
		}
		if r := runWith(t, empty+"\n"+want[0]+"\n", classifyArgs("--format", format, "-")...); r.status != statusInputs || !slices.Equal(paths(r.stdout), []string{empty, want[0]}) {
			t.Errorf("%s, stdin: exit status %d, %s", format, r.status, r.stdout)
		}
	}
}

// TestClassifyStdinOfWindows: a byte order mark and lines that end in CR LF; UTF-16 is refused by name.
func TestClassifyStdinOfWindows(t *testing.T) {
	file := filepath.Join(dataset(t, 1, 1), "train", "sea", "a.jpg")
	r := runWith(t, "\ufeff"+file+"\r\n\r\n"+file, classifyArgs("-", "--json")...)
	got := lines[jsonAnswer](t, r.stdout)
	if r.status != statusDone || len(got) != 2 || got[0].Path != file || got[1].Path != file {
		t.Errorf("exit status %d, %s%s", r.status, r.stdout, r.stderr)
	}
	if r := runWith(t, "\xff\xfea\x00.\x00j\x00\n\x00", classifyArgs("-")...); r.status != statusData || !strings.Contains(r.stderr, "UTF-16") || r.stdout != "" {
		t.Errorf("UTF-16: exit status %d, %q, %s", r.status, r.stdout, r.stderr)
	}
}

// TestClassifyExcel: a byte order mark, and no cell that begins as a formula; csv alone has neither.
func TestClassifyExcel(t *testing.T) {
	dir := t.TempDir()
	abs := modelPath(t)
	t.Chdir(dir)
	names := []string{"=1+1.jpg", "@x.jpg", "größe.jpg"}
	for _, name := range names {
		writePhoto(t, name, colours["sea"], 0)
	}
	for format, want := range map[string][]string{"csv": names, "csv-excel": {"'=1+1.jpg", "'@x.jpg", "größe.jpg"}} {
		r := must(t, append([]string{"classify", "-m", abs, "--quiet", "--format", format}, names...)...)
		text, marked := strings.CutPrefix(r.stdout, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) != 4 || marked != (format == "csv-excel") {
			t.Fatalf("%s: %q, %v", format, r.stdout, err)
		}
		for i, row := range rows[1:] {
			if row[0] != want[i] {
				t.Errorf("%s: %q instead of %q", format, row[0], want[i])
			}
		}
	}
}

// bytesInNames skips the test where names of files are not bytes.
func bytesInNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("names of files are not bytes here")
	}
}

// TestPathsOfBytes: paths that are not UTF-8 stay distinct, and come back whole.
func TestPathsOfBytes(t *testing.T) {
	bytesInNames(t)
	dir := t.TempDir()
	names := []string{"caf\xe8.jpg", "caf\xe9.jpg", `back\slash.jpg`, `caf\xe8.jpg`}
	for _, name := range names {
		writePhoto(t, filepath.Join(dir, name), colours["sea"], 0)
	}
	slices.Sort(names)
	r := must(t, classifyArgs("--json", dir)...)
	if !utf8.ValidString(r.stdout) {
		t.Error("the JSON is not UTF-8")
	}
	var back []string
	for _, a := range lines[jsonAnswer](t, r.stdout) {
		path := a.Path
		if a.PathBytes != nil {
			path = string(a.PathBytes)
		}
		back = append(back, filepath.Base(path))
	}
	if !slices.Equal(back, names) {
		t.Errorf("%q came back as %q", names, back)
	}
	for _, format := range []string{"csv", "text"} {
		r := must(t, classifyArgs("--format", format, filepath.Join(dir, "caf\xe8.jpg"), filepath.Join(dir, "caf\xe9.jpg"))...)
		if !utf8.ValidString(r.stdout) || !strings.Contains(r.stdout, `caf\xe8.jpg`) || !strings.Contains(r.stdout, `caf\xe9.jpg`) {
			t.Errorf("%s: %q", format, r.stdout)
		}
	}
	bad := filepath.Join(dir, "bad\xff\n.jpg")
	write(t, bad, []byte("no photo"))
	if r := run(t, classifyArgs(bad)...); !utf8.ValidString(r.stdout+r.stderr) || strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("%q %q", r.stdout, r.stderr)
	}
}

// TestOddClassNames: names with signs of every format go through training, evaluation and classification unchanged, and
// none reaches the terminal as it is.
func TestOddClassNames(t *testing.T) {
	bytesInNames(t)
	names := []string{"=SUM(A1)", "<b>html&amp;", `back\slash`, "comma, class", "esc\x1b[31mred", "it's", "new\nline", "percent %d", `quo"te`, "tab\tclass", "日本", "cr\r", "\u202eright", " blank "}
	slices.Sort(names)
	data := t.TempDir()
	for i, name := range names {
		for k := range 3 {
			c := color.RGBA{uint8(13 * i), uint8(200 - 9*i), uint8(i), 255}
			writePhoto(t, filepath.Join(data, []string{"train", "train", "val"}[k], name, fmt.Sprintf("%d.jpg", k)), c, 3*i+k)
		}
	}
	out := filepath.Join(t.TempDir(), "run")
	trained := must(t, trainArgs(data, out, "--mode", "heads")...)
	best := filepath.Join(out, "best.onnx")
	text := []string{trained.stdout, trained.stderr}
	for _, args := range [][]string{
		{"check", data}, {"eval", "-m", best, "--data", data, "--split", "val"}, {"classify", "-m", best, "-k", "20", filepath.Join(data, "val")}, {"inspect", best},
	} {
		r := must(t, args...)
		text = append(text, r.stdout, r.stderr)
	}
	for i, s := range text {
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\u202e' }) {
			t.Errorf("control characters in output %d: %q", i, s)
		}
	}
	if classified := text[6]; strings.Count(classified, "\n") != len(names) || strings.Count(classified, "\t") != len(names)*len(names) {
		t.Errorf("classify: %q", classified)
	}
	for _, a := range lines[jsonAnswer](t, must(t, "classify", "-m", best, "-k", "20", "--json", filepath.Join(data, "val")).stdout) {
		for _, p := range a.Top {
			if p.Label != names[p.Index] {
				t.Errorf("label %d is %q instead of %q", p.Index, p.Label, names[p.Index])
			}
		}
	}
	table, err := os.ReadFile(filepath.Join(out, "confusion.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil || !slices.Equal(rows[0][1:], names) {
		t.Errorf("confusion.csv: %q, %v", rows, err)
	}
}

// TestCheckNamesProblems: the last words of check name what should be solved.
func TestCheckNamesProblems(t *testing.T) {
	data := dataset(t, 3, 2)
	write(t, filepath.Join(data, "train", "sea", "text.jpg"), []byte("no photo"))
	copied, err := os.ReadFile(filepath.Join(data, "train", "sea", "a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "test", "street", "z.jpg"), copied)
	write(t, filepath.Join(data, "train", "@eaDir", "thumb.jpg"), copied)
	write(t, filepath.Join(data, "extra", "x.jpg"), copied)
	for _, args := range [][]string{{"check", data}, {"check", "--json", data}} {
		r := run(t, args...)
		if r.status != statusData {
			t.Errorf("exit status %d", r.status)
		}
		for _, says := range []string{"2 problems", "text.jpg", "one photo under different classes", "z.jpg"} {
			if !strings.Contains(r.stderr, says) {
				t.Errorf("%q does not say %q", r.stderr, says)
			}
		}
		for _, says := range []string{"@eaDir", "extra"} {
			if !strings.Contains(r.stdout, says) {
				t.Errorf("%q does not say %q", r.stdout, says)
			}
		}
	}
	var j checkJSON
	if err := json.Unmarshal([]byte(run(t, "check", "--json", data).stdout), &j); err != nil {
		t.Fatal(err)
	}
	left := map[string]photo.LeftOut{}
	for _, l := range j.LeftOut {
		left[filepath.Base(l.Path)] = l
	}
	if len(j.Problems) != 2 || len(j.Warnings) != 1 || left["@eaDir"].Photos != 1 || left["extra"].Photos != 1 || left["extra"].Why != photo.NotAPart {
		t.Errorf("%+v", j)
	}
}

// TestCheckRefusesInJSON: a folder that is refused before its photos are read is an object too.
func TestCheckRefusesInJSON(t *testing.T) {
	data := dataset(t, 3, 1)
	write(t, filepath.Join(data, "train", "loose.jpg"), []byte("x"))
	write(t, filepath.Join(data, "train", "empty", "notes.txt"), []byte("x"))
	r := run(t, "check", "--json", data)
	j := lines[checkJSON](t, r.stdout)
	if r.status != statusData || len(j) != 1 || len(j[0].Problems) != 2 || strings.Contains(r.stdout, "null") || !strings.Contains(r.stderr, "loose.jpg") {
		t.Errorf("exit status %d, %s%s", r.status, r.stdout, r.stderr)
	}
}

// TestManyClasses: the text of a report grows with the classes, not with their square.
func TestManyClasses(t *testing.T) {
	for _, n := range []int{2, 30, 31, 100, 101, 1500} {
		labels := make([]string, n)
		r := &train.Report{Images: n, Confusion: make(train.Confusion, n)}
		for i := range n {
			labels[i] = fmt.Sprintf("class %04d", i)
			r.Confusion[i] = make([]int, n)
			r.Confusion[i][(i+1)%n] = 1
			r.Confused = append(r.Confused, train.Confused{True: labels[i], Answer: labels[(i+1)%n], N: 1})
			r.PerClass = append(r.PerClass, train.PerClass{Label: labels[i], N: 1})
		}
		var b bytes.Buffer
		con := newConsole(nil, &b, &b)
		if err := printReport(con, labels, r, "all: there"); err != nil {
			t.Fatal(err)
		}
		con.out.Flush()
		text := b.String()
		if matrix := strings.Contains(text, "row: true class"); matrix != (n <= matrixClasses) || matrix == strings.Contains(text, "most often confused") {
			t.Errorf("%d classes: %s", n, text)
		}
		if len(text) > 10_000 || (n > matrixClasses) != strings.Contains(text, "all: there") {
			t.Errorf("%d classes: %d bytes", n, len(text))
		}
	}
}
