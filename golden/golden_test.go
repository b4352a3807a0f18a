package golden

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sbinet/npyio/npy"
	"github.com/sbinet/npyio/npz"
)

func TestDirWalksUp(t *testing.T) {
	root := t.TempDir()
	t.Setenv(sharedVariable, "")
	deep := filepath.Join(root, "main", "a", "b")
	for _, dir := range []string{deep, filepath.Join(root, "shared", "golden")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "shared", marker), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	got, err := filepath.EvalSymlinks(Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(filepath.Join(root, "shared"))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("Dir = %s, want %s", got, want)
	}
}

func TestDirSkips(t *testing.T) {
	t.Setenv(sharedVariable, "")
	t.Chdir(t.TempDir())
	var skipped bool
	t.Run("without shared", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		Dir(t)
	})
	if !skipped {
		t.Error("Dir did not skip a test without the folder shared")
	}
}

func TestArrays(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "a.npz")
	if err := npz.Write(archive, map[string]interface{}{
		"f": []float32{1, 2, 3}, "d": []float64{4}, "i": []int64{-5, 6}, "b": []uint8{7},
	}); err != nil {
		t.Fatal(err)
	}
	got := Npz(t, archive)
	if !slices.Equal(got["f"].Data, []float32{1, 2, 3}) || !slices.Equal(got["f"].Shape, []int{3}) {
		t.Errorf("float32: %+v", got["f"])
	}
	if !slices.Equal(got["d"].Float64, []float64{4}) {
		t.Errorf("float64: %+v", got["d"])
	}
	if !slices.Equal(got["i"].Int64, []int64{-5, 6}) {
		t.Errorf("int64: %+v", got["i"])
	}
	if !slices.Equal(got["b"].Bytes, []uint8{7}) {
		t.Errorf("uint8: %+v", got["b"])
	}

	f, err := os.Create(filepath.Join(dir, "x.npy"))
	if err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(f, []float32{9, 8}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if a := Npy(t, f.Name()); !slices.Equal(a.Data, []float32{9, 8}) {
		t.Errorf("npy: %+v", a)
	}
}

func TestSharedArrays(t *testing.T) {
	if a := Npy(t, "golden/inputs.npy"); !slices.Equal(a.Shape, []int{8, 299, 299, 3}) || len(a.Bytes) != 8*299*299*3 {
		t.Errorf("inputs.npy: shape %v, %d values", a.Shape, len(a.Bytes))
	}
	if a := Npz(t, "golden/heads.npz")["fc_weight"]; !slices.Equal(a.Shape, []int{9, 2048}) || len(a.Data) != 9*2048 {
		t.Errorf("heads.npz: shape %v, %d values", a.Shape, len(a.Data))
	}
}

func TestModel(t *testing.T) {
	info, err := os.Stat(Model(t))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < 97e6 {
		t.Errorf("the model has %d bytes, fewer than its weights need", info.Size())
	}
}

func TestFirstDifference(t *testing.T) {
	for _, c := range []struct{ got, want, says string }{
		{"a\nb\n", "a\nb\n", ""},
		{"a\nb\n", "a\nc\n", "line 2: there is\nb\nand not\nc"},
		{"a\n", "a\nc\n", "line 2: there is\n\nand not\nc"},
		{"a\nc", "a", "line 2: there is\nc\nand not\nthe end"},
		{"a", "a\nthe end", "line 2: there is\nthe end\nand not\nthe end"},
	} {
		if says := firstDifference(c.got, c.want); says != c.says {
			t.Errorf("%q against %q: %q", c.got, c.want, says)
		}
	}
}

// TestPython: what the interpreter lacks is said.
func TestPython(t *testing.T) {
	skipped := true
	t.Run("lacking", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		Python(t, "import there_is_no_such_module")
	})
	if !skipped {
		t.Error("a module that does not exist is found")
	}
}

func TestFirstPixel(t *testing.T) {
	got, want := image.NewRGBA(image.Rect(0, 0, 3, 2)), image.NewRGBA(image.Rect(0, 0, 3, 2))
	want.SetRGBA(2, 1, color.RGBA{G: 5})
	if x, y, differs := firstPixel(got, want, 4); !differs || x != 2 || y != 1 {
		t.Errorf("%d, %d, %v", x, y, differs)
	}
	if _, _, differs := firstPixel(got, want, 5); differs {
		t.Error("a difference that is tolerated")
	}
}

// TestLimits: a file grows to the limit and no further, and no more files are opened than there may be, until the end.
func TestLimits(t *testing.T) {
	if Alone(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "x")
	end := FullDisk(t, 10)
	err := os.WriteFile(path, make([]byte, 11), 0o666)
	end()
	if info, e := os.Stat(path); err == nil || e != nil || info.Size() != 10 {
		t.Errorf("%v, %v", err, info)
	}
	if err := os.WriteFile(path, make([]byte, 11), 0o666); err != nil {
		t.Error(err)
	}
	for n := range 3 {
		end, opened := FewFiles(t, n), 0
		for range 4 {
			if f, err := os.Open(path); err == nil {
				defer f.Close()
				opened++
			}
		}
		if end(); opened != n {
			t.Errorf("%d files were opened, want %d", opened, n)
		}
	}
}
