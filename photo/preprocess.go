package photo

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"
	"sync"

	"regraft/setting"
)

// ResizeRule says how a photo of any shape fits into an input of H x W pixels.
type ResizeRule string

// The resize rules.
const (
	// Squash scales height and width each to the input's, whatever the photo's shape.
	Squash ResizeRule = "squash"
	// Crop scales the photo's shorter side to Short and cuts H x W pixels out of the centre (torchvision's
	// Resize(Short), CenterCrop((H, W))). Short is at least the longer of H and W.
	Crop ResizeRule = "crop"
	// Letterbox scales the whole photo by one factor so that it just fits into H x W; the rest is filled with the mean colour.
	Letterbox ResizeRule = "letterbox"
)

// ResizeRules are all of them.
var ResizeRules = []ResizeRule{Squash, Crop, Letterbox}

// Decoding says how JPEGs are decoded.
type Decoding string

// The ways of decoding.
const (
	// Exact gives the pixels of libjpeg-turbo.
	Exact Decoding = "exact"
	// Fast decodes photos much larger than the input at 1/2, 1/4 or 1/8 of their size: the smallest at which both sides are at
	// least twice what they are scaled to. These are the pixels of Pillow's Image.draft for twice that size.
	Fast Decoding = "fast"
)

// Decodings are the names of both.
var Decodings = []Decoding{Exact, Fast}

// ChannelOrder is what the network sees first, second and third.
type ChannelOrder string

// The orders of channels.
const (
	RGB  ChannelOrder = "rgb"
	BGR  ChannelOrder = "bgr"
	Gray ChannelOrder = "gray" // one channel: Pillow's convert("L")
)

// ChannelOrders are the names of all orders.
var ChannelOrders = []ChannelOrder{RGB, BGR, Gray}

// Preprocess says how a photo becomes the network's input, a tensor (C, H, W). It travels with the weights.
type Preprocess struct {
	// Size is the input's height and width.
	Size   Size
	Resize ResizeRule
	// Short is the length of the shorter side before a centre crop
	// (torchvision: 342 for 299); 0 means 342/299 of the input's longer side.
	Short int
	// Resample is empty for Bilinear.
	Resample Resampling
	// Channels is empty for RGB.
	Channels ChannelOrder
	// Decode is empty for Exact.
	Decode Decoding
	// Rescale multiplies the pixel value (1/255), before Mean is subtracted
	// and Std divides. These are in the order of Channels: blue is the first of BGR, and of Gray only the first counts.
	Rescale   float64
	Mean, Std [3]float32
}

// ImageNet is the usual guess for a file without metadata: the scaling of pixels and the filter of torchvision's ImageNet classifiers.
// The whole photo is squashed into the input, where torchvision crops.
func ImageNet(size Size) *Preprocess {
	return &Preprocess{
		Size: size, Resize: Squash, Short: usualShort(size), Resample: Bilinear, Channels: RGB, Rescale: 1.0 / 255,
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
	}
}

// usualShort is the shorter side before a centre crop, as torchvision has it for Inception-v3.
func usualShort(size Size) int { return (size.longer()*342 + 149) / 299 }

// Pixels is preprocessing to plain pixels of 0 to 255.
func Pixels(size Size) *Preprocess {
	p := ImageNet(size)
	p.Rescale, p.Mean, p.Std = 1, [3]float32{}, [3]float32{1, 1, 1}
	return p
}

// Plain tells whether pixels are only brought to the range from 0 to 1, or left alone.
func (p Preprocess) Plain() bool {
	return p.Mean == [3]float32{} && p.Std == [3]float32{1, 1, 1}
}

// Resized is the same preprocessing for an input of another size.
func (p Preprocess) Resized(size Size) Preprocess {
	if before := p.Size.longer(); p.Short > 0 && before > 0 {
		p.Short = (p.Short*size.longer() + before/2) / before
	} else {
		p.Short = usualShort(size)
	}
	p.Size = size
	return p
}

// Depth is the number of channels.
func (p Preprocess) Depth() int {
	if p.Channels == Gray {
		return 1
	}
	return 3
}

