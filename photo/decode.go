package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"regraft/photo/jpeg"
)

// DecodeOptions limits what is decoded. The zero value is right for photos.
type DecodeOptions struct {
	// TIFF allows TIFF files, which are refused otherwise: the format is vast
	// and rarely holds photos.
	TIFF bool
	// MaxPixels is the largest width times height; 0 means DefaultMaxPixels.
	MaxPixels int
	// MaxBytes is the largest file; 0 means DefaultMaxBytes.
	MaxBytes int64
}

// The limits of the zero DecodeOptions.
const (
	DefaultMaxPixels = 100_000_000
	DefaultMaxBytes  = 256 << 20
)

// format is a file format of photos, known by its first bytes.
type format struct {
	name   string
	is     func(head []byte) bool
	size   func(data []byte) (w, h int, err error)
	decode func(data []byte) (*Image, error)
	// metadata reads what tells which way is up; nil where the format has no place for it.
	metadata func(data []byte) metadata
	// density is the most pixels that one byte can encode (0: unbounded). A
	// header that declares more cannot be true, and is refused before memory
	// is asked for.
	density int
}

// formats holds everything that is decoded. The densities: a JPEG spends a bit
// on each block of 64 pixels, deflate packs 1032 bytes into one (PNG down to 1
// bit per pixel), a 12-bit LZW code of a GIF stands for up to 4096 pixels.
var formats = []format{
	{"JPEG", prefix("\xff\xd8\xff"), sizeOfJPEG, decodeJPEG, metadataOfJPEG, 512},
	{"PNG", prefix("\x89PNG\r\n\x1a\n"), sizeBy(png.DecodeConfig), decodeAs(png.Decode), metadataOfPNG, 8 * 1032},
	{"GIF", prefix("GIF8"), sizeBy(gif.DecodeConfig), decodeGIF, nil, 2731},
	{"WebP", riff("WEBP"), sizeBy(webp.DecodeConfig), decodeWebP, metadataOfWebP, 0},
	{"BMP", prefix("BM"), sizeBy(bmp.DecodeConfig), decodeAs(bmp.Decode), nil, 8},
	{"TIFF", either(prefix("II*\x00"), prefix("MM\x00*")), sizeBy(tiff.DecodeConfig), decodeAs(tiff.Decode), metadataOfTIFF, 0},
}

// foreign names formats that people's folders hold and that are not decoded.
var foreign = []format{
	{name: "HEIC", is: either(brand("heic"), brand("heix"), brand("mif1"), brand("msf1"))},
	{name: "AVIF", is: either(brand("avif"), brand("avis"))},
	{name: "JPEG XL", is: either(prefix("\xff\x0a"), prefix("\x00\x00\x00\x0cJXL "))},
	{name: "PDF", is: prefix("%PDF")},
}

// sizeBy adapts a header reader of the image package.
func sizeBy(config func(io.Reader) (image.Config, error)) func([]byte) (int, int, error) {
	return func(data []byte) (int, int, error) {
		c, err := config(bytes.NewReader(data))
		return c.Width, c.Height, err
	}
}

func sizeOfJPEG(data []byte) (w, h int, err error) {
	c, err := jpeg.DecodeConfig(data)
	return c.Width, c.Height, err
}

func decodeJPEG(data []byte) (*Image, error) {
	w, h, pix, err := jpeg.Decode(data)
	return &Image{w, h, pix}, err
}

func prefix(magic string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
}

// riff knows files in RIFF containers.
func riff(kind string) func([]byte) bool {
	return func(head []byte) bool {
		return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == kind
	}
}

// brand knows files in ISO base media containers.
func brand(kind string) func([]byte) bool {
	return func(head []byte) bool { return len(head) >= 12 && string(head[4:12]) == "ftyp"+kind }
}

func either(is ...func([]byte) bool) func([]byte) bool {
	return func(head []byte) bool {
		for _, f := range is {
			if f(head) {
				return true
			}
		}
		return false
	}
}

// formatOf finds the format by the content: names lie.
func formatOf(data []byte, o DecodeOptions) (format, error) {
	for _, f := range formats {
		if !f.is(data) {
			continue
		}
		if f.name == "TIFF" && !o.TIFF {
			return format{}, errors.New("TIFF is read only when asked for; convert it to PNG or allow TIFF")
		}
		return f, nil
	}
	for _, f := range foreign {
		if f.is(data) {
			return format{}, fmt.Errorf("%s is not supported; convert it to JPEG or PNG", f.name)
		}
	}
	if len(data) == 0 {
		return format{}, errors.New("the file is empty")
	}
	return format{}, errors.New("not a photo (JPEG, PNG, GIF, WebP or BMP)")
}

// Load reads and decodes the photo at path. Errors name the file.
func Load(path string, o DecodeOptions) (*Image, error) {
	data, err := read(path, o)
	if err != nil {
		return nil, err
	}
	m, err := Decode(data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// read returns the bytes of a regular file that is not too large.
func read(path string, o DecodeOptions) ([]byte, error) {
	limit := o.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a file", path)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s: %d bytes are more than the limit of %d", path, info.Size(), limit)
	}
	return os.ReadFile(path)
}

// Decode turns the bytes of a photo into an upright RGB image, whatever the
// file is called. Of an animation the first frame counts, and alpha is dropped, as
// Pillow's convert("RGB") does: transparent pixels show the colour stored in
// them. Damaged files and those beyond the limits are errors.
func Decode(data []byte, o DecodeOptions) (*Image, error) {
	f, err := formatOf(data, o)
	if err != nil {
		return nil, err
	}
	w, h, err := f.size(data)
	if err != nil {
		return nil, damaged(f, err)
	}
	if err := checkSize(f, w, h, len(data), o); err != nil {
		return nil, err
	}
	m, err := f.decode(data)
	if err != nil {
		return nil, damaged(f, err)
	}
	if f.metadata != nil {
		m = upright(m, f.metadata(data).orientation())
	}
	return m, nil
}

func damaged(f format, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("damaged %s: the file ends too early", f.name)
	}
	return fmt.Errorf("damaged or unusual %s: %w", f.name, err)
}

// checkSize judges the size that a header declares.
func checkSize(f format, w, h, bytes int, o DecodeOptions) error {
	limit := o.MaxPixels
	if limit == 0 {
		limit = DefaultMaxPixels
	}
	if w <= 0 || h <= 0 {
		return fmt.Errorf("damaged %s: its header declares %d x %d pixels", f.name, w, h)
	}
	if w > limit/h {
		return fmt.Errorf("%d x %d pixels are more than the limit of %d million", w, h, limit/1_000_000)
	}
	if f.density > 0 && w*h/f.density > bytes {
		return fmt.Errorf("damaged %s: its header declares %d x %d pixels, which %d bytes cannot hold", f.name, w, h, bytes)
	}
	return nil
}
