package regraft_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regraft"
	"regraft/engine/random"
	"regraft/onnx"
)

const mini = "demo/regraft-mini.onnx"

// distant is a model that knows a distance from pictures of large squares, the file that it comes from, and such photos.
func distant(t *testing.T) (m *regraft.Model, path string, photos []regraft.Photo) {
	t.Helper()
	dir := t.TempDir()
	for class := range 2 {
		folder := filepath.Join(dir, "photos", fmt.Sprint(class))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			data := encoded(t, squares(random.At(uint64(i), "colour", uint64(class)), class, 16))
			if i >= 35 {
				photos = append(photos, regraft.Photo{Path: fmt.Sprint(i), Data: data})
			} else if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".png")), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	m = open(t, mini, regraft.Batch(3))
	cfg := regraft.Recipe(regraft.Heads, "")
	cfg.Data, cfg.Out, cfg.Views, cfg.NoReport = filepath.Join(dir, "photos"), filepath.Join(dir, "run"), 1, true
	training, err := m.Train(context.Background(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if training.Distance == nil || training.Distance.Photos < 60 { // some may look alike
		t.Fatalf("%+v", training.Distance)
	}
	return m, training.Model, photos
}

// squares is a picture of squares of this side in random colours.
func squares(r *random.Stream, class, side int) image.Image {
	img, across := image.NewRGBA(image.Rect(0, 0, 64, 48)), 64/side
	var colours []color.RGBA
	for range across * across {
		colours = append(colours, color.RGBA{uint8(r.IntN(160) + 90*class), uint8(r.IntN(256)), uint8(r.IntN(256)), 255})
	}
	for i := range 64 * 48 {
		x, y := i%64, i/64
		img.SetRGBA(x, y, colours[y/side*across+x/side])
	}
	return img
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDistance: photos like the training photos are near, noise is far; distances have the same bits alone, in a batch, from a cache, for two
// views and on models that only answer, and no other result changes.
func TestDistance(t *testing.T) {
	m, path, photos := distant(t)
	photos = append(photos, regraft.Photo{Path: "noise", Image: squares(random.At(1, "noise"), 0, 1)})
	want := classify(t, m, photos...)
	for i, r := range want {
		if far := i == len(want)-1; r.Far() != far || !(r.Distance > 0) {
			t.Errorf("photo %s has the distance %g", r.Path, r.Distance)
		}
	}
	for _, p := range photos[:2] {
		if got := classify(t, m, p)[0]; got.Distance != want[slices.IndexFunc(want, func(r regraft.Result) bool { return r.Path == p.Path })].Distance {
			t.Errorf("photo %s is at %g alone", p.Path, got.Distance)
		}
	}
	cache := regraft.NewFeatureCache(t.TempDir(), 1<<30)
	many := slices.Repeat(photos, 4) // enough to look into the cache
	for range 2 {
		got := classify(t, open(t, path, regraft.Cache(cache), regraft.AnswersOnly()), many...)
		if !reflect.DeepEqual(got[:len(want)], want) || !reflect.DeepEqual(got[3*len(want):], want) {
			t.Error("with a cache the results are others")
		}
	}
	for i, r := range classify(t, open(t, path, regraft.Views(2)), photos...) {
		if r.Distance != want[i].Distance {
			t.Errorf("photo %s is at %g in two views", r.Path, r.Distance)
		}
	}
	p := m.Preprocess()
	outputs, err := m.Infer(context.Background(), make([]float32, p.Values()), 1)
	if err != nil || len(outputs) != 2 {
		t.Errorf("%d results of Infer, %v", len(outputs), err)
	}
	none := open(t, path)
	if err := none.SwapHeads([]string{"a", "b"}, 1); err != nil {
		t.Fatal(err)
	}
	for i, r := range classify(t, none, photos...) {
		if r.Distance != want[i].Distance || !reflect.DeepEqual(r.Features, want[i].Features) {
			t.Errorf("photo %s is at %g with other heads", r.Path, r.Distance)
		}
	}
}

// TestDistanceElsewhere: for photos of another size none is far, with a word; a distance of another network is refused.
func TestDistanceElsewhere(t *testing.T) {
	_, path, photos := distant(t)
	m := open(t, path, regraft.InputSize(128, 128))
	a, err := m.Answers()
	if err != nil || !slices.ContainsFunc(a.Assumed, func(s string) bool { return strings.Contains(s, "none counts as far") }) {
		t.Errorf("%+v, %v", a, err)
	}
	if r := classify(t, m, photos[0])[0]; r.Distance != 0 || r.Far() || r.Err != nil {
		t.Errorf("%+v", r)
	}
	net, _, err := onnx.Read(path, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other, info, err := onnx.Read(narrow, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other.Meta.Preprocess = info.Assumed()
	size := other.ImageSize()
	other.Meta.Other = map[string]string{"regraft.distance": strings.Replace(net.Meta.Other["regraft.distance"],
		fmt.Sprintf(`"h":%d,"w":%d`, net.ImageSize().H, net.ImageSize().W), fmt.Sprintf(`"h":%d,"w":%d`, size.H, size.W), 1)}
	bad := filepath.Join(t.TempDir(), "bad.onnx")
	if err := onnx.Write(bad, other); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, bad).Answers(); err == nil || !strings.Contains(err.Error(), "is not one of this network") {
		t.Errorf("a distance of another network: %v", err)
	}
}
