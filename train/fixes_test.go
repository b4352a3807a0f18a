package train

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestReadFixes: columns by name, paths below the data's folder or with it in front, and what cannot be meant is refused.
func TestReadFixes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixes.csv")
	read := func(text string) (map[string]string, error) {
		must(t, os.WriteFile(file, []byte(text), 0o666))
		return ReadFixes(file, "data")
	}
	got, err := read("\ufeffwas,label,path\nx,a,train/b/1.jpg\nx,,data/train/b/2.jpg\n\"x\",\"b,c\",train/b/3.jpg\n")
	want := map[string]string{"train/b/1.jpg": "a", "train/b/2.jpg": "", "train/b/3.jpg": "b,c"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for text, says := range map[string]string{
		"":                            "no CSV",
		"path,class\nx,y\n":           "no column label",
		"path,label\nx,a\ndata/x,b\n": "line 3 names x a second time",
		"path,label\nx\n":             "wrong number of fields",
		"path,label\n\"x,a\n":         "fixes.csv",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v does not say %q", text, err, says)
		}
	}
	if _, err := ReadFixes(file+"x", "data"); err == nil {
		t.Error("a file that is not there is read")
	}
	var b bytes.Buffer
	must(t, WriteFixes(&b, "data", []LabelDoubt{
		{"data/train/b/1.jpg", "b", "a", 0.96}, {"data/train/b/4.jpg", "b", "b", 0.8}, {"data/train/b/5.jpg", "b", "a", 0.4}, {"data/train/b/3.jpg", "b", "b,c", 0.7},
	}))
	if got, err := read(b.String()); err != nil || !reflect.DeepEqual(got, map[string]string{"train/b/1.jpg": "a", "train/b/3.jpg": "b"}) {
		t.Errorf("%v, %v of %s", got, err, b.String())
	}
}

// TestLabels: photos get the labels that are given, or are left out, and the run records that; others are refused.
func TestLabels(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "val": 2})
	c := narrowRun(t, Heads, data)
	s, err := scan(&c)
	must(t, err)
	name := func(i int) string { return relative(data, s.Train[i].Path) }
	c.Labels = map[string]string{name(0): s.classes[1], name(1): "", name(2): s.classes[0]}
	fixed, err := scan(&c)
	must(t, err)
	if len(fixed.Train) != len(s.Train)-1 || fixed.Train[0].Label != 1 || fixed.Train[1].Label != 0 || fixed.relabelled != 1 || fixed.unlabelled != 1 {
		t.Errorf("%d photos, %d and %d", len(fixed.Train), fixed.relabelled, fixed.unlabelled)
	}
	if fixed.identity(data) == s.identity(data) {
		t.Error("the photos are the same as before to a run that is resumed")
	}
	if text, err := c.MarshalJSON(); err != nil || !strings.Contains(string(text), `"labels":{"`+name(0)+`":"`+s.classes[1]+`"`) {
		t.Errorf("%v: %s", err, text)
	}
	for says, labels := range map[string]map[string]string{
		"1 of 2 photos is not in":     {"nowhere.jpg": s.classes[0], name(0): s.classes[0]},
		"1 label is no class":         {name(0): "nothing"},
		"leaves no photo to train cl": {name(0): "", name(1): "", name(2): "", name(3): ""},
	} {
		c.Labels = labels
		if _, err := scan(&c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}
