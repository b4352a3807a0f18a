package cli

import (
	"archive/zip"
	"encoding/csv"
	"encoding/hex"
	"io"
	"strconv"

	"regraft"
	"regraft/featurefile"
	"regraft/photo"
)

// table is a file of features in the making: a row for each photo.
type table interface {
	add(r regraft.Result, of place) error
	close() error
}

// tables are the formats that embed knows, by the ending of the file.
var tables = map[string]func(w io.Writer, features int) table{
	".npy": newNPYTable, ".npz": newNPZTable, ".csv": newCSVTable, ".parquet": newParquetTable,
}

// npyTable has the features alone, (photos, F) in float32, and npzTable the arrays path, label and features. Both begin with the number
// of rows, so that they wait for the last.
type npyTable struct {
	w             io.Writer
	paths, labels []string
	features      [][]float32
}

func newNPYTable(w io.Writer, _ int) table { return &npyTable{w: w} }

func (t *npyTable) add(r regraft.Result, of place) error {
	t.paths, t.labels, t.features = append(t.paths, photo.Text(r.Path)), append(t.labels, of.label), append(t.features, r.Features)
	return nil
}

func (t *npyTable) close() error { return t.write(t.w) }

func (t *npyTable) write(w io.Writer) error { return floatsNPY(w, t.features, len(t.features[0])) }

type npzTable struct{ npyTable }

func newNPZTable(w io.Writer, _ int) table { return &npzTable{npyTable{w: w}} }

func (t *npzTable) close() error {
	z := zip.NewWriter(t.w)
	for _, a := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"path", func(w io.Writer) error { return textsNPY(w, t.paths) }},
		{"label", func(w io.Writer) error { return textsNPY(w, t.labels) }},
		{"features", t.write},
	} {
		f, err := z.CreateHeader(&zip.FileHeader{Name: a.name + ".npy", Method: zip.Store})
		if err == nil {
			err = a.write(f)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// csvTable has the columns path, label and f0, f1, ...
type csvTable struct {
	w    *csv.Writer
	line []string
}

func newCSVTable(w io.Writer, features int) table {
	t := &csvTable{w: csv.NewWriter(w), line: []string{"path", "label"}}
	for f := range features {
		t.line = append(t.line, "f"+strconv.Itoa(f))
	}
	t.w.Write(t.line)
	return t
}

func (t *csvTable) add(r regraft.Result, of place) error {
	t.line = append(t.line[:0], photo.Text(r.Path), of.label)
	for _, v := range r.Features {
		t.line = append(t.line, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	return t.w.Write(t.line)
}

func (t *csvTable) close() error {
	t.w.Flush()
	return t.w.Error()
}

// parquetTable has the columns path, label and part, which are null where they are not known, sha256 of the photo's file, and features, a list of float32 that is
// as long in every row (package featurefile).
type parquetTable struct {
	*featurefile.Writer
	info featurefile.Info
}

func newParquetTable(w io.Writer, features int) table {
	return &parquetTable{Writer: featurefile.NewWriter(w, features)}
}

func (t *parquetTable) add(r regraft.Result, of place) error {
	return t.Add(featurefile.Row{Path: photo.Text(r.Path), Label: known(of.label), Part: known(of.part), Hash: known(hex.EncodeToString(r.Hash[:])), Features: r.Features})
}

func (t *parquetTable) close() error { return t.Close(t.info) }

func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
