package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestEmbed: the three formats have the features that classify prints, with paths and the classes that folders tell.
func TestEmbed(t *testing.T) {
	data, dir := dataset(t, 6, 2), t.TempDir()
	var want []jsonAnswer
	for _, line := range strings.Split(strings.TrimSpace(must(t, "classify", "-m", model, "--json", "--features", data).stdout), "\n") {
		var a jsonAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		want = append(want, a)
	}
	out := func(name string) string { return filepath.Join(dir, name) }
	must(t, "embed", "-m", model, data, "-o", out("f.csv"))
	file, err := os.ReadFile(out("f.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(rows) != 1+len(want) || rows[0][0] != "path" || rows[0][2] != "f0" {
		t.Fatalf("%v, %d rows", err, len(rows))
	}
	for i, a := range want {
		row := rows[1+i]
		if row[0] != a.Path || row[1] != filepath.Base(filepath.Dir(a.Path)) || len(row) != 2+len(a.Features) {
			t.Fatalf("row %d: %v", i, row[:3])
		}
		for f, v := range a.Features {
			if got, _ := strconv.ParseFloat(row[2+f], 32); float32(got) != v {
				t.Fatalf("row %d: feature %d is %s, want %g", i, f, row[2+f], v)
			}
		}
	}
	must(t, "embed", "-m", model, data, "-o", out("f.npz"))
	listed := must(t, "embed", "-m", model, data, "-o", out("f.npy")).stdout
	if n := strings.Count(listed, "\n"); n != len(want) || !strings.HasPrefix(listed, want[0].Path+"\t") {
		t.Errorf("%d lines, %.80q", n, listed)
	}
	z, err := openReference(out("f.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.close()
	npy, err := os.ReadFile(out("f.npy"))
	if err != nil {
		t.Fatal(err)
	}
	array, err := z.array("features")
	if err != nil {
		t.Fatal(err)
	}
	n := len(want[0].Features)
	if array.shape[0] != len(want) || array.shape[1] != n || len(npy)%64 != len(want)*n*4%64 {
		t.Fatalf("shape %v", array.shape)
	}
	for i, a := range want {
		for f, v := range a.Features {
			if array.values[i*n+f] != v {
				t.Fatalf("row %d: feature %d is %g, want %g", i, f, array.values[i*n+f], v)
			}
		}
	}
}

// TestSimilar: a photo is most like itself, and those of its colour come before others.
func TestSimilar(t *testing.T) {
	data := dataset(t, 4, 2)
	one := filepath.Join(data, "train", "sea", firstOf(t, filepath.Join(data, "train", "sea")))
	r := must(t, "similar", "-m", model, one, "--in", data, "-k", "3", "--json")
	var first similarJSON
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 3 {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	if first.Label == "" || math.Abs(first.Similarity-1) > 1e-6 {
		t.Errorf("%+v is the nearest to %s", first, one)
	}
	all := &embedded{paths: []string{"far", "zero", "near", "against"}, features: [][]float32{{0, 2}, {0, 0}, {3, 0.3}, {-1, 0}}}
	var order []string
	for _, s := range nearest([]float32{1, 0.1}, all, nil) {
		order = append(order, fmt.Sprintf("%s %.3f", s.Path, s.Similarity))
	}
	if got := strings.Join(order, ", "); got != "near 1.000, far 0.100, zero 0.000, against -0.995" {
		t.Errorf("the nearest are %s", got)
	}
	for says, args := range map[string][]string{
		"--in is missing":     {"similar", "-m", model, one},
		"one photo is needed": {"similar", "-m", model, one, one, "--in", data},
		"must end in":         {"embed", "-m", model, data, "-o", "x.txt"},
		"no photos given":     {"embed", "-m", model, "-o", "x.npz"},
	} {
		wrong{says, args, statusUsage, says}.check(t, "")
	}
}

func firstOf(t *testing.T, dir string) string {
	t.Helper()
	return strings.Fields(listing(t, dir))[0]
}

// TestEmbedLeavesOut: photos that cannot be read are named, the others are written, and the status says so.
func TestEmbedLeavesOut(t *testing.T) {
	data := dataset(t, 2, 1)
	write(t, filepath.Join(data, "train", "sea", "bad.jpg"), []byte("no photo"))
	out := filepath.Join(t.TempDir(), "f.csv")
	r := run(t, "embed", "-m", model, filepath.Join(data, "train"), "-o", out)
	file, err := os.ReadFile(out)
	if r.status != statusInputs || err != nil || bytes.Count(file, []byte("\n")) != 7 || !strings.Contains(r.stderr, "bad.jpg") {
		t.Errorf("status %d, %v, %d lines: %s", r.status, err, bytes.Count(file, []byte("\n")), r.stderr)
	}
}
