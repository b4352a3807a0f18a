package shard

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"regraft/answer"
)

// answers are read one after the other, as they stand in the file; io.EOF is behind the last.
type answers interface{ next() ([]byte, error) }

// longest bounds an answer: a hundred thousand logits have a megabyte. Tests lower it.
var longest = 64 << 20

var errEndless = fmt.Errorf("an answer in it has more than %d MB", longest>>20)

// appendLine adds the next line to an answer; io.EOF is behind the last.
func appendLine(answer []byte, r *bufio.Reader) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		answer = append(answer, part...)
		switch {
		case len(answer) > longest:
			return nil, errEndless
		case err == io.EOF && len(answer) > 0:
			return nil, errors.New("its last line has no end")
		case err != bufio.ErrBufferFull:
			return answer, err
		}
	}
}

// lines are answers of one line each.
type lines struct{ r *bufio.Reader }

func (l lines) next() ([]byte, error) { return appendLine(nil, l.r) }

// records are answers in a Parquet file, read as lines.
type records struct{ *answer.Rows }

func (r records) next() ([]byte, error) { return r.Next() }

func columns(file io.ReaderAt, size int64) (answers, error) {
	r, err := answer.OpenTable(file, size)
	return records{r}, err
}

// rows are answers of one or more rows of a table each: the first one has rank 1, or none.
type rows struct {
	r    *bufio.Reader
	rank int // the column
	row  []byte
	err  error // instead of row
}

// table reads the heading.
func table(r *bufio.Reader) (heading []byte, a answers, err error) {
	t := &rows{r: r}
	if heading, err = t.read(); err != nil {
		return nil, nil, err
	}
	columns, err := fields(heading)
	if t.rank = slices.Index(columns, "rank"); err != nil || t.rank < 0 {
		return nil, nil, errors.New("its first line does not name the columns of answers")
	}
	t.row, t.err = t.read()
	return heading, t, nil
}

func (t *rows) next() ([]byte, error) {
	if t.err != nil {
		return nil, t.err
	}
	answer := t.row
	for {
		if t.row, t.err = t.read(); t.err != nil {
			return answer, nil
		}
		columns, err := fields(t.row)
		if err != nil || len(columns) <= t.rank {
			return nil, errors.New("a row is damaged")
		}
		if rank := columns[t.rank]; rank == "" || rank == "1" {
			return answer, nil
		}
		if answer = append(answer, t.row...); len(answer) > longest {
			return nil, errEndless
		}
	}
}

// read reads a row, which goes on where a line ends within quotes.
func (t *rows) read() ([]byte, error) {
	row, err := appendLine(nil, t.r)
	for counted, quotes := 0, 0; err == nil; row, err = appendLine(row, t.r) {
		quotes += bytes.Count(row[counted:], []byte{'"'})
		if counted = len(row); quotes%2 == 0 {
			return row, nil
		}
	}
	return nil, err
}

func fields(row []byte) ([]string, error) { return csv.NewReader(bytes.NewReader(row)).Read() }
