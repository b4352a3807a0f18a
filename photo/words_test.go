package photo

import (
	"context"
	"image"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestChanged: what is done to a photo, in words and in its order.
func TestChanged(t *testing.T) {
	a := Augmentation{X: 1, Y: 2, W: 3, H: 4, FlipX: true, FlipY: true, Changes: []Change{{}, {}}, Erased: image.Rect(5, 6, 12, 14)}
	change := a.Changes[0].String()
	if got, want := a.Changed(), []string{"crop 3x4+1+2", "flip", "vflip", change, change, "erase 7x8+5+6"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (Augmentation{}).Changed(); got == nil || len(got) != 0 {
		t.Errorf("nothing is %#v", got)
	}
}

// TestScalingInWords: normalisations by their names, and others by their numbers.
func TestScalingInWords(t *testing.T) {
	for _, n := range Usual {
		if got := n.Apply(Preprocess{}).Scaling(); got != n.Name {
			t.Errorf("%q is called %q", n.Name, got)
		}
	}
	for want, p := range map[string]Preprocess{
		"pixels from 0 to 255":                                         {Rescale: 1, Std: [3]float32{1, 1, 1}},
		"mean [0 0 0.25] and std [1 1 1]":                              {Rescale: 1. / 255, Mean: [3]float32{0, 0, 0.25}, Std: [3]float32{1, 1, 1}},
		"mean [0 0 0.25] and std [1 1 1] of pixels from 0 to 255":      {Rescale: 1, Mean: [3]float32{0, 0, 0.25}, Std: [3]float32{1, 1, 1}},
		"mean [0.25] and std [3] of pixels from 0 to 2":                {Rescale: 2. / 255, Mean: [3]float32{0.25, 0.25, 0.25}, Std: [3]float32{3, 3, 3}, Channels: Gray},
		"mean [0.25 0 0] and std [1 2 3] of pixels from 0 to 0.003922": {Rescale: 1. / 65025, Mean: [3]float32{0.25, 0, 0}, Std: [3]float32{1, 2, 3}},
	} {
		if got := p.Scaling(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, v := range [][3]float32{{1, 1, 2}, {1, 2, 1}, {2, 1, 1}} {
		if uniform(v) {
			t.Errorf("%v is uniform", v)
		}
	}
}

// TestOverride: every setting replaces its own, and no other.
func TestOverride(t *testing.T) {
	was := Preprocess{Rescale: 1. / 255, Mean: [3]float32{0.1, 0.2, 0.3}, Std: [3]float32{1, 2, 3}, Channels: RGB, Resize: Squash, Resample: Bilinear, Decode: Exact}
	for name, c := range map[string]struct {
		o      Override
		change func(p *Preprocess)
	}{
		"nothing":  {Override{}, func(p *Preprocess) {}},
		"resize":   {Override{Resize: Crop}, func(p *Preprocess) { p.Resize = Crop }},
		"resample": {Override{Resample: Bicubic}, func(p *Preprocess) { p.Resample = Bicubic }},
		"decode":   {Override{Decode: Fast}, func(p *Preprocess) { p.Decode = Fast }},
		"channels": {Override{Channels: BGR}, func(p *Preprocess) { p.Channels, p.Mean, p.Std = BGR, [3]float32{0.3, 0.2, 0.1}, [3]float32{3, 2, 1} }},
		"mean":     {Override{Mean: &[3]float32{0.5, 0.6, 2}}, func(p *Preprocess) { p.Mean = [3]float32{0.5, 0.6, 2} }},
		"std":      {Override{Std: &[3]float32{0.5, 0.6, 0.7}}, func(p *Preprocess) { p.Std = [3]float32{0.5, 0.6, 0.7} }},
		"both":     {Override{Mean: &[3]float32{0, 0, 0}, Std: &[3]float32{2, 1, 1}}, func(p *Preprocess) { p.Mean, p.Std = [3]float32{}, [3]float32{2, 1, 1} }},
		"both of 255": {Override{Mean: &[3]float32{0, 0, 2.5}, Std: &[3]float32{1, 1, 1}}, func(p *Preprocess) {
			p.Rescale, p.Mean, p.Std = 1, [3]float32{0, 0, 2.5}, [3]float32{1, 1, 1}
		}},
	} {
		want := was
		c.change(&want)
		if got := was.With(c.o); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestLoaderDefaults: what is not said, and what is.
func TestLoaderDefaults(t *testing.T) {
	samples := plainSamples(t, 3)
	p := Preprocess{Size: Size{8, 8}, Rescale: 1, Std: [3]float32{1, 1, 1}, Resize: Squash}
	for _, c := range []struct{ said, want LoaderOptions }{
		{LoaderOptions{Batch: 2}, LoaderOptions{Batch: 2, Workers: runtime.GOMAXPROCS(0), Ahead: usuallyAhead}},
		{LoaderOptions{Batch: 7, Workers: 1, Ahead: 1}, LoaderOptions{Batch: 3, Workers: 1, Ahead: 1}},
	} {
		l, err := NewLoader(samples, p, c.said)
		if err != nil {
			t.Fatal(err)
		}
		if l.o.Batch != c.want.Batch || l.o.Workers != c.want.Workers || l.o.Ahead != c.want.Ahead || len(l.slots) != c.want.Ahead+1 {
			t.Errorf("%+v, %d slots", l.o, len(l.slots))
		}
	}
	for _, batch := range []int{0, -1} {
		if _, err := NewLoader(samples, p, LoaderOptions{Batch: batch}); err == nil {
			t.Errorf("a batch of %d", batch)
		}
	}
}

// TestContradictions: of equal files those under one class are no contradiction.
func TestContradictions(t *testing.T) {
	photos := []Sample{{Path: "a", Label: 0}, {Path: "b", Label: 0}, {Path: "c", Label: 1}, {Path: "d", Label: 1}, {Path: "e", Label: 0}}
	found := make([]Finding, len(photos))
	for i, of := range []byte{1, 1, 2, 3, 3} {
		found[i].Hash[0] = of
	}
	if got := Contradictions(photos, found); len(got) != 1 || !slices.Equal(got[0], []string{"d", "e"}) {
		t.Errorf("%q", got)
	}
	_, err := Check(context.Background(), filepath.Join(t.TempDir(), "none"), CheckOptions{})
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestFoldersThatAreNoClasses: a folder one too high, and one with the classes once more.
func TestFoldersThatAreNoClasses(t *testing.T) {
	for says, names := range map[string][]string{
		"are not classes: ": {"2023/train/cat/a.jpg", "2023/test/cat/b.jpg", "2024/train/dog/a.jpg", "2024/test/dog/b.jpg"},
		"holds folders with the names of other classes (cat, dog)": {"train/cat/a.jpg", "train/dog/b.jpg", "train/new/cat/c.jpg", "train/new/dog/d.jpg"},
	} {
		_, err := Scan(tree(t, names...), ScanOptions{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, not %q", err, says)
		}
	}
	_, err := Scan(tree(t, "train/cat/a.jpg", "train/dog/b.jpg", "train/new/cat/c.jpg"), ScanOptions{})
	if err != nil && strings.Contains(err.Error(), "names of other classes") {
		t.Errorf("one folder of a class's name: %v", err)
	}
	for n, want := range map[int]string{1: "class a", 3: "3 classes (a, b, c)"} {
		if got := plural([]string{"a", "b", "c"}[:n], "class", "classes"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestDamagedFiles: a picture of which no pixels are there, and an archive that ends within a member.
func TestDamagedFiles(t *testing.T) {
	for _, data := range []string{"GIF89a", "GIF89a\x02\x00\x02\x00\x00\x00\x00,", "BM", "\x89PNG\r\n\x1a\n"} {
		if m, err := Decode([]byte(data), DecodeOptions{}); err == nil {
			t.Errorf("%q: %v", data, m)
		}
	}
}

// TestCountsAgree: nouns and verbs agree with their numbers.
func TestCountsAgree(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0, "class", "classes"), "0 classes"},
		{Count(1, "class", "classes"), "1 class"},
		{Count(2, "photo lies", "photos lie"), "2 photos lie"},
		{Share(1, 1, "has", "have"), "1 of 1 photo has"},
		{Share(1, 4, "has", "have"), "1 of 4 photos has"},
		{Share(3, 4, "has", "have"), "3 of 4 photos have"},
		{Share(0, 1, "has", "have"), "0 of 1 photo have"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
