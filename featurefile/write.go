package featurefile

import (
	"encoding/json"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// Writer writes a file.
type Writer struct {
	w        *parquet.GenericWriter[Row]
	labelled int
}

// groupBytes bounds the features of a row group: what is in memory at a time.
const groupBytes = 16 << 20

// NewWriter writes rows of so many features to w.
func NewWriter(w io.Writer, features int) *Writer {
	return &Writer{w: parquet.NewGenericWriter[Row](w, parquet.CreatedBy("regraft", "", ""),
		parquet.KeyValueMetadata(lengthKey, strconv.Itoa(features)), parquet.MaxRowsPerRowGroup(int64(max(groupBytes/(4*features), 1))))}
}

// Add writes a row.
func (w *Writer) Add(r Row) error {
	if r.Label != nil {
		w.labelled++
	}
	_, err := w.w.Write([]Row{r})
	return err
}

// Close ends the file, with what is to be said of it.
func (w *Writer) Close(info Info) error {
	info.Schema, info.Labelled = schema, w.labelled
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	w.w.SetKeyValueMetadata(infoKey, string(text))
	return w.w.Close()
}
