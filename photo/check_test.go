package photo

import (
	"context"
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestCheck(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	for i, name := range []string{"train/a/1.png", "train/a/2.png", "train/a/3.png", "train/a/4.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"} {
		writePNG(t, at(name), 70, 80, color.RGBA{uint8(i), 1, 2, 0})
	}
	writePNG(t, at("train/a/tiny.png"), 63, 80, color.RGBA{9, 9, 9, 0})
	copyFile := func(from, to string) {
		data, err := os.ReadFile(at(from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(to), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	copyFile("train/a/1.png", "train/a/1 again.png")
	copyFile("train/a/2.png", "test/a/2.png")
	copyFile("train/a/3.png", "train/b/3.png")
	copyFile("train/a/4.png", "test/b/4.png")
	if err := os.WriteFile(at("train/b/bad.jpg"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}

	var calls atomic.Int64
	r, err := Check(context.Background(), root, CheckOptions{Workers: 3, Progress: func(done, total int) {
		if calls.Add(1); total != 13 || done < 1 || done > 13 {
			t.Errorf("%d of %d", done, total)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if calls.Load() != 13 {
		t.Errorf("%d photos reported", calls.Load())
	}
	if want := []ClassCount{{Train: 6, Test: 2}, {Train: 3, Test: 2}}; !slices.Equal(r.PerClass, want) || r.Imbalance() != 2 {
		t.Errorf("%+v, imbalance %g", r.PerClass, r.Imbalance())
	}
	if len(r.Unreadable) != 1 || !strings.Contains(r.Unreadable[0].Err.Error(), at("train/b/bad.jpg")) {
		t.Errorf("unreadable: %v", r.Unreadable)
	}
	if !slices.Equal(r.Tiny, []string{at("train/a/tiny.png")}) || len(r.Huge) != 0 {
		t.Errorf("tiny %q, huge %q", r.Tiny, r.Huge)
	}
	both := []string{at("train/a/4.png"), at("test/b/4.png")}
	for _, c := range []struct {
		what      string
		got, want [][]string
	}{
		{"duplicates", r.Duplicates, [][]string{{at("train/a/1 again.png"), at("train/a/1.png")}}},
		{"leaks", r.Leaks, [][]string{{at("train/a/2.png"), at("test/a/2.png")}, both}},
		{"contradictions", r.Contradictions, [][]string{{at("train/a/3.png"), at("train/b/3.png")}, both}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %q instead of %q", c.what, c.got, c.want)
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Check(ctx, root, CheckOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled check: %v", err)
	}
	if _, err := Check(context.Background(), at("missing"), CheckOptions{}); err == nil {
		t.Error("a missing folder was checked")
	}
}
