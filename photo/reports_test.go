package photo

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"regraft/golden"
)

// unpacked are the trees of reports/photos/folders.tar.gz, whose names are bytes.
func unpacked(t *testing.T) string {
	t.Helper()
	file, err := os.Open(filepath.Join(golden.Dir(t), "reports", "photos", "folders.tar.gz"))
	if err != nil {
		t.Skipf("needs the reported folders: %v", err)
	}
	defer file.Close()
	if runtime.GOOS != "linux" {
		t.Skip("names of files are not bytes here")
	}
	packed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil || !filepath.IsLocal(h.Name) {
			t.Fatalf("%q: %v", h.Name, err)
		}
		path := filepath.Join(root, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, data, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestReportedTrees: what people's folders are taken for.
func TestReportedTrees(t *testing.T) {
	root := unpacked(t)
	for tree, c := range map[string]struct{ want, says string }{
		"parts_capital":        {"cat dog, 12 0 6", ""},
		"parts_kaggle_seg":     {"cat dog, 12 0 6", ""},
		"parts_train_and_Test": {"cat dog, 12 0 6", ""},
		"eadir":                {"cat dog, 10 2 0", "2 times @eaDir (24 photos)"},
		"lost_found":           {"cat dog, 10 2 0", "lost+found"},
		"hash_names":           {"cat dog, 6 2 0", ""},
		"unlabelled_test":      {"cat dog, 10 2 0", "its 4 photos are not used"},
		"class_names":          {"<b>html&amp;< =SUM(A1) back\\slash comma, class esc\x1b[31mred it's new\nline percent %d quo\"te tab\tclass 日本, 44 22 0", ""},
		"class_bytes":          {"", `"caf\xe8", "caf\xe9", "th\xe9"`},
		"class_nfc_nfd":        {"", "U+0065 U+0301 where that has U+00E9"},
		"empty_among":          {"", `class "day2"`},
	} {
		r, err := Check(context.Background(), filepath.Join(root, tree), CheckOptions{})
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v does not say %q", tree, err, c.says)
			}
			continue
		}
		if err == nil {
			err = Refusal(r.Problems())
		}
		if err != nil {
			t.Errorf("%s: %v", tree, err)
			continue
		}
		got := fmt.Sprintf("%s, %d %d %d", strings.Join(r.Classes, " "), len(r.Train), len(r.Val), len(r.Test))
		said := strings.Join(append(Summary(r.LeftOut), r.Doubts...), "\n")
		if got != c.want || !strings.Contains(said, c.says) {
			t.Errorf("%s: %q instead of %q; said %q", tree, got, c.want, said)
		}
	}
	files, _ := Files(filepath.Join(root, "empty_among", "day2"))
	if len(files) != 1 || files[0].Err == nil {
		t.Errorf("an empty folder to classify: %v", files)
	}
	for folder, want := range map[string]int{"eadir": 12, "lost_found": 12, "hash_names": 8, "empty_among": 24} {
		if files, _ := Files(filepath.Join(root, folder)); len(files) != want {
			t.Errorf("%s: %d photos to classify instead of %d", folder, len(files), want)
		}
	}
}
