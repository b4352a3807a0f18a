package featurefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"regraft/journal"
)

// made writes a file of so many rows of two features, the first of which is the row's number.
func made(t *testing.T, path string, rows int, info Info) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	label := "sea"
	w := NewWriter(f, 2)
	for i := range rows {
		r := Row{Path: fmt.Sprintf("%s-%d", filepath.Base(path), i), Features: []float32{float32(i), 0.5}}
		if i%2 == 0 {
			r.Label = &label
		}
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSet: several files are one list of rows, in the order of their names, and know of each row which file has it.
func TestSet(t *testing.T) {
	dir := t.TempDir()
	of := func(list string) Info {
		return Info{Source: Source{Trunk: "t"}, Origin: journal.Origin{List: list}, Failed: 2}
	}
	a, b := made(t, filepath.Join(dir, "a.parquet"), 300, of("two")), made(t, filepath.Join(dir, "b.parquet"), 3, of("one"))
	files, err := Expand([]string{b, dir, filepath.Join(dir, "?.parquet")})
	if err != nil || !slices.Equal(files, []string{a, b}) {
		t.Fatalf("%q, %v", files, err)
	}
	s, err := Open(files)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Rows != 303 || s.Features != 2 || s.Failed != 4 || s.Trunk != "t" || !slices.Equal(s.Run, []string{"one", "two"}) {
		t.Errorf("%+v", s)
	}
	for row, want := range map[int]string{0: a, 299: a, 300: b, 302: b} {
		if got := s.Name(row); got != want {
			t.Errorf("row %d is of %s", row, got)
		}
	}
	var paths []string
	if err := s.Photos(func(row int, p Photo) error {
		if row != len(paths) || (p.Label == "sea") != (strings.HasSuffix(p.Path, "0") || strings.ContainsAny(p.Path[len(p.Path)-1:], "2468")) {
			t.Errorf("row %d: %+v", row, p)
		}
		paths = append(paths, p.Path)
		return nil
	}); err != nil || len(paths) != 303 || paths[299] != "a.parquet-299" || paths[302] != "b.parquet-2" {
		t.Errorf("%d paths, %v", len(paths), err)
	}
	next := 0
	if err := s.Each(t.Context(), func(row int, x []float32) error {
		if row != next || int(x[0]) != row%300 || x[1] != 0.5 {
			t.Errorf("row %d after %d: %v", row, next, x)
		}
		next++
		return nil
	}); err != nil || next != 303 {
		t.Errorf("%d rows, %v", next, err)
	}

	ended := errors.New("ended")
	if err := s.Photos(func(row int, _ Photo) error {
		if row == 301 {
			return ended
		}
		return nil
	}); !errors.Is(err, ended) || !strings.HasPrefix(err.Error(), b) {
		t.Errorf("%v", err)
	}
	if err := s.Each(t.Context(), func(row int, _ []float32) error {
		if row == 1 {
			return ended
		}
		return nil
	}); !errors.Is(err, ended) || !strings.HasPrefix(err.Error(), a) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Each(ctx, func(int, []float32) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	info, err := ReadInfo(a)
	if err != nil || info.Labelled != 150 || info.Origin.List != "two" {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := ReadInfo(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestOpenRefuses: files that do not belong together, or are none, are named with the reason.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, info Info) string { return made(t, filepath.Join(dir, name+".parquet"), 1, info) }
	shard := func(name, shard string) string { return file(name, Info{Origin: journal.Origin{Shard: shard}}) }
	first := file("first", Info{Source: Source{"t", "p", "a"}})
	columns := filepath.Join(dir, "columns.parquet")
	if err := parquet.WriteFile(columns, []struct {
		Path string `parquet:"path"`
	}{{"x"}}, parquet.KeyValueMetadata(infoKey, `{"schema":"`+schema+`"}`), parquet.KeyValueMetadata(lengthKey, "2")); err != nil {
		t.Fatal(err)
	}
	saying := func(name string, metadata ...parquet.WriterOption) string {
		path := filepath.Join(dir, name+".parquet")
		if err := parquet.WriteFile(path, []Row{{Path: "x", Features: []float32{1}}}, metadata...); err != nil {
			t.Fatal(err)
		}
		return path
	}
	says := parquet.KeyValueMetadata(infoKey, `{"schema":"`+schema+`"}`)
	text := filepath.Join(dir, "text.parquet")
	if err := os.WriteFile(text, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		paths []string
		says  string
	}{
		{nil, "no files"},
		{[]string{filepath.Join(dir, "none")}, "none: no such file"},
		{[]string{text}, "text.parquet: no Parquet file, or a damaged one"},
		{[]string{first, file("trunk", Info{Source: Source{"u", "p", "a"}})}, "another trunk (hash u instead of t), as of " + first},
		{[]string{first, file("preprocess", Info{Source: Source{"t", "q", "a"}})}, "other preprocessing (q instead of p)"},
		{[]string{first, file("algorithm", Info{Source: Source{"t", "p", "b"}})}, "the algorithm b instead of a"},
		{[]string{shard("one", "1/3"), shard("zero", "0/3")}, "missing: 2/3"},
		{[]string{shard("wrong", "3/3")}, "wrong.parquet: shard "},
		{[]string{columns}, "it lacks the column label"},
		{[]string{saying("silent")}, "it does not say what computed its features"},
		{[]string{saying("other", parquet.KeyValueMetadata(infoKey, `{"schema":"x"}`))}, "nothing that this version reads"},
		{[]string{saying("lengthless", says)}, `its rows have "" features`},
		{[]string{saying("empty", says, parquet.KeyValueMetadata(lengthKey, "0"))}, `its rows have "0" features: from 1 to 16777216`},
		{[]string{saying("three", says, parquet.KeyValueMetadata(lengthKey, "3")), saying("four", says, parquet.KeyValueMetadata(lengthKey, "4"))}, "four.parquet has 4 features a photo, "},
	} {
		if s, err := Open(c.paths); err == nil || !strings.Contains(err.Error(), c.says) || s != nil {
			t.Errorf("%v: %v, want %q", c.paths, err, c.says)
		}
	}
	for name, says := range map[string]string{
		filepath.Join(dir, "none*"): "there is no such file", t.TempDir(): "the folder holds no .parquet files", "[": "syntax error in pattern",
	} {
		if _, err := Expand([]string{name}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// rows whose features are fewer or more than the file says, and a column of another type
	for path, says := range map[string]string{
		saying("fewer", says, parquet.KeyValueMetadata(lengthKey, "2")): "row 1 has not 2 features",
		columnsOf(t, filepath.Join(dir, "doubles.parquet")):             "its features are DOUBLE, not float32",
		manyRows(t, filepath.Join(dir, "more.parquet")):                 "row 1100 has not 1 features",
	} {
		s, err := Open([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Each(t.Context(), func(int, []float32) error { return nil })
		s.Close()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}

// columnsOf writes a file with features in float64.
func columnsOf(t *testing.T, path string) string {
	t.Helper()
	type row struct {
		Path     string    `parquet:"path"`
		Label    *string   `parquet:"label,optional"`
		Part     *string   `parquet:"part,optional"`
		Hash     *string   `parquet:"sha256,optional"`
		Features []float64 `parquet:"features,list"`
	}
	if err := parquet.WriteFile(path, []row{{Path: "x", Features: []float64{1}}}, parquet.KeyValueMetadata(infoKey, `{"schema":"`+schema+`"}`), parquet.KeyValueMetadata(lengthKey, "1")); err != nil {
		t.Fatal(err)
	}
	return path
}

// manyRows writes a file of which the last of 1100 rows has a feature too many.
func manyRows(t *testing.T, path string) string {
	t.Helper()
	rows := make([]Row, 1100)
	for i := range rows {
		rows[i] = Row{Path: "x", Features: []float32{1}}
	}
	rows[1099].Features = []float32{1, 2}
	if err := parquet.WriteFile(path, rows, parquet.KeyValueMetadata(infoKey, `{"schema":"`+schema+`"}`), parquet.KeyValueMetadata(lengthKey, "1")); err != nil {
		t.Fatal(err)
	}
	return path
}
