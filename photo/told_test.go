package photo

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regraft/golden"
)

// TestLeftOutOfFiles: folders that are excluded, by whatever path, and folders that cannot be read are told, and what is no photo is
// counted by its ending.
func TestLeftOutOfFiles(t *testing.T) {
	if golden.Alone(t) {
		return
	}
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	for _, name := range []string{"a/1.jpg", "a/2.png", "sorted/3.jpg", "1.txt", "2.txt", "3.txt", "4.csv", "5", "6.csv", "7.md"} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(at("sorted"), at("z link")); err != nil {
		t.Skip(err)
	}
	t.Chdir(root)
	for _, excluded := range []string{at("sorted"), "sorted", at("z link")} {
		files, left := Files(root, excluded, at("none"))
		if len(files) != 2 || files[0].Path != at("a/1.jpg") || files[1].Path != at("a/2.png") {
			t.Errorf("%s excluded: %v", excluded, files)
		}
		text := strings.Join(Summary(left), "\n")
		for _, want := range []string{
			"left out, sorted already: ", "/sorted (1 photo)", "left out, not a photo: 7 files (3 .txt, 2 .csv, 1 .md, 1 no ending): ", "2.txt, ", " and 2 more",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s excluded: %s lacks %q", excluded, text, want)
			}
		}
	}
	end := golden.FewFiles(t, 0)
	files, _ := Files(root)
	end()
	if len(files) != 1 || files[0].Path != root || files[0].Err == nil || !strings.Contains(files[0].Err.Error(), root+": the folder cannot be read: too many open files") {
		t.Errorf("unreadable: %v", files)
	}
}

