package cli

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"regraft/featurefile"
	"regraft/golden"
)

// TestEmbedParquet: the file has typed columns with the features that classify prints, and the class where a folder tells it.
func TestEmbedParquet(t *testing.T) {
	data, out := dataset(t, 3, 1), filepath.Join(t.TempDir(), "f.parquet")
	lone := filepath.Join(t.TempDir(), "größe.jpg")
	writePhoto(t, lone, colours["sea"], 3)
	var want []featurefile.Row
	for _, line := range strings.Split(strings.TrimSpace(must(t, "classify", "-m", model, "--json", "--features", data, lone).stdout), "\n") {
		var a jsonAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		row := featurefile.Row{Path: a.Path, Features: a.Features}
		class, part := filepath.Base(filepath.Dir(a.Path)), filepath.Base(filepath.Dir(filepath.Dir(a.Path)))
		if a.Path != lone {
			row.Label, row.Part = &class, &part
		}
		file, err := os.ReadFile(a.Path)
		if err != nil {
			t.Fatal(err)
		}
		hash := fmt.Sprintf("%x", sha256.Sum256(file))
		row.Hash = &hash
		want = append(want, row)
	}
	must(t, "embed", "-m", model, data, lone, "-o", out)
	got, err := parquet.ReadFile[featurefile.Row](out)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: %d rows, want %d", err, len(got), len(want))
	}
	pyarrow(t, out, want)
}

// pyarrow reads the file with PyArrow.
func pyarrow(t *testing.T, path string, want []featurefile.Row) {
	t.Helper()
	python := golden.Python(t, "import pyarrow")
	const script = `
import json, sys, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
print(json.dumps({"types": [str(f.type) for f in t.schema], "names": t.schema.names, "length": t.schema.metadata[b"features"].decode(),
    "rows": [[r["path"], r["label"], r["part"], r["sha256"], r["features"]] for r in t.to_pylist()]}))`
	text, err := exec.Command(python, "-c", script, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Types, Names []string
		Length       string
		Rows         [][5]any
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(read.Names, []string{"path", "label", "part", "sha256", "features"}) || read.Types[0] != "string" || !strings.HasPrefix(read.Types[4], "list<element: float") {
		t.Errorf("%v of %v", read.Names, read.Types)
	}
	if len(read.Rows) != len(want) {
		t.Fatalf("%d rows", len(read.Rows))
	}
	for i, row := range read.Rows {
		label, known := row[1].(string)
		part, _ := row[2].(string)
		hash, _ := row[3].(string)
		features := row[4].([]any)
		if row[0] != want[i].Path || hash != *want[i].Hash || known != (want[i].Label != nil) || known && (label != *want[i].Label || part != *want[i].Part) || len(features) != len(want[i].Features) {
			t.Fatalf("row %d: %v", i, row[:4])
		}
		for f, v := range features {
			if float32(v.(float64)) != want[i].Features[f] {
				t.Fatalf("row %d: feature %d is %v", i, f, v)
			}
		}
	}
}

// TestEmbedNowhere: a folder that is missing is an error before the photos are read, and nothing is left of a file without rows.
func TestEmbedNowhere(t *testing.T) {
	dir := t.TempDir()
	for ending := range tables {
		r := run(t, "embed", "-m", "missing.onnx", "missing", "-o", filepath.Join(dir, "nodir", "f"+ending))
		if r.status != statusFailed || !strings.Contains(r.stderr, "nodir") {
			t.Errorf("%s: status %d: %s", ending, r.status, r.stderr)
		}
		if r := run(t, "embed", "-m", model, filepath.Join(dir, "missing"), "-o", filepath.Join(dir, "f"+ending)); r.status == statusDone {
			t.Errorf("%s: %s", ending, r.stderr)
		}
	}
	if left := listing(t, dir); strings.TrimSpace(left) != "" {
		t.Errorf("left: %s", left)
	}
}
