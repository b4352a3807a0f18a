package regraft_test

import (
	"cmp"
	"context"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft"
	"regraft/demo"
	"regraft/engine/random"
	"regraft/golden"
	"regraft/photo"
)

// covered is the share of a class's probability that is lost, in the mean, when parts of photos are covered. It is a share, since how
// sure a model is of itself hangs on few photos that are held out.
type covered struct{ marked, elsewhere float64 }

// deletion covers the rectangle of three eighths of both sides that the map of a photo's answer marks most, in the photo's mean colour,
// and one of the same size that has no place in common with it, which the seed draws.
func deletion(t *testing.T, m *regraft.Model, photos []string) covered {
	t.Helper()
	ctx, sum, p := context.Background(), covered{}, m.Preprocess()
	answers, err := m.Answers()
	if err != nil {
		t.Fatal(err)
	}
	probability := func(x []float32, class int) float64 {
		outputs, err := m.Infer(ctx, x, 1)
		if err != nil {
			t.Fatal(err)
		}
		_, p := answers.Row(outputs[0].Row(0))
		return float64(p[class])
	}
	for i, path := range photos {
		x := make([]float32, p.Values())
		if err := p.ReadFile(path, photo.DecodeOptions{}, x); err != nil {
			t.Fatal(err)
		}
		answer := classify(t, m, regraft.File(path))[0].Top(1)[0]
		h, err := m.Explain(ctx, regraft.File(path), answer.Index)
		if err != nil {
			t.Fatal(err)
		}
		marked := most(h)
		var others []image.Rectangle
		for _, r := range windows(h) {
			if !r.Overlaps(marked) {
				others = append(others, r)
			}
		}
		other := others[random.At(1, "elsewhere", uint64(i)).IntN(len(others))]
		sum.marked += 1 - probability(cover(h, p, x, marked), answer.Index)/float64(answer.P)
		sum.elsewhere += 1 - probability(cover(h, p, x, other), answer.Index)/float64(answer.P)
	}
	n := float64(len(photos))
	return covered{sum.marked / n, sum.elsewhere / n}
}

// windows are all rectangles of three eighths of both sides of a map, in its places.
func windows(h *regraft.HeatMap) []image.Rectangle {
	w, height := max(3*h.Width/8, 1), max(3*h.Height/8, 1)
	var all []image.Rectangle
	for y := range h.Height - height + 1 {
		for x := range h.Width - w + 1 {
			all = append(all, image.Rect(x, y, x+w, y+height))
		}
	}
	return all
}

// most is the window with the largest sum.
func most(h *regraft.HeatMap) image.Rectangle {
	sum := func(r image.Rectangle) (sum float32) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				sum += h.Values[y*h.Width+x]
			}
		}
		return sum
	}
	return slices.MaxFunc(windows(h), func(a, b image.Rectangle) int { return cmp.Compare(sum(a), sum(b)) })
}

// cover is a prepared photo with places of the map in the photo's mean colour.
func cover(h *regraft.HeatMap, p regraft.Preprocess, x []float32, places image.Rectangle) []float32 {
	out := slices.Clone(x)
	size := p.Size.H * p.Size.W
	for c := range p.Depth() {
		plane, mean := out[c*size:(c+1)*size], 0.0
		for _, v := range plane {
			mean += float64(v)
		}
		for y := places.Min.Y * p.Size.H / h.Height; y < places.Max.Y*p.Size.H/h.Height; y++ {
			for x := places.Min.X * p.Size.W / h.Width; x < places.Max.X*p.Size.W/h.Width; x++ {
				plane[y*p.Size.W+x] = float32(mean / float64(size))
			}
		}
	}
	return out
}

// trained is a model after a training of its heads, and the photos to test it.
func trained(t *testing.T, model, data string, opts ...regraft.Option) (*regraft.Model, []string) {
	t.Helper()
	m := open(t, model, opts...)
	cfg := regraft.Recipe(regraft.Heads, "")
	cfg.Data, cfg.Out, cfg.Views = data, filepath.Join(t.TempDir(), "out"), 1
	if dir := os.Getenv("REGRAFT_TEST_CACHE"); dir != "" { // features that an earlier test has computed
		cfg.Cache = regraft.NewFeatureCache(dir, 2<<30)
	}
	if _, err := m.Train(context.Background(), cfg, nil); err != nil {
		t.Fatal(err)
	}
	photos, err := filepath.Glob(filepath.Join(data, "test", "*", "*.*"))
	if err != nil || len(photos) == 0 {
		t.Fatalf("no photos: %v", err)
	}
	return m, photos
}

