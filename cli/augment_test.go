package cli

import (
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regraft/photo"
	"regraft/train"
)

// cells are the pictures of a sheet with so many rows and columns.
func cells(t *testing.T, file string, rows, columns int, size photo.Size) [][]image.Image {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Bounds().Size(), image.Pt(columns*(size.W+sheetGap)+sheetEdge, rows*(size.H+sheetGap)+sheetGap); got != want {
		t.Fatalf("the sheet has %v pixels, want %v", got, want)
	}
	out := make([][]image.Image, rows)
	for row := range out {
		for column := range columns {
			left := sheetGap
			if column > 0 {
				left = sheetEdge + column*(size.W+sheetGap)
			}
			at := image.Rect(0, 0, size.W, size.H).Add(image.Pt(left, sheetGap+row*(size.H+sheetGap)))
			out[row] = append(out[row], m.(interface {
				SubImage(image.Rectangle) image.Image
			}).SubImage(at))
		}
	}
	return out
}

// shows fails unless a picture has the pixels of m.
func shows(t *testing.T, what string, picture image.Image, m *photo.Image) {
	t.Helper()
	at := picture.Bounds().Min
	for y := range m.H {
		for x := range m.W {
			r, g, b, _ := picture.At(at.X+x, at.Y+y).RGBA()
			if p := m.Pix[3*(y*m.W+x):]; uint8(r>>8) != p[0] || uint8(g>>8) != p[1] || uint8(b>>8) != p[2] {
				t.Fatalf("%s: pixel (%d, %d) is %d, %d, %d, want %v", what, x, y, r>>8, g>>8, b>>8, p[:3])
			}
		}
	}
}

// TestAugmentSheet: the pictures are those that batches of training have, in every epoch, mixed ones too; what is printed says which photo is
// mixed in; the file is the same every time, and never replaces another.
func TestAugmentSheet(t *testing.T) {
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "sheet.png")
	for class, c := range colours {
		for i := range 4 {
			writePhoto(t, filepath.Join(data, "train", class, string(rune('a'+i))+".jpg"), c, i)
			writePhoto(t, filepath.Join(data, "val", class, "x"+string(rune('a'+i))+".jpg"), c, i+4)
		}
	}
	const words, epochs = "standard,jitter,randaugment,erase:0.5,mixup:1,cutmix", 3
	args := []string{"augment", "--data", data, "--augment", words, "--epochs", "3", "--count", "5", "--seed", "7", "-b", "4", "--input-size", "48x40", "--resize", "letterbox", "--json"}
	r := must(t, append(args, "-o", out)...)
	cfg := train.Defaults(train.Full, "")
	cfg.Data = data
	samples, err := train.Learned(t.Context(), cfg, train.Silent{})
	if err != nil || len(samples) != 12 {
		t.Fatalf("%d photos, %v", len(samples), err)
	}
	p := photo.ImageNet(photo.Size{H: 48, W: 40})
	p.Resize = photo.Letterbox
	augment, err := photo.ParseAugment(words)
	if err != nil {
		t.Fatal(err)
	}
	l, err := photo.NewLoader(samples, *p, photo.LoaderOptions{Batch: 4, Workers: 2, Seed: 7, Shuffle: true, Augment: augment})
	if err != nil {
		t.Fatal(err)
	}
	lines, mixed := strings.Split(strings.TrimSpace(r.stdout), "\n"), 0
	pictures := cells(t, out, 5, epochs+1, p.Size)
	for epoch := 1; epoch <= epochs; epoch++ {
		for b, err := range l.Epoch(t.Context(), epoch) {
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range b.Samples {
				for row := range 5 {
					if s != samples[row*12/5] {
						continue
					}
					shows(t, s.Path, pictures[row][epoch], p.Picture(b.X[i*p.Values():][:p.Values()]))
					var line augmentJSON
					if err := json.Unmarshal([]byte(lines[row*epochs+epoch-1]), &line); err != nil {
						t.Fatal(err)
					}
					if m := b.Mixed[i]; line.Path != s.Path || line.Epoch != epoch || line.Share != m.Share || m.Share > 0 && line.With != b.Samples[m.Row].Path {
						t.Errorf("%+v, but the batch has %s with %+v", line, s.Path, m)
					}
					mixed++
				}
			}
		}
	}
	if mixed != 5*epochs || len(lines) != mixed {
		t.Errorf("%d pictures in %d lines", mixed, len(lines))
	}
	again := filepath.Join(t.TempDir(), "again.png")
	content := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if must(t, append(args, "-o", again)...).stdout != r.stdout || content(again) != content(out) {
		t.Error("the same command draws another sheet")
	}
	one := filepath.Join(t.TempDir(), "one.png")
	must(t, append(args, "-o", one, samples[1*12/5].Path)...)
	for epoch, picture := range cells(t, one, 1, epochs+1, p.Size)[0] {
		m := photo.NewImage(40, 48)
		for i := range m.Pix {
			at := pictures[1][epoch].Bounds().Min
			r, g, b, _ := pictures[1][epoch].At(at.X+i/3%40, at.Y+i/3/40).RGBA()
			m.Pix[i] = uint8([]uint32{r, g, b}[i%3] >> 8)
		}
		shows(t, "named", picture, m)
	}
	val := filepath.Join(data, "val", "sea", "xa.jpg")
	for _, w := range []wrong{
		{"there already", append(args[:len(args):len(args)], "-o", out), statusUsage, "--out: " + out + " is there already"},
		{"validates", append(args[:len(args):len(args)], "-o", out+".png", val), statusUsage, "is not among the 12 photos of"},
	} {
		w.check(t, "")
	}
}

