package photo

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"regraft/golden"
)

// augmented is testdata/augment.json.
type augmented struct {
	Cuts []struct {
		Width, Height, X, Y int
		Drawn, Share        float64
		Patch               [4]int
	}
	Blended struct {
		Share    float64
		X, Mixed []float32
	}
	Erased struct {
		Shares, Ratios [2]float64
		Cases          []struct {
			Width, Height int
			Share, Ratio  float64
			Rectangle     [4]int
		}
		Kept []float32
	}
	Pictures map[string]struct {
		Width, Height int
		RGB           string
	}
	Cases []struct {
		Picture, Policy string
		Op              Operation
		Sums            string
	}
}

// picture is one of the reference's by its name.
func (a *augmented) picture(t *testing.T, name string) *Image {
	t.Helper()
	if name == "cube" { // every colour whose channels are multiples of 5
		m := NewImage(52*52, 52)
		for i := range m.W * m.H {
			m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = uint8(5*(i/52/52)), uint8(5*(i/52%52)), uint8(5*(i%52))
		}
		return m
	}
	p := a.Pictures[name]
	pixels, err := base64.StdEncoding.DecodeString(p.RGB)
	if err != nil || len(pixels) != 3*p.Width*p.Height || len(pixels) == 0 {
		t.Fatalf("%s: %d x %d pixels, %v", name, p.Width, p.Height, err)
	}
	return &Image{p.Width, p.Height, pixels}
}

// hues are those of augment.py.
var hues = []float64{-0.5, -0.31, -0.1, -0.003, 0, 0.02, 0.1, 0.25, 0.4999, 0.5}

// strengths are the changes of a case, in the order of its sums.
func strengths(policyName string, op Operation, size Size) (changes []Change) {
	if policyName == "jitter" {
		for _, h := range hues {
			changes = append(changes, Change{Hue, h})
		}
		return changes
	}
	p := map[string]*policy{"randaugment": &randAugment, "trivial": &trivial}[policyName]
	for level := range Levels {
		switch op {
		case Identity, Autocontrast, Equalize:
			return []Change{{Operation: op}}
		case Posterize, Solarize:
			changes = append(changes, p.change(op, level, false, size))
		default:
			changes = append(changes, p.change(op, level, false, size), p.change(op, level, true, size))
		}
	}
	return changes
}

// TestOperations holds every operation at every strength of both policies, and turns of the hue, to the pixels of torchvision and Pillow,
// on soft, noisy, plain and grey pictures and on some of a few pixels.
func TestOperations(t *testing.T) {
	var all augmented
	readJSON(t, filepath.Join("testdata", "augment.json"), &all)
	seen := map[Operation]int{}
	for _, c := range all.Cases {
		m := all.picture(t, c.Picture)
		changes := strengths(c.Policy, c.Op, Size{m.H, m.W})
		if len(c.Sums) != 4*len(changes) {
			t.Fatalf("%s %s: %d digits for %d strengths", c.Policy, c.Op, len(c.Sums), len(changes))
		}
		for i, change := range changes {
			in := &Image{m.W, m.H, slices.Clone(m.Pix)}
			sum := sha256.Sum256(operations[c.Op](in, change.Magnitude).Pix)
			if got, want := hex.EncodeToString(sum[:2]), c.Sums[4*i:4*i+4]; got != want {
				t.Errorf("%s, %s: %v has other pixels", c.Picture, c.Policy, change)
			}
			seen[c.Op]++
		}
	}
	if len(seen) != len(operations) || seen[Rotate] != 9*2*62 {
		t.Errorf("operations that were compared: %v", seen)
	}
}

// TestMixturesOfTorchvision: CutMix's rectangles are torchvision's for the same draws, its shares too, but for the rounding of what is left
// of one, and a batch that is blended is.
func TestMixturesOfTorchvision(t *testing.T) {
	var all augmented
	readJSON(t, filepath.Join("testdata", "augment.json"), &all)
	for _, c := range all.Cuts {
		m := (Size{c.Height, c.Width}).cut(c.Drawn, c.X, c.Y)
		if want := image.Rect(c.Patch[0], c.Patch[1], c.Patch[2], c.Patch[3]); m.patch != want && !(m.patch.Empty() && want.Empty()) || math.Abs(m.share-c.Share) > 0x1p-53 {
			t.Errorf("%+v: %+v", c, m)
		}
	}
	if len(all.Cuts) != 54 || len(all.Blended.X) != 12 {
		t.Fatalf("%d cuts, %d values", len(all.Cuts), len(all.Blended.X))
	}
	x := all.Blended.X
	for row := range 3 {
		own := slices.Clone(x[4*row : 4*row+4])
		Square(2).mix(mixture{share: all.Blended.Share, blended: true}, own, x[4*partner(row, 3):][:4])
		if want := all.Blended.Mixed[4*row : 4*row+4]; !slices.Equal(own, want) {
			t.Errorf("row %d: %v, want %v", row, own, want)
		}
	}
}

// TestErasedOfTorchvision: the limits are torchvision's, and so is, for the same draws, the size of the rectangle; what is erased of a photo
// is the mean colour, and the rest what it is without.
func TestErasedOfTorchvision(t *testing.T) {
	var all augmented
	readJSON(t, filepath.Join("testdata", "augment.json"), &all)
	e := all.Erased
	if e.Shares != [2]float64{leastErased, mostErased} || e.Ratios != [2]float64{widest, highest} || len(e.Cases) != 80 || len(e.Kept) != 35 {
		t.Fatalf("limits %g and %g, %d cases", e.Shares, e.Ratios, len(e.Cases))
	}
	for _, c := range e.Cases {
		var got [4]int
		if w, h, fits := (Size{c.Height, c.Width}).part(c.Share, c.Ratio); fits {
			got = [4]int{c.Width - w, c.Height - h, c.Width, c.Height}
		}
		if got != c.Rectangle {
			t.Errorf("%+v: %v", c, got)
		}
	}
	m, p := all.picture(t, "noise"), ImageNet(Size{7, 5})
	whole, x := make([]float32, p.Values()), make([]float32, p.Values())
	for _, c := range []struct {
		a    Augmentation
		into []float32
	}{{Augmentation{}, whole}, {Augmentation{Erased: image.Rect(1, 2, 4, 6)}, x}} {
		if err := p.apply(m.source(), c.a, c.into); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range x {
		want := whole[i]
		if e.Kept[i%35] == 0 {
			want = 0
		}
		if v != want {
			t.Errorf("value %d is %g, want %g", i, v, want)
		}
	}
}

// TestOperationsAgain: torchvision still says what testdata says.
func TestOperationsAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("runs Python, without -short only")
	}
	python, made := golden.Python(t, "import torchvision, PIL"), filepath.Join(t.TempDir(), "augment.json")
	if out, err := exec.Command(python, filepath.Join("testdata", "augment.py"), made).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := os.ReadFile(filepath.Join("testdata", "augment.json")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("augment.py makes another augment.json (%v)", err)
	}
}
