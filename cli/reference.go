package cli

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/sbinet/npyio/npy"

	"regraft/onnx"
)

// reference holds the arrays of an .npz file, by name.
type reference struct {
	path  string
	files map[string]*zip.File
	close func() error
}

// array is a row-major tensor; halves, bytes and integers are widened to float32.
type array struct {
	shape    []int
	values   []float32
	integers bool
}

func openReference(path string) (*reference, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &reference{path: path, files: map[string]*zip.File{}, close: z.Close}
	for _, f := range z.File {
		r.files[strings.TrimSuffix(f.Name, ".npy")] = f
	}
	return r, nil
}

func (r *reference) has(name string) bool { return r.files[name] != nil }

// array reads an array. Nothing larger than what the file can really hold is allocated.
func (r *reference) array(name string) (array, error) {
	data, err := r.entry(r.files[name])
	var a array
	if err == nil {
		a, err = parseArray(data)
	}
	if err != nil {
		return array{}, fmt.Errorf("%s: array %q: %w", r.path, name, err)
	}
	return a, nil
}

// deflateRatio is the most bytes that one byte of deflate stands for.
const deflateRatio = 1032

func (r *reference) entry(f *zip.File) ([]byte, error) {
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	if f.UncompressedSize64/deflateRatio > f.CompressedSize64 {
		return nil, fmt.Errorf("%d bytes cannot hold the declared %d", f.CompressedSize64, f.UncompressedSize64)
	}
	return io.ReadAll(io.LimitReader(rc, int64(f.UncompressedSize64)))
}

// parseArray reads the .npy format, versions 1 and 2. The library trusts the header, so its length
// is checked before and what it declares afterwards, and its panics are errors here.
func parseArray(data []byte) (a array, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("damaged header")
		}
	}()
	if len(data) < 12 || data[6] == 2 && int64(binary.LittleEndian.Uint32(data[8:])) > int64(len(data)) {
		return a, fmt.Errorf("not a complete .npy array")
	}
	r, err := npy.NewReader(bytes.NewReader(data))
	if err != nil {
		return a, err
	}
	h := r.Header.Descr
	width := map[string]int{"<f4": 4, "<f2": 2, "|u1": 1, "<i8": 8}[h.Type]
	if width == 0 || h.Fortran {
		return a, fmt.Errorf("dtype %s: only row-major little-endian float32, float16 and int64, and uint8, are read", h.Type)
	}
	count := 1
	for _, d := range h.Shape {
		if d < 0 || d > 0 && count > len(data)/d {
			return a, fmt.Errorf("shape %v does not fit into %d bytes", h.Shape, len(data))
		}
		count *= d
	}
	if width*count > len(data) {
		return a, fmt.Errorf("shape %v does not fit into %d bytes", h.Shape, len(data))
	}
	a.shape = h.Shape
	if width == 4 {
		return a, r.Read(&a.values)
	}
	a.values = make([]float32, count)
	for i, raw := 0, data[len(data)-width*count:]; i < count; i++ { // the values are the end of the file
		switch width {
		case 8:
			a.integers = true
			a.values[i] = float32(int64(binary.LittleEndian.Uint64(raw[8*i:])))
		case 2:
			a.values[i] = onnx.Float16(binary.LittleEndian.Uint16(raw[2*i:]))
		default:
			a.values[i] = float32(raw[i])
		}
	}
	return a, nil
}
