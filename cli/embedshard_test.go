package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/featurefile"
	"regraft/onnx"
)

// shards embeds data by a model in so many shards and returns their folder.
func shards(t *testing.T, model, data string, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "features")
	for i := range n {
		must(t, "embed", "-m", model, "--shard", fmt.Sprintf("%d/%d", i, n), "-o", dir, data)
	}
	return dir
}

// network reads the best model of a run.
func network(t *testing.T, out string) *engine.Network {
	t.Helper()
	net, _, err := onnx.Read(filepath.Join(out, "best.onnx"), onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestTrainOnFeatures: heads that were solved on the features of shards, without the photos, are those of a run with the photos and one
// view, to the bit, however many files there are.
func TestTrainOnFeatures(t *testing.T) {
	data := dataset(t, 12, 2)
	chance := random.At(1, "photos of test")
	for class := range colours {
		for i := range 12 { // photos of which no two look the same
			img := image.NewGray(image.Rect(0, 0, 80, 80))
			for at := range img.Pix {
				if x, y := at%80, at/80; x%8 > 0 {
					img.Pix[at] = img.Pix[at-1]
				} else if y%8 > 0 {
					img.Pix[at] = img.Pix[at-80]
				} else {
					img.Pix[at] = uint8(chance.Uniform(0, 255))
				}
			}
			var file bytes.Buffer
			if err := png.Encode(&file, img); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(data, "train", class, string(rune('a'+i))+".jpg"), file.Bytes())
		}
	}
	model, heads := model, 1
	if !testing.Short() {
		model, heads = inception, 2 // of which features of files train the main one
	}
	train := func(args ...string) *engine.Network {
		out := filepath.Join(t.TempDir(), "run")
		must(t, append([]string{"train", "-m", model, "-o", out, "--smoothing", "0.1"}, args...)...)
		if r := must(t, "classify", "-m", filepath.Join(out, "best.onnx"), data); strings.Count(r.stdout, "\n") != 42 {
			t.Errorf("%d answers", strings.Count(r.stdout, "\n"))
		}
		return network(t, out)
	}
	want := train("--data", data, "--views", "1", "--no-report")
	whole := filepath.Join(t.TempDir(), "all.parquet")
	must(t, "embed", "-m", model, "-o", whole, data)
	several := map[string]string{"1 file": whole, "3 shards by a pattern": filepath.Join(shards(t, model, data, 3), "part-*")}
	if !testing.Short() {
		several["9 shards"] = shards(t, model, data, 9)
	}
	for name, features := range several {
		got := train("--features", features, "--threads", "1")
		if len(got.Outputs) != 1 || len(want.Outputs) != heads || !slices.Equal(got.Meta.Labels, want.Meta.Labels) {
			t.Errorf("%s: outputs %v, %v", name, got.Outputs, want.Outputs)
		}
		for _, p := range got.Params {
			at := slices.IndexFunc(want.Params, func(other *engine.Param) bool { return other.Name == p.Name })
			if at < 0 || !slices.Equal(p.Value, want.Params[at].Value) {
				t.Errorf("%s: parameter %s differs", name, p.Name)
			}
		}
	}
}

// TestEmbedShards: every photo is in one shard; one that is there stays, and is refused where it is of another run. A shard without photos is
// a file, too.
func TestEmbedShards(t *testing.T) {
	data := dataset(t, 2, 0)
	write(t, filepath.Join(data, "train", "sea", "bad.jpg"), []byte("no photo"))
	dir, seen := filepath.Join(t.TempDir(), "features"), map[string]int{}
	embed := func(i int, more ...string) result {
		return run(t, append([]string{"embed", "-m", model, "--shard", fmt.Sprintf("%d/20", i), "-o", dir, data}, more...)...)
	}
	var failed []int
	for i := range 20 {
		if r := embed(i); r.status == statusInputs {
			failed = append(failed, i)
		} else if r.status != statusDone {
			t.Fatalf("shard %d: %s", i, r.stderr)
		}
	}
	paths, err := featurefile.Expand([]string{dir})
	if err != nil || len(paths) != 20 {
		t.Fatalf("%v, %d files", err, len(paths))
	}
	set, err := featurefile.Open(paths)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := set.Photos(func(_ int, p featurefile.Photo) error {
		seen[p.Path]++
		data, _ := os.ReadFile(p.Path)
		if p.Label != filepath.Base(filepath.Dir(p.Path)) || p.Part != "train" || p.Hash != fmt.Sprintf("%x", sha256.Sum256(data)) {
			t.Errorf("%+v", p)
		}
		return nil
	}); err != nil || len(seen) != 6 || set.Rows != 6 || set.Failed != 1 || len(failed) != 1 {
		t.Errorf("%v, %d photos in %d rows, %d failed in %d shards", err, len(seen), set.Rows, set.Failed, len(failed))
	}
	before, _ := os.ReadFile(paths[3])
	if r := embed(3, "--resume"); r.status != statusDone || !strings.Contains(r.stderr, "is complete") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
	if after, _ := os.ReadFile(paths[3]); !bytes.Equal(before, after) {
		t.Error("a complete file has changed")
	}
	if r := embed(3, "--resume", "--mean", "0"); r.status != statusUsage || !strings.Contains(r.stderr, "--mean 0 instead of unset") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
	for _, i := range append(failed, 0, 19) {
		if r := embed(i, "--skip-bad"); r.status != statusDone {
			t.Errorf("shard %d: status %d", i, r.status)
		}
	}
}

// TestFeaturesRefused: files that do not belong together, to the model, or to training at all.
func TestFeaturesRefused(t *testing.T) {
	data := dataset(t, 4, 1)
	dir, tmp := shards(t, model, data, 3), t.TempDir()
	part := func(i int) string { return filepath.Join(dir, fmt.Sprintf("part-%04d-of-0003.parquet", i)) }
	in := func(name string) string { return filepath.Join(tmp, name) }
	whole := in("whole.parquet")
	must(t, "embed", "-m", model, "-o", whole, data)
	info, err := featurefile.ReadInfo(whole)
	if err != nil {
		t.Fatal(err)
	}
	// altered copies the file, with rows changed, or left out where change says so.
	altered := func(name string, change func(r *featurefile.Row) bool) string {
		set, err := featurefile.Open([]string{whole})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		var rows []featurefile.Row
		set.Photos(func(_ int, p featurefile.Photo) error {
			rows = append(rows, featurefile.Row{Path: p.Path, Label: &p.Label, Part: &p.Part, Hash: &p.Hash})
			return nil
		})
		file, err := os.Create(in(name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w := featurefile.NewWriter(file, set.Features)
		err = set.Each(context.Background(), func(i int, x []float32) error {
			rows[i].Features = x
			if r := rows[i]; change(&r) {
				return w.Add(r)
			}
			return nil
		})
		if err == nil {
			err = w.Close(info)
		}
		if err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	seen := 0
	first := func(change func(r *featurefile.Row)) func(r *featurefile.Row) bool {
		seen = 0
		return func(r *featurefile.Row) bool {
			if *r.Part == "train" && seen == 0 {
				seen++
				change(r)
			}
			return true
		}
	}
	files := map[string]string{
		"nan":   altered("nan.parquet", first(func(r *featurefile.Row) { r.Features = append(slices.Clone(r.Features[1:]), float32(math.NaN())) })),
		"short": altered("short.parquet", first(func(r *featurefile.Row) { r.Features = r.Features[1:] })),
		"equal": altered("equal.parquet", func(r *featurefile.Row) bool {
			if strings.HasSuffix(r.Path, "/a.jpg") && *r.Label != "sea" {
				*r.Hash = strings.Repeat("ab", 32)
			}
			return true
		}),
		"hash":  altered("hash.parquet", first(func(r *featurefile.Row) { *r.Hash = "abc" })),
		"none":  altered("none.parquet", func(r *featurefile.Row) bool { *r.Label = ""; return true }),
		"small": altered("small.parquet", func(r *featurefile.Row) bool { return strings.HasSuffix(r.Path, "/a.jpg") && *r.Part == "train" }),
	}
	text := in("text.parquet")
	write(t, text, []byte("no Parquet"))
	cut, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	write(t, in("cut.parquet"), cut[:len(cut)-100])
	other := in("other.parquet")
	must(t, "embed", "-m", model, "--mean", "0", "-o", other, data)
	// a model of the same shapes, one weight of whose trunk is another
	net, _, err := onnx.Read(model, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := net.Params[0]
	p.Value = slices.Clone(p.Value)
	p.Value[0] += 0.25
	another := in("another.onnx")
	if err := onnx.Write(another, net); err != nil {
		t.Fatal(err)
	}
	others := in("another.parquet")
	must(t, "embed", "-m", another, "-o", others, data)
	direct := in("direct.parquet")
	must(t, "embed", "-m", model, "--algorithm", "direct", "-o", direct, data)
	for _, w := range []struct {
		name, features string
		more           []string
		status         int
		says           string
	}{
		{"missing", part(0) + "," + part(2), nil, statusData, "missing: 1/3"},
		{"twice", strings.Join([]string{part(0), part(1), part(2), whole}, ","), nil, statusData, "is there twice"},
		{"nothing", in("no-*.parquet"), nil, statusData, "no-*.parquet"},
		{"no parquet", text, nil, statusData, "text.parquet: no Parquet file, or a damaged one"},
		{"cut", in("cut.parquet"), nil, statusData, "no Parquet file, or a damaged one"},
		{"preprocessing", whole, []string{"--mean", "0"}, statusData, "other preprocessing"},
		{"mixed", whole + "," + other, nil, statusData, "other preprocessing"},
		{"another model", others, nil, statusData, "another.parquet are not the model's: another trunk"},
		{"mixed models", whole + "," + others, nil, statusData, "features of another trunk"},
		{"another algorithm", direct, nil, statusData, "direct.parquet are not the model's: the algorithm direct instead of"},
		{"nan", files["nan"], nil, statusData, "is NaN"},
		{"short", files["short"], nil, statusData, " has not 16 features"},
		{"one photo, two classes", files["equal"], nil, statusData, "one photo under different classes"},
		{"no hash", files["hash"], nil, statusData, "the hash of"},
		{"no labels", files["none"], nil, statusData, "0 classes"},
		{"few", files["small"], nil, statusData, "too few photos"},
		{"data too", whole, []string{"--data", data}, statusUsage, "--data does nothing with --features"},
		{"full", whole, []string{"--mode", "full"}, statusUsage, "--features needs --mode heads"},
		{"steps", whole, []string{"--opt", "adam"}, statusUsage, "--features needs --mode heads"},
		{"views", whole, []string{"--views", "2"}, statusUsage, "--views does nothing"},
	} {
		out := in("run")
		r := run(t, append([]string{"train", "-m", model, "--features", w.features, "-o", out}, w.more...)...)
		if r.status != w.status || !strings.Contains(r.stderr, w.says) {
			t.Errorf("%s: status %d: %s", w.name, r.status, r.stderr)
		}
		if left := listing(t, tmp); strings.Contains(left, "run") {
			t.Fatalf("%s: left: %s", w.name, left)
		}
	}
	r := must(t, "train", "-m", model, "--features", files["equal"], "-o", in("skipping"), "--skip-bad")
	if !strings.Contains(r.stderr, "goes on without 2 of 12 photos") || !strings.Contains(r.stderr, "3 photos of test are left out") {
		t.Error(r.stderr)
	}
	for says, args := range map[string][]string{
		"--shard needs":         {"embed", "-m", model, "--shard", "0/2", "-o", "x.npz", data},
		"--resume does nothing": {"embed", "-m", model, "--resume", "-o", "x.npz", data},
		"0/0":                   {"embed", "-m", model, "--shard", "0/0", "-o", "x", data},
	} {
		wrong{says, args, statusUsage, says}.check(t, "")
	}
}