// TestDeletion: what a map marks matters more than the rest of the photo, on rendered places.
func TestDeletion(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	r := demo.Run{Out: t.TempDir(), Train: 12, Test: 6}
	if err := r.Render(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(); err != nil {
		t.Fatal(err)
	}
	m, photos := trained(t, r.ModelFile(), r.Photos())
	c := deletion(t, m, photos)
	t.Logf("%d photos: %+v", len(photos), c)
	if c.marked < 1.4*c.elsewhere || c.marked < 0.3 {
		t.Errorf("covering what is marked costs %.3f of the probability, covering as much elsewhere %.3f", c.marked, c.elsewhere)
	}
}

// TestDeletionOnPlaces is TestDeletion on photos and the real model.
func TestDeletionOnPlaces(t *testing.T) {
	if testing.Short() || os.Getenv("REGRAFT_ISA") == "go" {
		t.Skip("runs hundreds of photos through the real model: not in plain Go, not with -short")
	}
	plain := regraft.AdjustPreprocess(func(p *regraft.Preprocess) { p.Mean, p.Std = [3]float32{}, [3]float32{1, 1, 1} })
	m, photos := trained(t, golden.Model(t), filepath.Join(golden.Dir(t), "data", "places9"), plain)
	c := deletion(t, m, photos)
	t.Logf("%d photos: %+v", len(photos), c)
	if c.marked < 2.5*c.elsewhere || c.marked < 0.3 {
		t.Errorf("covering what is marked costs %.3f of the probability, covering as much elsewhere %.3f", c.marked, c.elsewhere)
	}
}

// TestExplainUpright: a photo that lies on its side in its file has the map of the photo that stands.
func TestExplainUpright(t *testing.T) {
	odd := filepath.Join(golden.Dir(t), "data", "odd")
	m := open(t, narrow)
	explain := func(name string) *regraft.HeatMap {
		h, err := m.Explain(context.Background(), regraft.File(filepath.Join(odd, name)), 0)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	want := explain("base.jpg")
	for _, name := range []string{"exif3.jpg", "exif6.jpg", "exif8.jpg"} {
		got, dot, a, b := explain(name), 0.0, 0.0, 0.0
		for i, v := range want.Values {
			dot, a, b = dot+float64(v)*float64(got.Values[i]), a+float64(v)*float64(v), b+float64(got.Values[i])*float64(got.Values[i])
		}
		if cosine := dot / math.Sqrt(a*b); cosine < 0.95 {
			t.Errorf("%s: the cosine with the upright photo's map is %.3f", name, cosine)
		}
	}
}

// TestExplainErrors: what cannot be explained is an error and no map.
func TestExplainErrors(t *testing.T) {
	ctx, good := context.Background(), pictures(1)[0]
	m := open(t, narrow)
	if _, err := m.Explain(ctx, regraft.Photo{Path: "bad", Data: []byte("no photo")}, 0); err == nil {
		t.Error("a file that is no photo has a map")
	}
	if _, err := m.Explain(ctx, good, len(m.Labels())); err == nil {
		t.Error("a class that there is not has a map")
	}
	ended, end := context.WithCancel(ctx)
	end()
	if _, err := m.Explain(ended, good, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
	h, err := m.Explain(ctx, good, 1)
	if err != nil || h.Label != m.Labels()[1] || len(h.Values) != h.Width*h.Height {
		t.Fatalf("%+v, %v", h, err)
	}
	if err := m.SwapHeads([]string{"a", "b"}, 7); err != nil {
		t.Fatal(err)
	}
	after, err := m.Explain(ctx, good, 1)
	if err != nil || after.Label != "b" || slices.Equal(after.Values, h.Values) {
		t.Errorf("new heads have the old ones' map: %+v, %v", after, err)
	}
	only := open(t, narrow, regraft.AnswersOnly())
	if err := only.Explains(); !errors.Is(err, regraft.ErrAnswersOnly) {
		t.Errorf("without weights: %v", err)
	}
}
