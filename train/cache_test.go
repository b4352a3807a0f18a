package train

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft/engine/random"
	"regraft/featurecache"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
)

// entries counts those of a cache.
func entries(t *testing.T, c *featurecache.Cache) int {
	t.Helper()
	u, err := c.Usage()
	must(t, err)
	return u.Entries
}

// TestCacheOfARun: a second run computes nothing, an added photo costs one, a changed one is not taken for what it was, and a
// damaged entry is computed again. The model has always the bits of a run without a cache.
func TestCacheOfARun(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "val": 2})
	cache := featurecache.Open(filepath.Join(t.TempDir(), "cache"), featurecache.DefaultLimit)
	check := func(what string, added int) {
		t.Helper()
		before := entries(t, cache)
		c := narrowRun(t, Heads, data)
		c.Cache = cache
		with, without := fit(t, c), fit(t, narrowRun(t, Heads, data))
		if sum(t, with.Model) != sum(t, without.Model) || with.Report.Loss != without.Report.Loss {
			t.Errorf("%s: other bits than without a cache", what)
		}
		if got := entries(t, cache) - before; got != added {
			t.Errorf("%s: %d entries were added, want %d", what, got, added)
		}
	}
	const vectors = 3 // of a photo: what two heads read, and its look
	check("first run", 18*vectors)
	check("second run", 0)
	down := filepath.Join(data, "train", "down")
	writePhoto(t, filepath.Join(down, "new.png"), 1, random.At(77, "new"))
	check("a photo more", vectors)
	writePhoto(t, filepath.Join(down, "new.png"), 1, random.At(78, "new"))
	check("another photo of that name", vectors)
	must(t, os.Remove(filepath.Join(down, "new.png")))
	check("a photo less", 0)
	damage(t, cache, 5)
	check("damaged entries", 0)
}

// damage changes a byte of the first n entries.
func damage(t *testing.T, c *featurecache.Cache, n int) {
	t.Helper()
	u, err := c.Usage()
	must(t, err)
	files, err := filepath.Glob(filepath.Join(u.Dir, "*", "*"))
	must(t, err)
	for _, path := range files[:n] {
		data, err := os.ReadFile(path)
		must(t, err)
		data[len(data)/2]++
		must(t, os.WriteFile(path, data, 0o600))
	}
}

// TestAnswersFromFeatures: answers by way of a cache have the bits of those in one go, also for several views, and where a classifier
// reads no row of features, nothing is kept.
func TestAnswersFromFeatures(t *testing.T) {
	data := photos(t, map[string]int{"train": 6, "val": 3})
	s, err := scan(&Config{Data: data, Mode: Heads, Optimizer: LBFGS})
	must(t, err)
	for file, kept := range map[string]bool{
		"../demo/regraft-mini.onnx":                                  true,
		"../onnx/testdata/resnet18.ts.train.op17.onnx":               true,
		"../onnx/testdata/inception_v3.ts.train.op20.transform.onnx": true,
		"../onnx/testdata/squeezenet1_1.dyn.eval.op20.onnx":          false, // a convolution before the pool
	} {
		net, _, err := onnx.Read(file, onnx.ReadOptions{})
		must(t, err)
		net.Meta.Preprocess = photo.ImageNet(net.ImageSize())
		cache := featurecache.Open(filepath.Join(t.TempDir(), "cache"), featurecache.DefaultLimit)
		samples, views := s.val, []int{1, 2}
		if net.ImageSize().H > 100 { // in plain Go these take long
			samples, views = s.val[:1], views[1:]
		}
		for _, views := range views {
			o := Options{Views: views}
			want, err := Evaluate(t.Context(), net, samples, o, PhaseTest, 0, Silent{})
			must(t, err)
			o.Cache = cache
			o.Hashes = map[string]photo.Hash{}
			for _, p := range samples {
				content, err := os.ReadFile(p.Path)
				must(t, err)
				o.Hashes[p.Path] = photo.HashOf(content)
			}
			for _, what := range []string{"computing", "from the cache"} {
				got, err := Evaluate(t.Context(), net, samples, o, PhaseTest, 0, Silent{})
				must(t, err)
				if !slices.Equal(got.Logits, want.Logits) {
					t.Errorf("%s, %d views, %s: other bits", file, views, what)
				}
			}
			if n := entries(t, cache); kept && n != views*len(samples) || !kept && n != 0 {
				t.Errorf("%s, %d views: %d entries", file, views, n)
			}
		}
	}
}

// TestFingerprint: a network that was written and read is the same; other weights, attributes or connections are others.
func TestFingerprint(t *testing.T) {
	net := narrow(t)
	want := new(head.Hasher).Fingerprint(net)
	path := filepath.Join(t.TempDir(), "net.onnx")
	must(t, onnx.Write(path, net))
	again, _, err := onnx.Read(path, onnx.ReadOptions{})
	must(t, err)
	if got := new(head.Hasher).Fingerprint(again); got != want {
		t.Errorf("read again: %s, want %s", got, want)
	}
	p, err := again.Param("b.conv.weight")
	must(t, err)
	p.Value = slices.Clone(p.Value)
	p.Value[3] += 1e-6
	if new(head.Hasher).Fingerprint(again) == want {
		t.Error("a weight may change")
	}
	for name, output := range map[string]int{"main": 0, "aux": 1} {
		part, err := net.Subgraph(net.Outputs[output])
		must(t, err)
		if new(head.Hasher).Fingerprint(part) == want {
			t.Errorf("%s alone is both", name)
		}
	}
}

// TestGeneration holds the bits of the features of a photo. Where they change on purpose, featurecache's generation must rise, so
// that nobody gets those of an earlier version; then this hash is the new one.
func TestGeneration(t *testing.T) {
	const want = "845d6847421339df01a15adef2a57a7edd3d033f0abe37ed1542a9cf663f8c22"
	net, _, err := onnx.Read("../demo/regraft-mini.onnx", onnx.ReadOptions{})
	must(t, err)
	s, err := scan(&Config{Data: photos(t, map[string]int{"train": 2}), Mode: Heads, Optimizer: LBFGS})
	must(t, err)
	trunk, err := head.Trunk(net)
	must(t, err)
	heads, err := head.Find(net)
	must(t, err)
	e, err := newExtractor(trunk, nil, nil, nil, &Config{})
	must(t, err)
	defer e.close()
	x := newCollection(s.train[:2], heads, 6)
	must(t, e.fill(t.Context(), x, Silent{}, func() {}))
	if got := fmt.Sprintf("%x", photo.HashOf(fmt.Append(nil, x.sets[0].data, x.sets[1].data))); got != want {
		t.Errorf("the features have the hash %s", got)
	}
}
