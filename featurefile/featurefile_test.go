package featurefile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestGroups: rows are written in groups of bounded size.
func TestGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const features, rows = groupBytes / 4 / 10, 25
	w := NewWriter(f, features)
	for range rows {
		if err := w.Add(Row{Path: "path", Features: make([]float32, features)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(Info{}); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil || len(file.RowGroups()) != 3 || file.NumRows() != rows {
		t.Errorf("%v: %d groups", err, len(file.RowGroups()))
	}
}

// TestDamaged: whatever byte of a file is wrong, reading it is an error, or finds the rows as they were written.
func TestDamaged(t *testing.T) {
	label, path := "a", filepath.Join(t.TempDir(), "f.parquet")
	var file bytes.Buffer
	w := NewWriter(&file, 3)
	var want []string
	for i := range 20 {
		r := Row{Path: fmt.Sprint(i), Label: &label, Features: []float32{float32(i), 2, 3}}
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(r.Path, label, r.Features))
	}
	if err := w.Close(Info{Source: Source{Trunk: "abc"}}); err != nil {
		t.Fatal(err)
	}
	read := func() (got []string, err error) {
		s, err := Open([]string{path})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		if s.Trunk != "abc" {
			return nil, errors.New("another trunk")
		}
		var photos []Photo
		if err := s.Photos(func(_ int, p Photo) error { photos = append(photos, p); return nil }); err != nil {
			return nil, err
		}
		return got, s.Each(t.Context(), func(row int, x []float32) error {
			got = append(got, fmt.Sprint(photos[row].Path, photos[row].Label, x))
			return nil
		})
	}
	wrong, step := 0, 1
	if testing.Short() {
		step = 7
	}
	for at := -1; at < file.Len(); at += step {
		data := bytes.Clone(file.Bytes())
		if at >= 0 {
			data[at] ^= 0x41
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := read()
		if err != nil {
			wrong++
		}
		if err != nil && at < 0 || err == nil && !slices.Equal(got, want) {
			t.Errorf("byte %d: %v, %v", at, err, got)
		}
	}
	if wrong < file.Len()/step/4 {
		t.Errorf("%d of %d bytes are missed", wrong, file.Len())
	}
}
