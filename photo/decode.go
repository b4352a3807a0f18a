package photo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"regraft/setting"
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

// The limits of the zero DecodeOptions. Phones make photos of 108 million
// pixels and more; Pillow refuses those beyond 2^28 * 2/3.
const (
	DefaultMaxPixels = 178_956_970
	DefaultMaxBytes  = 256 << 20
)

// Load reads and decodes the photo at path. Errors name the file.
func Load(path string, o DecodeOptions) (*Image, error) {
	data, err := read(path, o, new(bytes.Buffer))
	if err != nil {
		return nil, err
	}
	m, err := Decode(data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Shown(path), err)
	}
	return m, nil
}

// Content is that of a photo's file, if it is not too large.
func Content(path string, o DecodeOptions) ([]byte, error) { return read(path, o, new(bytes.Buffer)) }

// read returns the bytes of a regular file that is not too large, in the buffer.
func read(path string, o DecodeOptions, into *bytes.Buffer) ([]byte, error) {
	limit := o.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a file", Shown(path))
	case info.Size() > limit:
		return nil, fmt.Errorf("%s: %d bytes are more than the limit of %d", Shown(path), info.Size(), limit)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	into.Reset()
	into.Grow(int(info.Size()) + bytes.MinRead)
	_, err = into.ReadFrom(file)
	return into.Bytes(), err
}

// Decode turns the bytes of a photo into an upright RGB image, whatever the
// file is called. Of an animation the first frame counts, and alpha is dropped, as
// Pillow's convert("RGB") does: transparent pixels show the colour stored in
// them. Damaged files and those beyond the limits are errors.
func Decode(data []byte, o DecodeOptions) (*Image, error) {
	s, err := open(data, o)
	if err != nil {
		return nil, err
	}
	return s.decode(1)
}

// unsupportedError names what a whole file has in it that is not read.
type unsupportedError string

func (e unsupportedError) Error() string { return string(e) }

func unsupported(format string, values ...any) error {
	return unsupportedError(fmt.Sprintf(format, values...))
}

// damaged says what is wrong with a file of a known format.
func damaged(f format, err error) error {
	if what, ok := err.(unsupportedError); ok {
		return fmt.Errorf("%s with %s is not supported; convert it to JPEG or PNG", f.name, what)
	}
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
		return fmt.Errorf("%d x %d pixels are more than the limit of %d (%v)", w, h, limit, setting.MaxPixels)
	}
	if f.density > 0 && w*h/f.density > bytes {
		return fmt.Errorf("damaged %s: its header declares %d x %d pixels, which %d bytes cannot hold", f.name, w, h, bytes)
	}
	return nil
}