// Values is the length of the tensor of one photo.
func (p Preprocess) Values() int { return p.Depth() * p.Size.H * p.Size.W }

// Check reports what is wrong with the settings.
func (p Preprocess) Check() error {
	if !p.Size.fits() {
		return fmt.Errorf("input size %v is not between 1 and %d", p.Size, maxSide)
	}
	switch p.Resize {
	case Squash, Letterbox:
	case Crop:
		if s := p.short(); s < p.Size.longer() || s > maxSide {
			return fmt.Errorf("a shorter side of %d does not allow a crop of %v", s, p.Size)
		}
	default:
		return fmt.Errorf("unknown resize rule %q (known: %s)", p.Resize, setting.List(ResizeRules))
	}
	if !slices.Contains(Resamplings, p.resample()) {
		return fmt.Errorf("unknown resampling filter %q (known: %s)", p.Resample, setting.List(Resamplings))
	}
	if !slices.Contains(Decodings, p.Decoding()) {
		return fmt.Errorf("unknown way of decoding %q (known: %s)", p.Decode, setting.List(Decodings))
	}
	if p.Channels != "" && !slices.Contains(ChannelOrders, p.Channels) {
		return fmt.Errorf("unknown order of channels %q (known: %s)", p.Channels, setting.List(ChannelOrders))
	}
	if p.Channels == Gray && !(uniform(p.Mean) && uniform(p.Std)) {
		return fmt.Errorf("one channel has one mean and one standard deviation, not %v and %v", p.Mean, p.Std)
	}
	for c, s := range p.Std {
		if s == 0 || !finite(float64(s)) || !finite(float64(p.Mean[c])) {
			return fmt.Errorf("mean %g and standard deviation %g of channel %d cannot normalise", p.Mean[c], s, c)
		}
	}
	if p.Rescale == 0 || !finite(p.Rescale) {
		return fmt.Errorf("pixels cannot be multiplied by %g", p.Rescale)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func (p Preprocess) short() int {
	if p.Short == 0 {
		return usualShort(p.Size)
	}
	return p.Short
}

// Decoding is Decode by its name.
func (p Preprocess) Decoding() Decoding { return cmp.Or(p.Decode, Exact) }

func (p Preprocess) resample() Resampling {
	if p.Resample == "" {
		return Bilinear
	}
	return p.Resample
}

// Apply writes a view of the photo to dst as the network's input, (C, H, W). The
// settings must have passed Check.
func (p Preprocess) Apply(m *Image, v View, dst []float32) error {
	return p.apply(m.source(), v.augmentation(m.W, m.H), dst)
}

// ReadFile decodes the photo at path and writes it to dst as Apply does, with less time and memory: only what the input
// needs is decoded, and where Decode is Fast at a reduced size. Errors name the file.
func (p Preprocess) ReadFile(path string, o DecodeOptions, dst []float32) error {
	return p.readFile(path, o, View(0).augmentation, nil, dst)
}

// Read is ReadFile of a view of the photo that is the content of a file.
func (p Preprocess) Read(data []byte, o DecodeOptions, v View, dst []float32) error {
	return p.read(data, o, v.augmentation, dst)
}

// read is Read with the augmentation that is drawn for the photo's upright size.
func (p Preprocess) read(data []byte, o DecodeOptions, draw func(w, h int) Augmentation, dst []float32) error {
	s, err := open(data, o)
	if err != nil {
		return err
	}
	return p.apply(s, draw(s.upright(1)), dst)
}

// contents are buffers for files: those of cameras would fill memory faster than it is collected.
var contents = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readFile is ReadFile with the augmentation that is drawn for the photo's upright size. It tells the SHA-256 of the file's bytes
// where hash is not nil.
func (p Preprocess) readFile(path string, o DecodeOptions, draw func(w, h int) Augmentation, hash *Hash, dst []float32) error {
	return WithFile(path, o, func(data []byte) error {
		if hash != nil {
			*hash = HashOf(data)
		}
		return p.read(data, o, draw, dst)
	})
}

// WithFile hands the content of a photo's file to f, which must not keep it. Errors name the file.
func WithFile(path string, o DecodeOptions, f func(data []byte) error) error {
	content := contents.Get().(*bytes.Buffer)
	defer contents.Put(content)
	data, err := read(path, o, content)
	if err != nil {
		return err
	}
	if err := f(data); err != nil {
		return fmt.Errorf("%s: %w", Shown(path), err)
	}
	return nil
}

// apply resizes the photo, or the part of it that the augmentation chose, and
// writes it, mirrored, changed and erased as the augmentation says.
func (p Preprocess) apply(s *source, a Augmentation, dst []float32) error {
	if len(dst) != p.Values() {
		return fmt.Errorf("a tensor of %d values cannot hold %d x %d x %d", len(dst), p.Depth(), p.Size.H, p.Size.W)
	}
	pixels, err := p.fit(s, a)
	if err != nil {
		return err
	}
	if a.FlipX {
		pixels = upright(pixels, mirrored)
	}
	if a.FlipY {
		pixels = upright(pixels, upsideDown)
	}
	for _, c := range a.Changes {
		pixels = operations[c.Operation](pixels, c.Magnitude)
	}
	p.write(pixels, dst)
	p.Size.clear(a.Erased, dst)
	return nil
}

// Fit resizes the photo by the rule. The result is H x W, or smaller on
// one side where it stands between the bars of a letterbox. Of Gray it has all samples of a pixel equal.
func (p Preprocess) Fit(m *Image) (*Image, error) { return p.fit(m.source(), Augmentation{}) }

// fit decodes and resizes a photo, or the part of it that the augmentation chose.
func (p Preprocess) fit(s *source, a Augmentation) (*Image, error) {
	w, h := s.upright(1)
	c, reduce := p.scaling(w, h, a), 1
	if p.Decode == Fast && s.reducible {
		if reduce = c.reducible(); reduce > 1 {
			w, h = s.upright(reduce)
			c = p.scaling(w, h, a.reduced(reduce))
		}
	}
	change := func(row []uint8) []uint8 { return row }
	if p.Channels == Gray {
		gray := make([]uint8, 3*max(s.w, s.h))
		change = func(row []uint8) []uint8 { return grayRow(gray, row) }
	}
	if f, ok := pillowFilters[p.resample()]; ok {
		return s.resize(f, reduce, c, change)
	}
	m, err := s.decode(reduce)
	if err != nil {
		return nil, err
	}
	for y := range m.H {
		copy(m.row(y), change(m.row(y)))
	}
	return m.resizeNfnt(p.resample(), c)
}

// scaling is how a photo of w x h pixels, or the part of it that the augmentation chose, becomes the input.
func (p Preprocess) scaling(w, h int, a Augmentation) scaling {
	s := p.Size
	switch {
	case a.cropped() && a.ByRule:
		c := p.scaling(a.W, a.H, Augmentation{})
		c.from = c.from.Add(image.Pt(a.X, a.Y))
		return c
	case a.cropped():
		c := toSize(a.W, a.H, s.W, s.H)
		c.from = c.from.Add(image.Pt(a.X, a.Y))
		return c
	case p.Resize == Crop:
		sw, sh := shorterTo(w, h, p.short())
		c := toSize(w, h, sw, sh)
		c.part = image.Rect(0, 0, s.W, s.H).Add(image.Pt(centre(sw, s.W), centre(sh, s.H)))
		return c
	case p.Resize == Letterbox:
		sw, sh := into(w, h, s)
		return toSize(w, h, sw, sh)
	}
	return toSize(w, h, s.W, s.H)
}

// shorterTo is torchvision's Resize(side): the longer side is rounded down.
func shorterTo(w, h, side int) (int, int) {
	if w <= h {
		return side, side * h / w
	}
	return side * w / h, side
}

// into is the largest size within the frame that keeps the shape, as far as whole pixels can.
func into(w, h int, frame Size) (int, int) {
	if w*frame.H >= h*frame.W {
		return frame.W, max((frame.W*h+w/2)/w, 1)
	}
	return max((frame.H*w+h/2)/h, 1), frame.H
}

// centre is the offset of torchvision's CenterCrop: halves go to the even number.
func centre(length, size int) int {
	return int(math.RoundToEven(float64(length-size) / 2))
}
