package answer

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// lines are answers with everything that an answer can have.
func lines(t *testing.T, n int) []string {
	t.Helper()
	far, why := 1.25, "not a \"photo\"\n<&>"
	var all []string
	for i := range n {
		a := Answer{Schema: Schema, Path: fmt.Sprintf("größe/%d.jpg", i), Top: []Prediction{}}
		switch i % 5 {
		case 0:
			a.Top = []Prediction{{"sea", 2, 0.1}, {"", 0, 3e-9}}
		case 1:
			a.Error = &why
		case 2:
			a.Path, a.PathBytes = `\xff`, []byte{0xff}
			a.Top, a.Set, a.Unknown = []Prediction{{"forest", 1, 1}}, []string{"forest", "sea"}, true
		case 3:
			a.Far, a.Distance = true, &far
			a.Top, a.Logits, a.Features = []Prediction{{"sea", 2, 0.5}}, []float32{-1e-30, 3.25}, []float32{0.1, 0, 7}
		}
		line, err := a.Line()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(line))
	}
	return all
}

func table(t *testing.T, lines []string) []byte {
	t.Helper()
	var file bytes.Buffer
	w := NewTable(&file, map[string]string{"a": "1", "b": "2", "c": "3"})
	if err := w.AddAll(strings.NewReader(strings.Join(lines, ""))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestTable: the lines that are read are those that were written, over several groups of rows, and the bytes of a file depend on
// nothing else.
func TestTable(t *testing.T) {
	defer func(was int) { groupBytes = was }(groupBytes)
	groupBytes = 1 << 10
	for _, n := range []int{0, 1, 100} {
		want := lines(t, n)
		data := table(t, want)
		if !bytes.Equal(table(t, want), data) {
			t.Errorf("%d answers: other bytes the second time", n)
		}
		r, err := OpenTable(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range want {
			if got, err := r.Next(); err != nil || string(got) != line {
				t.Fatalf("answer %d is %s(%v), want %s", i, got, err, line)
			}
		}
		for range 2 {
			if got, err := r.Next(); err != io.EOF {
				t.Errorf("%s, %v behind the last", got, err)
			}
		}
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := f.Lookup("b"); v != "2" || n == 100 && len(f.RowGroups()) < 5 {
			t.Errorf("metadata %q, %d groups of rows", v, len(f.RowGroups()))
		}
	}
}

// TestTableRefuses: what is no answer is not written, and damaged files end in an error.
func TestTableRefuses(t *testing.T) {
	for _, line := range []string{`{"schema":"regraft/eval/1"}`, `[]`, `{"schema":"regraft/classify/1","path":7}`, `{`} {
		if err := NewTable(io.Discard, nil).AddAll(strings.NewReader(line)); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
	var other bytes.Buffer
	if err := parquet.Write(&other, []struct{ Path string }{{"a"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTable(bytes.NewReader(other.Bytes()), int64(other.Len())); err == nil || !strings.Contains(err.Error(), "columns") {
		t.Errorf("other columns: %v", err)
	}
	whole := table(t, lines(t, 5))
	for i := 0; i < len(whole); i += 9 {
		data := bytes.Clone(whole)
		data[i] ^= 1 << (i % 8)
		r, err := OpenTable(bytes.NewReader(data), int64(len(data)))
		for n := 0; err == nil; n++ {
			if _, err = r.Next(); n > 1000 {
				t.Fatalf("byte %d: no end", i)
			}
		}
	}
}
