package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/onnx"
)

// TestLimited: the limit leaves at least the share asked for within it, equal ones included, and few photos have none.
func TestLimited(t *testing.T) {
	squares := make([]float64, 200)
	for i := range squares {
		squares[i] = float64((i*37)%200) + 1
	}
	for share, want := range map[float64]float64{0.99: 199, 0.9: 181, 0.5: 101, 0.999: 200} {
		d := &Distance{}
		if !d.limited(slices.Clone(squares), share) || math.Abs(d.Limit*d.Limit-want) > 1e-9 || d.Kept != want/200 || d.Photos != 200 {
			t.Errorf("%g: %+v, want the limit %g", share, d, math.Sqrt(want))
		}
	}
	if d := new(Distance); !d.limited(slices.Repeat([]float64{4}, 60), 0.5) || d.Limit != 2 || d.Kept != 1 {
		t.Errorf("60 equal distances: %+v", d)
	}
	if new(Distance).limited(squares[:leastCalibrated-1], 0.9) || new(Distance).limited(append(squares, math.NaN()), 0.9) {
		t.Error("a limit of few photos, or of what is no number")
	}
}

// fileDistance is what the file of a model says.
func fileDistance(t *testing.T, path string) *Distance {
	t.Helper()
	net, _, err := onnx.Read(path, onnx.ReadOptions{})
	must(t, err)
	d, err := DistanceOf(net)
	must(t, err)
	return d
}

// TestDistanceOfHeldOut: the limit is that of photos that the Gaussian of their fold has not seen, the Gaussian in the file is that of all.
func TestDistanceOfHeldOut(t *testing.T) {
	const n, f = 100, 40
	looks, labels := &features{positions: 1, f: f}, make([]int, n)
	for i, row := range correlated(n, f, f) {
		looks.data, labels[i] = append(looks.data, row...), i%2
	}
	r := &training{config: Config{Far: 0.9, Net: narrow(t)}, sets: &sets{classes: []string{"a", "b"}, train: labelled(labels...)}, grafted: &grafted{net: narrow(t)}}
	r.measureDistance(looks, "b")
	seen := &Distance{gaussian: fitGaussian(correlated(n, f, f))}
	var squares []float64
	for i := range n {
		squares = append(squares, seen.square(looks.of(i)))
	}
	if !seen.limited(squares, 0.9) || r.distance == nil || !slices.Equal(r.distance.Factors, seen.Factors) {
		t.Fatal("no distance, or another one than that from all photos")
	}
	if r.distance.Limit < 1.1*seen.Limit {
		t.Errorf("the limit is %g, that of photos that were learnt from %g", r.distance.Limit, seen.Limit)
	}
}

// TestOf: a distance is a multiple of the limit.
func TestOf(t *testing.T) {
	d := Distance{Limit: 2, gaussian: gaussian{Mean: floats{1, 2}, Precision: 4}}
	if got := d.Of([]float32{4, 6}); got != 5 {
		t.Errorf("a photo at 5 deviations of 1/2 is at %g limits of 2", got)
	}
}

// TestDistance: both modes leave a distance in the model, from photos that were held out; a share of 0 or few photos leave none, and that of the
// model that training began with goes.
func TestDistance(t *testing.T) {
	data := photos(t, map[string]int{"train": 24})
	c := narrowRun(t, Heads, data)
	r, err := Fit(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := fileDistance(t, r.Model)
	if d == nil || r.Distance == nil || *r.Distance != *d.Summary() {
		t.Fatalf("%+v, summary %+v", d, r.Distance)
	}
	if d.Photos != 72 || d.Kept < 0.98 || d.Block == "" || d.H != side || len(d.Mean) != 24 || len(r.Distance.String()) == 0 {
		t.Errorf("%+v", d)
	}
	text, err := os.ReadFile(filepath.Join(c.Out, SummaryFile))
	if err != nil || !strings.Contains(string(text), `"kept": `) {
		t.Errorf("summary.json tells nothing of the distance: %v", err)
	}

	net, _, err := onnx.Read(r.Model, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	without := narrowRun(t, Heads, data)
	without.Net, without.Far = net, 0
	if r, err = Fit(t.Context(), without, nil); err != nil || r.Distance != nil || fileDistance(t, r.Model) != nil {
		t.Errorf("a share of 0 leaves %+v, %v", r.Distance, err)
	}
	data = photos(t, map[string]int{"train": 10})
	for asked, given := range map[bool]map[string]string{false: nil, true: {"far": "--far"}} {
		few, heard := narrowRun(t, Heads, data), &warnings{}
		few.Given = given
		if r, err = Fit(t.Context(), few, heard); err != nil || r.Distance != nil || strings.Contains(heard.String(), "--far does nothing") != asked {
			t.Errorf("30 photos leave %+v, %v, %s", r.Distance, err, heard)
		}
	}
}

// TestDistanceFull: full mode fits on train and takes the limit from val.
func TestDistanceFull(t *testing.T) {
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 8, "val": 20}))
	c.Epochs = 1
	r, err := Fit(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := fileDistance(t, r.Model); d == nil || d.Photos != 60 || d.Kept != 1 || *r.Distance != *d.Summary() {
		t.Fatalf("%+v, summary %+v", d, r.Distance)
	}
}

// TestDistanceOfFiles: what a file says is checked before it is believed.
func TestDistanceOfFiles(t *testing.T) {
	good := Distance{Block: "b", H: 2, W: 2, Limit: 3, Kept: 0.9, Photos: 60, gaussian: gaussian{floats{1, 2}, 4, floats{1, 2, 3, 4}}}
	for name, spoil := range map[string]func(*Distance){
		"":            func(*Distance) {},
		"limit":       func(d *Distance) { d.Limit = 0 },
		"kept":        func(d *Distance) { d.Kept = 2 },
		"no mean":     func(d *Distance) { d.Mean = nil },
		"mean":        func(d *Distance) { d.Mean = floats{1, float32(math.NaN())} },
		"factors":     func(d *Distance) { d.Factors = floats{1, 2, 3} },
		"infinite":    func(d *Distance) { d.Factors = floats{1, float32(math.Inf(1))} },
		"a precision": func(d *Distance) { d.Precision = -1 },
	} {
		d := good
		spoil(&d)
		net := narrow(t)
		if err := d.into(net); err != nil {
			t.Fatal(err)
		}
		got, err := DistanceOf(net)
		if (err == nil) != (name == "") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && fmt.Sprint(*got) != fmt.Sprint(good) {
			t.Errorf("%+v was stored as %+v", got, good)
		}
	}
	for _, text := range []string{`"AAA"`, `"AAAA"`, `7`, `"?"`} {
		var f floats
		if err := json.Unmarshal([]byte(text), &f); err == nil {
			t.Errorf("%s is read as %v", text, f)
		}
	}
}
