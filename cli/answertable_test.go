package cli

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"regraft/golden"
)

// TestClassifyParquet: PyArrow reads typed columns with what the lines say, and of what model they are.
func TestClassifyParquet(t *testing.T) {
	python := golden.Python(t, "import pyarrow")
	data := dataset(t, 1, 1)
	write(t, filepath.Join(data, "bad.jpg"), []byte("not a photo"))
	args := classifyArgs(data, "-k", "2", "--threshold", "0.2", "--logits", "--skip-bad")
	want := must(t, append(args, "--json")...).stdout
	out := filepath.Join(t.TempDir(), "a.parquet")
	must(t, append(args, "-o", out)...)
	const script = `
import json, sys, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
print(json.dumps({"schema": {f.name: str(f.type) for f in t.schema}, "metadata": {k.decode(): v.decode() for k, v in t.schema.metadata.items()}}))
for r in t.to_pylist():
    best = r["top"][0] if r["top"] else {"label": None, "index": None, "p": None}
    assert {k: r[k] for k in best} == best and r["path_bytes"] is None and r["features"] == [] and r["set"] == [], r
    print(json.dumps({k: r[k] for k in ("path", "top", "unknown", "error", "logits")}))`
	text, err := exec.Command(python, "-c", script, out).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	heading, rows, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	var is struct{ Schema, Metadata map[string]string }
	if err := json.Unmarshal([]byte(heading), &is); err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]string{"path": "string", "label": "string", "index": "int32", "p": "float", "unknown": "bool", "error": "string"} {
		if is.Schema[name] != of {
			t.Errorf("column %s is %s, want %s", name, is.Schema[name], of)
		}
	}
	file, err := os.ReadFile(modelPath(t))
	if err != nil {
		t.Fatal(err)
	}
	if m := is.Metadata; m["regraft.model_sha256"] != fmt.Sprintf("%x", sha256.Sum256(file)) || !strings.Contains(m["regraft.settings"], `"--topk":"2"`) {
		t.Errorf("metadata %v", m)
	}
	said, got := lines[jsonAnswer](t, want), strings.Split(rows, "\n")
	if len(got) != len(said) || len(said) != 7 {
		t.Fatalf("%d rows, %d answers", len(got), len(said))
	}
	for i, a := range said {
		row := jsonAnswer{Schema: a.Schema}
		if err := json.Unmarshal([]byte(got[i]), &row); err != nil {
			t.Fatal(err)
		}
		if row.Error != nil {
			row.Logits = nil // which is an empty list
		}
		if !reflect.DeepEqual(row, a) {
			t.Errorf("row %d is %s, want %+v", i, got[i], a)
		}
	}
}
