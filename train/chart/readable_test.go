package chart

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// onlyFonts makes a folder the only one with fonts, and puts files of testdata there.
func onlyFonts(t *testing.T, names ...string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the folders of fonts cannot be chosen here")
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_DATA_HOME", dir)
	t.Setenv("XDG_DATA_DIRS", dir)
	if err := os.Mkdir(filepath.Join(dir, "fonts"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "fonts", name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadable: what no font has is escaped, accents belong to their letters, Hebrew runs from the right.
func TestReadable(t *testing.T) {
	onlyFonts(t)
	for text, want := range map[string]string{
		"naïve Ελλ Ки": "naïve Ελλ Ки", "cafe\u0301": "café", "日本": `\u65e5\u672c`, "a\x1b[31m\n": `a\x1b[31m\n`, "عر": `\u0639\u0631`,
		"😀!": `\U0001f600!`, "": "", "\u202e": `\u202e`, "caf\xe9": "caf\ufffd",
	} {
		face, err := newTypeface(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := face.readable(text); got != want {
			t.Errorf("%q: %q instead of %q", text, got, want)
		}
		if strings.ContainsFunc(face.readable(text), func(r rune) bool { return face.glyph(r).index == 0 }) {
			t.Errorf("%q would have a box", text)
		}
	}
	for text, want := range map[string]string{"אב": "בא", "x אב ג y": "x ג בא y", "אב x1": "x1 בא"} {
		if got := visual(text); got != want {
			t.Errorf("%q is drawn as %q instead of %q", text, got, want)
		}
	}
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	if long := face.readable(strings.Repeat("日", 100_000)); len(long) > 5000 {
		t.Errorf("a long name became %d bytes", len(long))
	}
}

// TestArabic: letters take the shape of their place in the word. The right shapes are those that decompose to the letter as <isolated>,
// <final>, <initial> or <medial> in UnicodeData.txt.
func TestArabic(t *testing.T) {
	for text, want := range map[string]string{
		"ب": "\ufe8f", "بب": "\ufe91\ufe90", "ببب": "\ufe91\ufe92\ufe90", "دب": "\ufea9\ufe8f", "عربي": "\ufecb\ufeae\ufe91\ufef2",
		"سلام": "\ufeb3\ufefc\ufee1", "لا": "\ufefb", "بَب": "\ufe91\u064e\ufe90", "پژگ": "\ufb58\ufb8b\ufb92", "ب ب": "\ufe8f \ufe8f", "ءب": "\ufe80\ufe8f",
		"cat": "cat", "": "", "ي": "\ufef1", "ىي": "\ufeef\ufef1", "سماء": "\ufeb3\ufee4\ufe8e\ufe80",
	} {
		if got := joined(text); got != want {
			t.Errorf("%q: %+q instead of %+q", text, got, want)
		}
	}
	for letter, form := range arabicForms { // every block stands where Unicode has it
		for i := range form.shapes {
			if back := norm.NFKC.String(string(form.alone + rune(i))); back != string(letter) {
				t.Errorf("shape %d of %q is one of %q", i, letter, back)
			}
		}
		if back := norm.NFKC.String(string(form.alone + rune(form.shapes))); back == string(letter) {
			t.Errorf("%q has more than %d shapes", letter, form.shapes)
		}
	}
	for alef, ligature := range lamAlef {
		if back := norm.NFKC.String(string(ligature)); back != "ل"+string(alef) {
			t.Errorf("%q is %q", ligature, back)
		}
	}
}

// TestBorrowedFont draws characters from a font of the computer, here one that has two triangles for them.
func TestBorrowedFont(t *testing.T) {
	onlyFonts(t, "triangles.ttf")
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "fonts", "broken.ttf"), []byte("no font"), 0o644); err != nil {
		t.Fatal(err)
	}
	face, err := newTypeface("日本語")
	if err != nil {
		t.Fatal(err)
	}
	defer face.close()
	if got := face.readable("日本語"); got != `日本\u8a9e` {
		t.Errorf("%q", got)
	}
	up, down := face.outline("日", 100), face.outline("本", 100)
	if len(up) != 4 || up[0].Args[0].X != 10<<6 || up[1].Args[0].Y != -80<<6 || down[1].Args[0].Y != 0 { // 1000 units an em
		t.Errorf("outlines %v and %v", up, down)
	}
	if got := face.width("日a", 100) - face.width("a", 100); got != 100 {
		t.Errorf("a width of %d", got)
	}
	var b bytes.Buffer
	m := HeatMap{Title: "日", Labels: []string{"日", "本"}, Counts: [][]int{{1, 0}, {0, 1}}}
	if err := m.Write(&b); err != nil {
		t.Error(err)
	}
}

// TestLabels: names that differ at their ends or in their middle only stay distinct.
func TestLabels(t *testing.T) {
	onlyFonts(t)
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	x := strings.Repeat("x", 200)
	labels := []string{x + "1", x + "2", "1" + x, "2" + x, x + "1" + x, x + "2" + x, "caf\u00e9", "cafe\u0301", "short"}
	names := HeatMap{Labels: labels}.names(face, labelSize)
	for i, n := range names {
		if w := face.width(n, labelSize); w > longest+face.width("99 ", labelSize) {
			t.Errorf("%q is %d pixels wide", n, w)
		}
		if slices.Index(names, n) != i {
			t.Errorf("%q stands for two classes", n)
		}
	}
	if names[8] != "short" || names[6] != "7 café" || !strings.HasSuffix(names[0], "x1") || !strings.HasPrefix(names[4], "5 ") {
		t.Errorf("%q", names)
	}
	for width := range 200 {
		if got := face.pinch("abcdefghijkl", labelSize, width); face.width(got, labelSize) > max(width, face.width(ellipsis, labelSize)) {
			t.Errorf("%q does not fit %d pixels", got, width)
		}
	}
}

// TestLines: every cell of a matrix up to some hundred classes has an edge, beyond it every ten.
func TestLines(t *testing.T) {
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	for n, every := range map[int]int{2: 1, 30: 1, 200: 1, 1000: 10} {
		m := HeatMap{Labels: slices.Repeat([]string{"x"}, n), Counts: make([][]int, n)}
		for i := range m.Counts {
			m.Counts[i] = make([]int, n)
			m.Counts[i][i] = 1
		}
		g := m.layout(face)
		p := newCanvas(g.plot.Max.X, g.plot.Max.Y, face)
		g.lines(p)
		m.shade(p, g)
		for i := 0; i < n-1; i++ {
			corner := g.cell(0, i).Max
			got := rgba(p.At(corner.X-1, g.cell(n-1, i).Min.Y)) // in a row where only the last cell is full
			if lined := got != white; lined != ((i+1)%every == 0) {
				t.Fatalf("%d classes, column %d: %v", n, i, got)
			}
		}
	}
}
