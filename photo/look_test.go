package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"regraft/engine/random"
	"regraft/golden"
	"regraft/scene"
)

// rendered are pictures that are all different.
func rendered(t *testing.T, each int) []*Image {
	t.Helper()
	var all []*Image
	for _, class := range scene.Places() {
		for i := range each {
			m, err := FromImage(class.Photo(1, i), DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	return all
}

// cut is the part of m that begins at (x, y).
func (m *Image) cut(x, y, w, h int) *Image {
	out := NewImage(w, h)
	m.rows(image.Rect(x, y, x+w, y+h), func(row int, rgb []uint8) { copy(out.row(row-y), rgb) })
	return out
}

// turned is the mirror image.
func (m *Image) turned() *Image {
	out := NewImage(m.W, m.H)
	for y := range m.H {
		for x := range m.W {
			copy(out.row(y)[3*x:3*x+3], m.row(y)[3*(m.W-1-x):])
		}
	}
	return out
}

// lit is m with every sample changed.
func (m *Image) lit(change func(v float64) float64) *Image {
	out := NewImage(m.W, m.H)
	for i, v := range m.Pix {
		out.Pix[i] = uint8(min(max(change(float64(v)), 0), 255))
	}
	return out
}

// jpeg is m as a file.
func (m *Image) jpeg(t *testing.T, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m.RGBA(), &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compressed is what JPEG leaves of m.
func (m *Image) compressed(t *testing.T, quality int) *Image {
	t.Helper()
	out, err := Decode(m.jpeg(t, quality), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// looks are findings of photos whose bytes all differ.
func looks(all ...*Image) []Finding {
	found := make([]Finding, len(all))
	for i, m := range all {
		found[i] = Finding{W: m.W, H: m.H, Look: lookAt(m)}
		binary.LittleEndian.PutUint32(found[i].Hash[:], uint32(i+1))
	}
	return found
}

// TestAlike: copies of every kind are found among other photos, and nothing else.
func TestAlike(t *testing.T) {
	photos := rendered(t, 4)
	one := photos[5]
	w, h := one.W, one.H
	copies := []*Image{
		one.compressed(t, 30), Resize(one, w/2, h/2), Resize(one, 2*w, 2*h), one.turned(), one.lit(func(v float64) float64 { return 1.4 * v }),
		one.cut(w/20, 0, w-w/20, h-h/20), one.cut(w/40, h/40, w-w/20, h-h/20).turned(),
	}
	found := looks(append(slices.Clone(photos), copies...)...)
	got, err := alike(context.Background(), found)
	want := []int{5}
	for i := range copies {
		want = append(want, len(photos)+i)
	}
	if err != nil || !reflect.DeepEqual(got, [][]int{want}) {
		t.Errorf("%v, %v instead of %v", got, err, want)
	}
	for i, m := range copies {
		for _, pair := range [][]Finding{looks(one, m), looks(m, one)} {
			if got, _ := alike(context.Background(), pair); len(got) != 1 {
				t.Errorf("copy %d is not found by itself", i)
			}
		}
	}
	blank := one.lit(func(float64) float64 { return 128 })
	if got, _ := alike(context.Background(), looks(blank, blank)); len(got) > 0 {
		t.Error("photos on which there is nothing look the same")
	}
	tinted := NewImage(w, h)
	for i, v := range one.Pix {
		tinted.Pix[i] = uint8([]int{2, 1, 1}[i%3] * int(v) / 2)
	}
	if got, _ := alike(context.Background(), looks(one, tinted)); len(got) > 0 {
		t.Error("what differs by its colour looks the same")
	}
	for i := range found { // equal bytes alone are another matter
		found[i].Hash = Hash{1}
	}
	if got, _ := alike(context.Background(), found); len(got) > 0 {
		t.Errorf("equal bytes: %v", got)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := alike(stopped, found); err == nil {
		t.Error("a search that is cancelled has no error")
	}
}

// TestAlikePlaces: of 900 real photos two are the same, which differ by their compression.
func TestAlikePlaces(t *testing.T) {
	root := filepath.Join(golden.Dir(t), "data", "places9")
	r, err := Check(context.Background(), root, CheckOptions{Scan: ScanOptions{Whole: true}})
	if err != nil {
		t.Fatal(err)
	}
	at := func(n string) string { return filepath.Join(root, "test", "bedroom", "image_00"+n+".jpg") }
	if want := [][]string{{at("40"), at("56")}}; !reflect.DeepEqual(r.NearDuplicates, want) || r.NearLeaks != nil || r.NearContradictions != nil || r.Odd != nil {
		t.Errorf("%v, %v, %v, odd %v", r.NearDuplicates, r.NearLeaks, r.NearContradictions, r.Odd)
	}
}

// TestOddLooks: what is odd is named, and only that.
func TestOddLooks(t *testing.T) {
	one := rendered(t, 1)[1]
	noise := random.At(1, "noise", 0)
	grain := one.lit(func(float64) float64 { return 128 + 4*noise.Float64() })
	for want, m := range map[string]*Image{
		"": one, OddDark: one.lit(func(v float64) float64 { return v / 10 }), OddBlank: grain,
		OddBlurred: Resize(Resize(one, 12, 12), 400, 400), OddStretched: Resize(one, 100, 401),
	} {
		if got := lookAt(m).odd(m.W, m.H); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	if m := Resize(Resize(one, 12, 12), 100, 100); lookAt(m).odd(m.W, m.H) != "" {
		t.Error("a photo that had to be enlarged is called blurred")
	}
	if a, b := lookAt(grain), lookAt(one.lit(func(float64) float64 { return 128 })); !a.plain() || !b.plain() {
		t.Error("where there is nothing to see, photos are compared")
	}
	for _, m := range []*Image{NewImage(1, 1), NewImage(1, 5000), Resize(one, 3, 2)} {
		lookAt(m)
	}
}

// TestCheckAlike: leaks, contradictions and duplicates are told apart, and equal bytes lie with those that look the same.
func TestCheckAlike(t *testing.T) {
	root := t.TempDir()
	photos := rendered(t, 1)
	put := func(name string, m *Image, quality int) string {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, m.jpeg(t, quality), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, again, leak := put("train/a/1.jpg", photos[0], 90), put("train/a/1 again.jpg", photos[0], 90), put("test/a/1.jpg", photos[0], 60)
	b, other := put("train/a/2.jpg", photos[1], 90), put("train/b/2.jpg", photos[1].turned(), 90)
	c, twice := put("train/b/3.jpg", photos[2], 90), put("train/b/4.jpg", photos[2], 50)
	put("test/b/5.jpg", photos[3], 90)
	r, err := Check(context.Background(), root, CheckOptions{Scan: ScanOptions{Whole: true}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what      string
		got, want [][]string
	}{
		{"leaks", r.NearLeaks, [][]string{{again, a, leak}}}, {"contradictions", r.NearContradictions, [][]string{{b, other}}},
		{"near duplicates", r.NearDuplicates, [][]string{{c, twice}}}, {"duplicates", r.Duplicates, [][]string{{again, a}}},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("%s: %v instead of %v", x.what, x.got, x.want)
		}
	}
	if len(r.Warnings()) != 2 {
		t.Errorf("warnings: %v", r.Warnings())
	}
}

// TestStill: where most photos of a class look the same, their look tells nothing of them.
func TestStill(t *testing.T) {
	label := func(labels ...int) (s []Sample) {
		for _, l := range labels {
			s = append(s, Sample{Label: l})
		}
		return s
	}
	d := &Dataset{Classes: []string{"a", "b", "c", "d"}, Train: label(0, 0, 0, 0, 1, 1, 1, 1, 2, 2), Test: label(0, 1, 2, 3, 3)}
	for _, x := range []struct {
		groups, telling [][]int
		still           []string
	}{
		{[][]int{{0, 1}, {4, 5}}, [][]int{{0, 1}, {4, 5}}, nil},
		{[][]int{{0, 1, 2, 10}, {4, 5}}, [][]int{{4, 5}}, []string{"a"}},
		{[][]int{{0, 1, 2, 10, 4}, {5, 6}, {8, 9}}, [][]int{{5, 6}, {8, 9}}, []string{"a"}},
		{[][]int{{8, 9, 12}}, nil, []string{"c"}},
		{[][]int{{13, 14}}, nil, []string{"d"}},
	} {
		telling, still := d.apart(x.groups)
		if !reflect.DeepEqual(telling, x.telling) || !reflect.DeepEqual(still, x.still) {
			t.Errorf("%v: %v, %v", x.groups, telling, still)
		}
	}
}

// BenchmarkAlike compares photos that all differ.
func BenchmarkAlike(b *testing.B) {
	for _, n := range []int{10_000, 40_000} {
		r := random.At(1, "looks", 0)
		found := make([]Finding, n)
		for i := range found {
			found[i].Look = &Look{deviation: 50}
			binary.LittleEndian.PutUint32(found[i].Hash[:], uint32(i+1))
			for _, s := range append([]*signs{&found[i].Look.whole}, &found[i].Look.parts[0], &found[i].Look.parts[8]) {
				for k := range s {
					s[k] = r.Uint64()
				}
			}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := alike(context.Background(), found); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