// TestAugmentPhotos: named photos stand for themselves, as the model prepares them; what cannot be drawn is refused, and leaves nothing.
func TestAugmentPhotos(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "sheet.png")
	a, b := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg")
	writePhoto(t, a, colours["sea"], 1)
	writePhoto(t, b, colours["forest"], 2)
	r := must(t, "augment", a, b, "-o", out, "--augment", "none", "--epochs", "1", "-m", model)
	if want := a + "\tepoch 1\tas it is\n" + b + "\tepoch 1\tas it is\n"; r.stdout != want {
		t.Errorf("%q, want %q", r.stdout, want)
	}
	if !strings.Contains(r.stderr, out+": 2 photos, a row each") {
		t.Errorf("%q", r.stderr)
	}
	pictures := cells(t, out, 2, 2, photo.Square(64))
	for i, path := range []string{a, b} {
		m, err := photo.Load(path, photo.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, picture := range pictures[i] {
			shows(t, path, picture, photo.Resize(m, 64, 64))
		}
	}
	text := filepath.Join(dir, "text.jpg")
	write(t, text, []byte("no photo"))
	left := t.TempDir()
	file := filepath.Join(left, "x.png")
	for _, w := range []wrong{
		{"nothing", []string{"augment", "-o", file}, statusUsage, "no photos given"},
		{"no sheet", []string{"augment", a}, statusUsage, "--out is missing"},
		{"no picture", []string{"augment", a, "-o", filepath.Join(left, "x.jpg")}, statusUsage, "must end in .png"},
		{"alone", []string{"augment", a, "-o", file, "--augment", "mixup"}, statusUsage, "--augment mixup mixes the photos of a batch: name two at least"},
		{"no photo", []string{"augment", text, "-o", file}, statusData, "text.jpg"},
		{"missing", []string{"augment", filepath.Join(dir, "none.jpg"), "-o", file}, statusData, "none.jpg"},
		{"empty", []string{"augment", t.TempDir(), "-o", file}, statusData, "the folder holds no photos"},
		{"endless", []string{"augment", a, "-o", file, "--epochs", "9223372036854775807"}, statusUsage, "at most 100 million"},
		{"large", []string{"augment", a, "-o", file, "--input-size", "16384"}, statusUsage, "at most 100 million"},
		{"no training", []string{"augment", a, "-o", file, "--val-split", "0.5"}, statusUsage, "--val-split does nothing without --data"},
		{"no data", []string{"augment", "--data", dir + "/none", "-o", file}, statusData, "none"},
		{"no folder", []string{"augment", a, "-o", filepath.Join(left, "none", "x.png")}, statusFailed, "none"},
		{"words", []string{"augment", a, "-o", file, "--augment", "blur"}, statusUsage, `--augment: unknown augmentation "blur" (known: none, flip`},
		{"number", []string{"train", "--model", model, "--data", dir, "--out", left, "--augment", "randaugment:2:31"}, statusUsage, `--augment: "randaugment:2:31": M must be a whole number from 0 to 30`},
		{"batch of one", []string{"train", "--model", model, "--data", dataset(t, 3, 1), "--out", left, "--mode", "full", "-b", "1", "--augment", "cutmix", "--mean", "0", "--std", "1"},
			statusUsage, "--augment cutmix mixes the photos of a batch, and --batch-size 1 has one"},
	} {
		w.check(t, left)
	}
}
