package train

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/photo"
)

// wordsOf is what a page or a card says: without pictures and markup, a line for each block, with # for every number and hash, so that
// what is computed may change.
func wordsOf(text string, folders ...string) string {
	for _, pattern := range []string{`(?s)<(style|script|svg)\b.*?</(style|script|svg)>`, `</?(span|b|bdi|i|em|strong|a|code|output|label|input)\b[^>]*>`} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, "")
	}
	text = html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, "\n"))
	for _, f := range folders {
		text = strings.ReplaceAll(text, f, "DIR")
	}
	text = regexp.MustCompile(`\b[0-9a-f]{64}\b`).ReplaceAllString(text, "#")
	text = regexp.MustCompile(`[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?`).ReplaceAllString(text, "#")
	text = regexp.MustCompile(`[ \t\x{a0}]+`).ReplaceAllString(text, " ")
	return strings.TrimSpace(regexp.MustCompile(`\s*\n\s*`).ReplaceAllString(text, "\n")) + "\n"
}

// TestPageWords: what the pages and cards of runs, of a check and of their like say, word by word. -update writes testdata.
func TestPageWords(t *testing.T) {
	data := photos(t, map[string]int{"train": 12, "test": 2})
	same, err := os.ReadFile(filepath.Join(data, "train", "down", "000.png"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(data, "test", "down", "again.png"), same, 0o666))
	for name, mode := range map[string]Mode{"heads": Heads, "full": Full} {
		c := small(t, mode, data)
		c.Model, c.Command, c.Precision, c.Seed = "old.onnx", "regraft train", 0, 3
		r := fit(t, c)
		for _, file := range []string{PageFile, CardFile} {
			golden.Text(t, filepath.Join("testdata", name+"."+strings.TrimSuffix(file, filepath.Ext(file))+".txt"), wordsOf(string(read(t, c.Out, file)), filepath.Dir(filepath.Dir(r.Model)), data))
		}
	}
	report, err := photo.Check(t.Context(), data, photo.CheckOptions{Scan: photo.ScanOptions{Whole: true}})
	must(t, err)
	checked := Checked{Report: report, Command: "regraft check", Model: "old.onnx", Doubts: []LabelDoubt{{photo.Text(filepath.Join(data, "train", "plain", "001.png")), "plain", "down", 0.75}}}
	path := filepath.Join(t.TempDir(), "page.html")
	must(t, checked.WritePage(t.Context(), path, Silent{}))
	page, err := os.ReadFile(path)
	must(t, err)
	golden.Text(t, "testdata/checked.report.txt", wordsOf(string(page), data))
}
