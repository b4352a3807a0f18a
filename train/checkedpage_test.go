package train

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regraft/photo"
	"regraft/train/page"
)

// TestCheckedPage: the page of a folder shows what is wrong with its photos, with their pictures, whatever their names, and the labels
// that look wrong where a model was asked.
func TestCheckedPage(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "test": 2})
	at := func(name string) string { return filepath.Join(data, filepath.FromSlash(name)) }
	same, err := os.ReadFile(at("train/across/000.png"))
	must(t, err)
	const hostile = "<b>\xff ü.png"
	must(t, os.WriteFile(at("test/across/"+hostile), same, 0o600))
	must(t, os.WriteFile(at("train/down/000.png"), same, 0o600))
	must(t, os.WriteFile(at("train/plain/broken.png"), []byte("no photo"), 0o600))
	r, err := photo.Check(t.Context(), data, photo.CheckOptions{Scan: photo.ScanOptions{Whole: true}})
	must(t, err)
	file := filepath.Join(t.TempDir(), "page.html")
	c := Checked{Report: r, Command: "regraft check " + data}
	counts := []page.Count{{Class: "across", Photos: []int{4, 3}}, {Class: "down", Photos: []int{4, 2}}, {Class: "plain", Photos: []int{5, 2}}}
	if m := c.page(); !slices.Equal(m.Parts, []string{"train", "test"}) || !reflect.DeepEqual(m.Counts, counts) {
		t.Errorf("%q have %v, want %v", m.Parts, m.Counts, counts)
	}
	must(t, c.WritePage(t.Context(), file, Silent{}))
	html, d := readPage(t, file)
	for _, want := range []string{
		"20 photos of 3 classes", "The same photo in train and in val or test", "The same photo under different classes", `&lt;b&gt;\xff ü.png`, "broken.png: ",
		"that takes a model", "a side below 64 pixels",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if pictures := strings.Count(html, "data:image/jpeg;base64,"); pictures == 0 || len(d.Photos) == 0 || len(d.Outcomes) > 0 && d.Judged != 0 {
		t.Errorf("%d pictures of %d photos, %d judged", pictures, len(d.Photos), d.Judged)
	}
	c.Model = "model.onnx"
	c.Doubts = []LabelDoubt{
		{photo.Text(at("train/down/001.png")), "down", "plain", 0.9}, {photo.Text(at("train/plain/001.png")), "plain", "plain", 0.1},
	}
	must(t, c.WritePage(t.Context(), file, Silent{}))
	if html, _ := readPage(t, file); !strings.Contains(html, "rather plain") || !strings.Contains(html, "1 of 2, by classifiers on the features of model.onnx") {
		t.Error("the page lacks the label that looks wrong")
	}
	if ours, err := IsPage(file); err != nil || !ours {
		t.Errorf("the page is none: %v", err)
	}
}
