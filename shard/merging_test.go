package shard

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/answer"
	"regraft/golden"
	"regraft/journal"
)

// TestMain keeps files in memory: marks are flushed.
func TestMain(m *testing.M) {
	golden.InMemory()
	os.Exit(m.Run())
}

// leave writes what shard i of n leaves: answers for these of four inputs, one of them without a class, and their mark.
func leave(t *testing.T, dir string, i, n int, ending, text string, places ...int) string {
	t.Helper()
	var content bytes.Buffer
	sum := journal.NewSum(&content)
	if ending == ".parquet" {
		table := answer.NewTable(sum, nil)
		if err := table.AddAll(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		sum.Write([]byte(text))
	}
	s := Shard{i, n}
	path := filepath.Join(dir, s.Part(ending))
	m := journal.Mark{
		Origin: journal.Origin{Inputs: 4, Shard: s.String()}, Gaps: journal.GapsOf(places),
		Progress: journal.Progress{Answered: len(places), Failed: min(1, len(places)), Bytes: sum.Bytes(), Hash: sum.Hash()},
	}
	if err := m.Write(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// line is an answer for a path.
func line(t *testing.T, path string) string {
	t.Helper()
	a := answer.Answer{Schema: answer.Schema, Path: path, Top: []answer.Prediction{}}
	text, err := a.Line()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMerge: answers of all formats come in the order of the inputs, behind the heading of tables.
func TestMerge(t *testing.T) {
	const heading = "path,rank,label\n"
	a, b, c, d := line(t, "a"), line(t, "b"), line(t, "c"), line(t, "d")
	for _, f := range []struct {
		ending, first, second string
		want                  []string
	}{
		{".jsonl", "a\nd\n", "b\nc\n", []string{"a\n", "b\n", "c\n", "d\n"}},
		{".csv", heading + "a,1,x\na,2,y\nd,,\n", heading + "b,1,x\nc,1,x\n", []string{heading, "a,1,x\na,2,y\n", "b,1,x\n", "c,1,x\n", "d,,\n"}},
		{".parquet", a + d, b + c, []string{a, b, c, d}},
	} {
		dir := t.TempDir()
		leave(t, dir, 0, 2, f.ending, f.first, 0, 3)
		leave(t, dir, 1, 2, f.ending, f.second, 1, 2)
		parts, err := Find([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		answered, failed, err := Merge(parts, func(answer []byte) error { got = append(got, string(answer)); return nil })
		if err != nil || answered != 4 || failed != 2 || !slices.Equal(got, f.want) {
			t.Errorf("%s: %d answers, %d failed, %v: %q", f.ending, answered, failed, err, got)
		}
		full := errors.New("full")
		for n := range f.want { // wherever writing ends
			left := n
			_, _, err := Merge(parts, func([]byte) error {
				if left--; left < 0 {
					return full
				}
				return nil
			})
			if err != full {
				t.Errorf("%s: answer %d cannot be written: %v", f.ending, n, err)
			}
		}
	}
}

// TestMergeRefuses: parts that are not what their marks say, and parts that do not belong together, are named.
func TestMergeRefuses(t *testing.T) {
	const heading = "path,rank,label\n"
	for _, c := range []struct {
		ending, first, second string
		spoil                 func(path string) error // the second
		says                  string
	}{
		{".jsonl", "a\nd\n", "b\n", nil, "part-0001-of-0002.jsonl: it has fewer answers than its mark says"},
		{".jsonl", "a\nd\n", "b\nc\ne\n", nil, "part-0001-of-0002.jsonl: it has more answers than its mark says"},
		{".jsonl", "a\nd\n", "b\nc", nil, "part-0001-of-0002.jsonl: its last line has no end"},
		{".jsonl", "a\nd\n", "b\nc\n", func(path string) error { return os.WriteFile(path, []byte("b\nC\n"), 0o666) }, "part-0001-of-0002.jsonl: it has been changed"},
		{".jsonl", "a\nd\n", "b\nc\n", os.Remove, "part-0001-of-0002.jsonl"},
		{".csv", heading + "a,1,x\nd,1,x\n", "path,rank\nb,1\nc,1\n", nil, "part-0001-of-0002.csv has other columns than"},
		{".csv", heading + "a,1,x\nd,1,x\n", "", nil, "part-0001-of-0002.csv"},
		{".csv", heading + "a,1,x\nd,1,x\n", heading + "b,1,x\n", nil, "part-0001-of-0002.csv: it has fewer answers"},
		{".csv", heading + "a,1,x\nd,1,x\n", heading + "b,1,x\nc\n", nil, "part-0001-of-0002.csv: a row is damaged"},
		{".parquet", line(t, "a") + line(t, "d"), line(t, "b") + line(t, "c"), func(path string) error { return os.WriteFile(path, []byte("PAR1"), 0o666) }, "part-0001-of-0002.parquet: it has been changed"},
		{".parquet", line(t, "a") + line(t, "d"), line(t, "b"), nil, "part-0001-of-0002.parquet: it has fewer answers"},
	} {
		dir := t.TempDir()
		leave(t, dir, 0, 2, c.ending, c.first, 0, 3)
		second := leave(t, dir, 1, 2, c.ending, c.second, 1, 2)
		parts, err := Find([]string{dir})
		if err == nil && c.spoil != nil {
			err = c.spoil(second)
		}
		if err != nil {
			t.Fatal(err)
		}
		answered, failed, err := Merge(parts, func([]byte) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.says) || answered != 0 || failed != 0 {
			t.Errorf("%s %q: %d answers, %v, want %q", c.ending, c.second, answered, err, c.says)
		}
	}
}

// TestFindRefuses: paths that are no parts, and parts that are unfinished, are all named.
func TestFindRefuses(t *testing.T) {
	dir, empty := t.TempDir(), t.TempDir()
	finished := leave(t, dir, 0, 3, ".jsonl", "a\n", 0)
	begun := leave(t, dir, 1, 3, ".jsonl", "b\n", 1)
	unmarked := leave(t, dir, 2, 3, ".jsonl", "c\n", 2)
	damaged := leave(t, empty, 2, 3, ".jsonl", "c\n", 2)
	for _, err := range []error{
		os.WriteFile(begun+".journal", nil, 0o666), os.Remove(journal.MarkOf(unmarked)), os.WriteFile(journal.MarkOf(damaged), []byte("{}"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		paths []string
		says  []string
	}{
		{[]string{filepath.Join(dir, "none")}, []string{"none"}},
		{[]string{t.TempDir()}, []string{"holds no parts (part-0003-of-0010.jsonl)"}},
		{[]string{finished, finished}, []string{"missing: 1/3, 2/3"}}, // once, though it is named twice
		{[]string{dir, damaged}, []string{begun + " is unfinished", unmarked + " has no mark of completion (part-0002-of-0003.jsonl.done)", damaged + ".done: not a mark"}},
	} {
		parts, err := Find(c.paths)
		for _, says := range c.says {
			if err == nil || !strings.Contains(err.Error(), says) || parts != nil {
				t.Errorf("%v: %v, want %q", c.paths, err, says)
			}
		}
	}
	var many []Part
	for i := range 2 {
		p, err := PartWith(fmt.Sprint(i), journal.Origin{Shard: fmt.Sprintf("%d/30", i)})
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, p)
	}
	if err := Complete(many); err == nil || !strings.HasSuffix(err.Error(), "20/30, 21/30 and 8 more") || !strings.HasPrefix(err.Error(), "missing: 2/30, ") {
		t.Errorf("%v", err)
	}
	if err := Complete(nil); err != nil {
		t.Error(err)
	}
	if _, err := PartWith("x.parquet", journal.Origin{Shard: "3/3"}); err == nil || !strings.HasPrefix(err.Error(), "x.parquet: shard ") {
		t.Errorf("%v", err)
	}
}
