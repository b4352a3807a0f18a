package cli

import (
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExplain: every answered photo has a picture of its own, which --json names; none replaces another, of this run or an earlier one.
func TestExplain(t *testing.T) {
	data, maps := dataset(t, 2, 1), filepath.Join(t.TempDir(), "new", "maps")
	_, _, model := common(t)
	write(t, filepath.Join(data, "train", "sea", "bad.jpg"), []byte("not a photo"))
	seen := map[string]string{}
	for range 2 {
		r := run(t, "classify", "--model", model, "--explain", maps, "--json", filepath.Join(data, "train"))
		if r.status != statusInputs {
			t.Fatalf("exit status %d: %s", r.status, r.stderr)
		}
		answers := lines[jsonAnswer](t, r.stdout)
		if len(answers) != 7 {
			t.Fatalf("%d answers", len(answers))
		}
		for _, a := range answers {
			if a.Error != nil {
				if a.Explained != "" {
					t.Errorf("%s is explained, and not answered", a.Path)
				}
				continue
			}
			if other, twice := seen[a.Explained]; twice {
				t.Errorf("%s explains %s and %s", a.Explained, other, a.Path)
			}
			seen[a.Explained] = a.Path
			f, err := os.Open(a.Explained)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jpeg.Decode(f); err != nil {
				t.Errorf("%s: %v", a.Explained, err)
			}
			f.Close()
			if name := filepath.Base(a.Explained); !strings.Contains(name, "-"+a.Top[0].Label+"-") {
				t.Errorf("%s does not name the class %s", name, a.Top[0].Label)
			}
		}
	}
	if entries, err := os.ReadDir(maps); err != nil || len(entries) != len(seen) {
		t.Errorf("%d files, want %d (%v)", len(entries), len(seen), err)
	}
}

// TestExplainRefused: a model without maps and a folder that cannot be made end the run before an answer.
func TestExplainRefused(t *testing.T) {
	photo := filepath.Join(t.TempDir(), "a.png")
	writePhoto(t, photo, color.RGBA{1, 2, 3, 255}, 0)
	tokens := filepath.Join("..", "heatmap", "testdata", "tokens.onnx")
	r := run(t, "classify", "--model", tokens, "--explain", t.TempDir(), photo)
	if r.status != statusModel || r.stdout != "" || !strings.Contains(r.stderr, "there are no heat maps of this network: node") {
		t.Errorf("exit status %d, %q, %q", r.status, r.stdout, r.stderr)
	}
	_, _, best := common(t)
	r = run(t, "classify", "--model", best, "--explain", filepath.Join(photo, "maps"), photo)
	if r.status != statusFailed || r.stdout != "" {
		t.Errorf("exit status %d, %q, %q", r.status, r.stdout, r.stderr)
	}
}

func TestFileName(t *testing.T) {
	for text, want := range map[string]string{
		"sea": "sea", "a/b\\c:d": "a_b_c_d", "..": "", "naïve 7": "naïve_7", "\xff": "_xff", "tall-building.2": "tall-building.2",
	} {
		if got := fileName(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if long := fileName(strings.Repeat("ä", 200)); len(long) != 80 || slices.Contains([]rune(long), '\uFFFD') {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}
