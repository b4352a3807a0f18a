package cli

import (
	"archive/zip"
	"encoding/csv"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// table is a file of features in the making: a row for each photo.
type table interface {
	add(path, label string, features []float32) error
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

func (t *npyTable) add(path, label string, features []float32) error {
	t.paths, t.labels, t.features = append(t.paths, path), append(t.labels, label), append(t.features, features)
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

func (t *csvTable) add(path, label string, features []float32) error {
	t.line = append(t.line[:0], path, label)
	for _, v := range features {
		t.line = append(t.line, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	return t.w.Write(t.line)
}

func (t *csvTable) close() error {
	t.w.Flush()
	return t.w.Error()
}

// parquetTable has the columns path, label, which is null where it is not known, and features, a list of float32 that is as long in
// every row; how long is in the file's metadata too.
type parquetTable struct {
	w *parquet.GenericWriter[parquetRow]
}

type parquetRow struct {
	Path     string    `parquet:"path"`
	Label    *string   `parquet:"label,optional,dict"`
	Features []float32 `parquet:"features,list"`
}

// groupBytes bounds the features of a row group: what is in memory at a time.
const groupBytes = 16 << 20

func newParquetTable(w io.Writer, features int) table {
	return &parquetTable{parquet.NewGenericWriter[parquetRow](w, parquet.CreatedBy("regraft", "", ""),
		parquet.KeyValueMetadata("features", strconv.Itoa(features)), parquet.MaxRowsPerRowGroup(int64(max(groupBytes/(4*features), 1))))}
}

func (t *parquetTable) add(path, label string, features []float32) error {
	row := parquetRow{Path: path, Features: features}
	if label != "" {
		row.Label = &label
	}
	_, err := t.w.Write([]parquetRow{row})
	return err
}

func (t *parquetTable) close() error { return t.w.Close() }
