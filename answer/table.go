package answer

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"

	"regraft/parquetfile"
)

// row is an answer in a Parquet file. Label, Index and P are those of the most probable class, null where there is none.
type row struct {
	Path      string       `parquet:"path"`
	PathBytes []byte       `parquet:"path_bytes,optional"`
	Label     *string      `parquet:"label,optional,dict"`
	Index     *int32       `parquet:"index,optional"`
	P         *float32     `parquet:"p,optional"`
	Unknown   bool         `parquet:"unknown"`
	Far       bool         `parquet:"far"`
	Distance  *float64     `parquet:"distance,optional"`
	Error     *string      `parquet:"error,optional"`
	Top       []prediction `parquet:"top,list"`
	Set       []string     `parquet:"set,list"`
	Logits    []float32    `parquet:"logits,list"`
	Features  []float32    `parquet:"features,list"`
}

type prediction struct {
	Label string  `parquet:"label,dict"`
	Index int32   `parquet:"index"`
	P     float32 `parquet:"p"`
}

// bytes is about what the row needs in memory.
func (r *row) bytes() int {
	n := 128 + len(r.Path) + len(r.PathBytes) + 4*(len(r.Logits)+len(r.Features))
	for _, p := range r.Top {
		n += 16 + len(p.Label)
	}
	for _, label := range r.Set {
		n += 16 + len(label)
	}
	return n
}

// groupBytes bounds a row group, which is in memory while it grows. Tests make it smaller.
var groupBytes = 16 << 20

// Table writes a Parquet file.
type Table struct {
	w     *parquet.GenericWriter[row]
	group int // bytes of the row group that grows
}

// NewTable begins a file that says in its metadata what its answers were made of.
func NewTable(w io.Writer, madeOf map[string]string) *Table {
	options := []parquet.WriterOption{parquet.CreatedBy("regraft", "", "")}
	for key, value := range madeOf {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	return &Table{w: parquet.NewGenericWriter[row](w, options...)}
}

// Add writes the answer of a line.
func (t *Table) Add(line []byte) error {
	a, err := Parse(line)
	if err != nil {
		return err
	}
	return t.add(a)
}

// AddAll writes the answers of all lines.
func (t *Table) AddAll(lines io.Reader) error {
	for a, err := range Lines(lines) {
		if err != nil {
			return err
		}
		if err := t.add(a); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) add(a *Answer) error {
	r := row{Path: a.Path, PathBytes: a.PathBytes, Unknown: a.Unknown, Far: a.Far, Distance: a.Distance, Error: a.Error, Set: a.Set, Logits: a.Logits, Features: a.Features}
	for _, p := range a.Top {
		r.Top = append(r.Top, prediction{p.Label, int32(p.Index), p.P})
	}
	if len(r.Top) > 0 {
		r.Label, r.Index, r.P = &r.Top[0].Label, &r.Top[0].Index, &r.Top[0].P
	}
	if _, err := t.w.Write([]row{r}); err != nil {
		return err
	}
	if t.group += r.bytes(); t.group < groupBytes {
		return nil
	}
	t.group = 0
	return t.w.Flush()
}

// Close ends the file.
func (t *Table) Close() error { return t.w.Close() }

// Rows reads a Parquet file.
type Rows struct {
	r      *parquet.GenericReader[row]
	batch  []row
	left   []row // of batch, not yet handed out
	behind error // what comes after them
}

// OpenTable reads a file that a Table has written.
func OpenTable(file io.ReaderAt, size int64) (rows *Rows, err error) {
	defer parquetfile.Damaged(&err)
	f, err := parquetfile.Open(file, size)
	if err != nil {
		return nil, err
	}
	if !parquet.EqualNodes(f.Schema(), parquet.SchemaOf(row{})) {
		return nil, errors.New("its columns are not those of answers")
	}
	return &Rows{r: parquet.NewGenericReader[row](f), batch: make([]row, 16)}, nil
}

// Next is the next answer as a line; io.EOF is behind the last.
func (r *Rows) Next() (line []byte, err error) {
	defer parquetfile.Damaged(&err)
	if len(r.left) == 0 {
		if r.behind != nil {
			return nil, r.behind
		}
		clear(r.batch)
		var n int
		n, r.behind = r.r.Read(r.batch)
		if r.left = r.batch[:n]; n == 0 {
			return nil, r.behind
		}
	}
	a := r.left[0].answer()
	r.left = r.left[1:]
	return a.Line()
}

func (r *row) answer() *Answer {
	a := &Answer{Schema: Schema, Path: r.Path, PathBytes: r.PathBytes, Top: []Prediction{}, Unknown: r.Unknown, Far: r.Far, Distance: r.Distance, Error: r.Error, Set: r.Set,
		Logits: r.Logits, Features: r.Features}
	for _, p := range r.Top {
		a.Top = append(a.Top, Prediction{p.Label, int(p.Index), p.P})
	}
	return a
}
