package featurefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"regraft/parquetfile"
	"regraft/shard"
)

// Set are the files of one network's features, whole runs of embed.
type Set struct {
	Source
	// Features is the length of a row, Rows their number, Failed that of the inputs without one.
	Features, Rows, Failed int
	// Run identifies the inputs and the settings of all files, whatever they are called and however they are divided.
	Run   []string
	files []*file
}

// file is one of them, with its place among all rows.
type file struct {
	path  string
	first int
	f     *os.File
	*parquet.File
	info   Info
	length int
}

// Expand lists the files that names, patterns and folders stand for, each once, in order.
func Expand(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		found, missing := []string{name}, "there is no such file"
		switch info, err := os.Stat(name); {
		case err == nil && info.IsDir():
			missing = "the folder holds no .parquet files"
			if found, err = fs.Glob(os.DirFS(name), "*.parquet"); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			for i, file := range found {
				found[i] = filepath.Join(name, file)
			}
		case err != nil:
			if found, err = filepath.Glob(name); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%q: %s", name, missing)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// Open opens files that belong together: of one network and preprocessing, shards complete and each there once. The caller closes
// the set.
func Open(paths []string) (_ *Set, err error) {
	s := &Set{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	var parts []shard.Part
	for _, path := range paths {
		one, err := open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		one.first = s.Rows
		s.files = append(s.files, one)
		s.Rows += int(one.NumRows())
		s.Failed += one.info.Failed
		first := s.files[0]
		if different := one.info.Differs(first.info.Source); different != "" {
			return nil, fmt.Errorf("%s has features of %s, as of %s", path, different, first.path)
		}
		if one.length != first.length {
			return nil, fmt.Errorf("%s has %d features a photo, %s %d", path, one.length, first.path, first.length)
		}
		if one.info.Origin.Shard != "" {
			part, err := shard.PartWith(path, one.info.Origin)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
		}
		s.Run = append(s.Run, one.info.Origin.List)
	}
	if len(s.files) == 0 {
		return nil, errors.New("no files")
	}
	if err := shard.Complete(parts); err != nil {
		return nil, err
	}
	slices.Sort(s.Run)
	s.Run = slices.Compact(s.Run)
	s.Source, s.Features = s.files[0].info.Source, s.files[0].length
	return s, nil
}

// open opens a file and reads what it says of itself.
func open(path string) (_ *file, err error) {
	one := &file{path: path}
	if one.f, err = os.Open(path); err != nil {
		return nil, errors.Unwrap(err)
	}
	defer func() {
		if err != nil {
			one.f.Close()
		}
	}()
	defer parquetfile.Damaged(&err)
	info, err := one.f.Stat()
	if err != nil {
		return nil, err
	}
	if one.File, err = parquetfile.Open(one.f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)); err != nil {
		return nil, fmt.Errorf("no Parquet file, or a damaged one: %w", err)
	}
	if one.info, one.length, err = infoOf(one.File); err != nil {
		return nil, err
	}
	for _, column := range []string{"path", "label", "part", "sha256", "features.list.element"} {
		if _, is := one.Schema().Lookup(strings.Split(column, ".")...); !is {
			return nil, fmt.Errorf("it lacks the column %s", column)
		}
	}
	return one, nil
}

// ReadInfo reads what the file at path says of itself; the error is fs.ErrNotExist where there is none.
func ReadInfo(path string) (Info, error) {
	one, err := open(path)
	if err != nil {
		return Info{}, fmt.Errorf("%s: %w", path, err)
	}
	defer one.f.Close()
	return one.info, nil
}

// Close closes all files.
func (s *Set) Close() {
	for _, f := range s.files {
		f.f.Close()
	}
}

// Name is the file that has row i.
func (s *Set) Name(i int) string {
	at := len(s.files) - 1
	for at > 0 && s.files[at].first > i {
		at--
	}
	return s.files[at].path
}

// Photo is a row without its features; what is not known is "".
type Photo struct{ Path, Label, Part, Hash string }

// Photos hands on all rows without their features.
func (s *Set) Photos(photo func(row int, p Photo) error) error {
	for _, f := range s.files {
		if err := f.photos(photo); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return nil
}

func (f *file) photos(photo func(row int, p Photo) error) (err error) {
	defer parquetfile.Damaged(&err)
	type description struct {
		Path  string  `parquet:"path"`
		Label *string `parquet:"label,optional"`
		Part  *string `parquet:"part,optional"`
		Hash  *string `parquet:"sha256,optional"`
	}
	r := parquet.NewGenericReader[description](f.File)
	defer r.Close()
	rows, at, labelled := make([]description, 256), f.first, 0
	for {
		n, err := r.Read(rows)
		for _, row := range rows[:n] {
			if err := photo(at, Photo{strings.Clone(row.Path), text(row.Label), text(row.Part), text(row.Hash)}); err != nil {
				return err
			}
			if at++; row.Label != nil {
				labelled++
			}
		}
		switch {
		case err == io.EOF && labelled != f.info.Labelled:
			return fmt.Errorf("the file is damaged: %d of its rows have a label, and it says %d", labelled, f.info.Labelled)
		case err == io.EOF && at != f.first+int(f.NumRows()):
			return fmt.Errorf("it has %d rows and says %d", at-f.first, f.NumRows())
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		clear(rows)
	}
}

func text(t *string) string {
	if t == nil {
		return ""
	}
	return strings.Clone(*t)
}

// Each hands on the features of all rows, in a slice that is used again.
func (s *Set) Each(ctx context.Context, row func(row int, features []float32) error) error {
	for _, f := range s.files {
		if err := f.each(ctx, row); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return nil
}

func (f *file) each(ctx context.Context, row func(row int, features []float32) error) (err error) {
	defer parquetfile.Damaged(&err)
	column, _ := f.Schema().Lookup("features", "list", "element")
	if column.Node.Type().Kind() != parquet.Float {
		return fmt.Errorf("its features are %v, not float32", column.Node.Type())
	}
	at := f.first
	for _, group := range f.RowGroups() {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := rows{length: f.length, most: column.MaxDefinitionLevel, at: at, hand: row}
		if err := r.read(group.ColumnChunks()[column.ColumnIndex]); err != nil {
			return err
		}
		if at += int(group.NumRows()); r.at != at {
			return fmt.Errorf("%d rows have features, not %d", r.at-f.first, at-f.first)
		}
	}
	return nil
}

// rows cuts the values of a column into rows.
type rows struct {
	length, most int
	at           int
	hand         func(row int, features []float32) error
	features     []float32
}

func (r *rows) read(chunk parquet.ColumnChunk) error {
	pages := chunk.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return r.end()
		} else if err != nil {
			return err
		}
		err = r.page(page)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

func (r *rows) page(page parquet.Page) error {
	values, buffer := page.Values(), make([]parquet.Value, 1024)
	for {
		n, err := values.ReadValues(buffer)
		for _, v := range buffer[:n] {
			if v.RepetitionLevel() == 0 {
				if err := r.end(); err != nil {
					return err
				}
			}
			if v.DefinitionLevel() != r.most || len(r.features) == r.length {
				return r.wrong()
			}
			r.features = append(r.features, v.Float())
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// end hands on the row that has been gathered, where there is one.
func (r *rows) end() error {
	switch len(r.features) {
	case 0:
		return nil
	case r.length:
		err := r.hand(r.at, r.features)
		r.at, r.features = r.at+1, r.features[:0]
		return err
	}
	return r.wrong()
}

func (r *rows) wrong() error { return fmt.Errorf("row %d has not %d features", r.at+1, r.length) }
