package golden

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npy"
	"github.com/sbinet/npyio/npz"
)

// Array is an array of NumPy in row-major order. The field of its element type is set, the others are nil.
type Array struct {
	Shape []int
	Data  []float32 // float32

	Float64 []float64
	Int64   []int64
	Bytes   []uint8 // uint8
}

// Npy reads one array. A path that is not absolute is taken from the folder shared.
func Npy(tb testing.TB, path string) Array {
	tb.Helper()
	f, err := os.Open(resolve(tb, path))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	a, err := readArray(f)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return a
}

// Npz reads all arrays of an archive by name. A path that is not absolute is taken from the folder shared.
func Npz(tb testing.TB, path string) map[string]Array {
	tb.Helper()
	z, err := npz.Open(resolve(tb, path))
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	arrays := map[string]Array{}
	for _, key := range z.Keys() {
		a, err := readEntry(z, key)
		if err != nil {
			tb.Fatalf("%s, array %q: %v", path, key, err)
		}
		arrays[strings.TrimSuffix(key, ".npy")] = a
	}
	return arrays
}

func readEntry(z *npz.Reader, key string) (Array, error) {
	r, err := z.Open(key)
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	return readArray(r)
}

func readArray(r io.Reader) (Array, error) {
	n, err := npy.NewReader(r)
	if err != nil {
		return Array{}, err
	}
	d := n.Header.Descr
	if d.Fortran && len(d.Shape) > 1 {
		return Array{}, fmt.Errorf("column-major arrays are not supported")
	}
	a := Array{Shape: d.Shape}
	size := 1
	for _, n := range d.Shape {
		size *= n
	}
	// The values are read by encoding/binary, which is many times faster than npyio.
	switch d.Type {
	case "<f4":
		a.Data = make([]float32, size)
		err = binary.Read(r, binary.LittleEndian, a.Data)
	case "<f8":
		a.Float64 = make([]float64, size)
		err = binary.Read(r, binary.LittleEndian, a.Float64)
	case "<i8":
		a.Int64 = make([]int64, size)
		err = binary.Read(r, binary.LittleEndian, a.Int64)
	case "|u1":
		a.Bytes = make([]uint8, size)
		_, err = io.ReadFull(r, a.Bytes)
	default:
		err = fmt.Errorf("element type %s is not supported", d.Type)
	}
	return a, err
}