// TestPreprocessRefused: settings of preprocessing that make no sense, and those of another size.
func TestPreprocessRefused(t *testing.T) {
	for says, change := range map[string]func(p *Preprocess){
		"":                                     func(p *Preprocess) {},
		"input size 0":                         func(p *Preprocess) { p.Size = Size{} },
		"a shorter side of 100 does not allow": func(p *Preprocess) { p.Resize, p.Short = Crop, 100 },
		"unknown resize rule":                  func(p *Preprocess) { p.Resize = "stretch" },
		"unknown resampling filter":            func(p *Preprocess) { p.Resample = "sharp" },
		"unknown way of decoding":              func(p *Preprocess) { p.Decode = "slow" },
		"unknown order of channels":            func(p *Preprocess) { p.Channels = "GBR" },
		"one channel has one mean":             func(p *Preprocess) { p.Channels = Gray },
		"one standard deviation":               func(p *Preprocess) { p.Channels, p.Mean = Gray, [3]float32{} },
		"standard deviation 0 of channel 1":    func(p *Preprocess) { p.Std[1] = 0 },
		"and standard deviation +Inf":          func(p *Preprocess) { p.Std[2] = float32(math.Inf(1)) },
		"mean NaN and":                         func(p *Preprocess) { p.Mean[2] = float32(math.NaN()) },
	} {
		p := ImageNet(Square(224))
		change(p)
		if err := p.Check(); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	for _, c := range []struct{ size, short, to, want int }{{224, 256, 299, 342}, {224, 256, 112, 128}, {299, 0, 224, 256}, {100, 151, 50, 76}} {
		p := Preprocess{Size: Square(c.size), Short: c.short}
		if got := p.Resized(Square(c.to)); got.Size != Square(c.to) || got.Short != c.want {
			t.Errorf("%d of %d for %d: %d, want %d", c.short, c.size, c.to, got.Short, c.want)
		}
	}
}

// TestConfigRefused: fields of a preprocessor_config.json that make no sense, and padding.
func TestConfigRefused(t *testing.T) {
	padded := ImageNet(Square(64))
	padded.Resize = Letterbox
	data, err := json.Marshal(padded)
	var got Preprocess
	if e := json.Unmarshal(data, &got); err != nil || e != nil || got.Resize != Letterbox || !strings.Contains(string(data), `"do_pad":true`) {
		t.Errorf("%s is read as %+v, %v, %v", data, got, err, e)
	}
	for says, text := range map[string]string{
		"":                                `{"size":9,"rescale_factor":1,"image_std":[1,1,1]}`,
		"image_std must be positive":      `{"size":9,"rescale_factor":1,"image_mean":[0,0,0],"image_std":[1,0,1]}`,
		"rescale_factor must be positive": `{"size":9,"rescale_factor":0,"image_mean":[0,0,0],"image_std":[1,1,1]}`,
		"3 numbers in image_mean and 2":   `{"size":9,"rescale_factor":1,"image_mean":[0,0,0],"image_std":[1,1]}`,
		"3 numbers in image_mean and 1":   `{"size":9,"rescale_factor":1,"image_std":[1]}`,
	} {
		err := json.Unmarshal([]byte(text), new(Preprocess))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// striped is a picture of a type that nobody knows: column x has the colour x of its list.
type striped struct {
	image.Rectangle
	colours []color.Color
}

func (s striped) ColorModel() color.Model { return color.RGBAModel }
func (s striped) Bounds() image.Rectangle { return s.Rectangle }
func (s striped) At(x, _ int) color.Color { return s.colours[x-s.Min.X] }

// TestFromAnyImage: pictures of other types have the colours that their pixels say, without alpha, wherever their bounds begin.
func TestFromAnyImage(t *testing.T) {
	colours := []color.Color{
		color.NRGBA{10, 20, 30, 40}, color.NRGBA64{0x1234, 0xabcd, 0xff00, 0x8000}, color.Gray{77}, color.RGBA{40, 20, 0, 80}, color.CMYK{0, 255, 0, 0},
	}
	want := []uint8{10, 20, 30, 0x12, 0xab, 0xff, 77, 77, 77, 127, 63, 0, 255, 0, 255}
	m, err := FromImage(striped{image.Rect(-3, 5, 2, 7), colours}, DecodeOptions{})
	if err != nil || m.W != 5 || m.H != 2 || string(m.Pix) != string(want)+string(want) {
		t.Errorf("%v, %+v, want twice %v", err, m, want)
	}
	palette := image.NewPaletted(image.Rect(0, 0, 5, 1), colours)
	copy(palette.Pix, []uint8{0, 1, 2, 3, 4})
	if m, err := FromImage(palette, DecodeOptions{}); err != nil || string(m.Pix) != string(want) {
		t.Errorf("palette: %v, %+v", err, m)
	}
	for says, picture := range map[string]image.Image{"empty": image.NewGray(image.Rect(0, 0, 0, 9)), "100 pixels": image.NewGray(image.Rect(0, 0, 10, 10))} {
		if _, err := FromImage(picture, DecodeOptions{MaxPixels: 99}); err == nil || !strings.Contains(err.Error(), strings.Fields(says)[0]) && says == "empty" {
			t.Errorf("%s: %v", says, err)
		}
	}
	out := image.NewRGBA(image.Rect(0, 0, 8, 4))
	m.Over(out, image.Pt(2, 1))
	if got := out.RGBAAt(2, 1); got != (color.RGBA{10, 20, 30, 255}) || out.RGBAAt(6, 2) != (color.RGBA{255, 0, 255, 255}) || out.RGBAAt(1, 1) != (color.RGBA{}) || out.RGBAAt(2, 3) != (color.RGBA{}) {
		t.Errorf("over another: %v", out.Pix)
	}
}

// TestListsOfProblems: an error names so many problems and counts the others; classes that a model lacks are told with what it has.
func TestListsOfProblems(t *testing.T) {
	var problems []Problem
	for i := range MostListed + 3 {
		problems = append(problems, Problem{nil, fmt.Errorf("problem %d", i)})
	}
	text := List("many:", problems).Error()
	if lines := strings.Split(text, "\n"); len(lines) != MostListed+2 || lines[0] != "many:" || lines[1] != "  problem 0" || lines[MostListed+1] != "  ... and 3 more" {
		t.Errorf("%q", text)
	}
	if text := List("few:", problems[:MostListed]).Error(); strings.Contains(text, "more") || strings.Count(text, "\n") != MostListed {
		t.Errorf("%q", text)
	}
	labels := []string{"sea", "town"}
	if err := UnknownClasses([]string{"town", "sea"}, labels); err != nil {
		t.Error(err)
	}
	for want, classes := range map[string][]string{
		`the folder has a class "owl" that the model does not know (it knows: sea, town)`:           {"owl", "sea"},
		`the folder has 2 classes that the model does not know: "owl", "fox" (it knows: sea, town)`: {"owl", "town", "fox"},
		`the folder has a class "Sea" that the model does not know: `:                               {"Sea"},
	} {
		if err := UnknownClasses(classes, labels); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	r := Report{}
	r.judge("huge.jpg", Finding{W: 10_000, H: 5_001})
	r.judge("large.jpg", Finding{W: 10_000, H: 5_000})
	r.judge("tiny.jpg", Finding{W: 200, H: TinySide - 1})
	r.judge("small.jpg", Finding{W: 200, H: TinySide})
	if len(r.Huge) != 1 || r.Huge[0] != "huge.jpg" || len(r.Tiny) != 1 || r.Tiny[0] != "tiny.jpg" {
		t.Errorf("huge %v, tiny %v", r.Huge, r.Tiny)
	}
}

// TestSetDecodeMemory: a photo that waits for memory gets it when there is more.
func TestSetDecodeMemory(t *testing.T) {
	defer SetDecodeMemory(DefaultDecodeMemory)
	SetDecodeMemory(100)
	first := decodeMemory.take(60)
	got := make(chan func())
	go func() { got <- decodeMemory.take(60) }()
	select {
	case <-got:
		t.Fatal("120 bytes of 100 were lent")
	case <-time.After(20 * time.Millisecond):
	}
	SetDecodeMemory(120)
	select {
	case giveBack := <-got:
		giveBack()
	case <-time.After(10 * time.Second):
		t.Error("nobody told it")
	}
	first()
}
