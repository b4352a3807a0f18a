package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvalReport: eval --report writes a page of the photos that were judged, whatever else it prints, and says at once where it cannot.
func TestEvalReport(t *testing.T) {
	data, out, best := common(t)
	for _, file := range []string{"report.html", "MODEL_CARD.md"} {
		if _, err := os.Stat(filepath.Join(out, file)); err == nil {
			t.Errorf("--no-report leaves %s", file)
		}
	}
	path := filepath.Join(t.TempDir(), "a page.html")
	plain := must(t, "eval", "-m", best, "--data", data, "--json")
	if r := must(t, "eval", "-m", best, "--data", data, "--json", "--report", path); r.stdout != plain.stdout {
		t.Errorf("with a page %s, without %s", r.stdout, plain.stdout)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"of the test photos are right", "&#39;" + path + "&#39;", "test/forest/", "data:image/jpeg;base64,"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	wrong{"the model", []string{"eval", "-m", best, "--data", data, "--report", best}, statusUsage, "must end in .html"}.check(t, "")
	check := []string{"check", data, "--report", path}
	must(t, check...) // it replaces a page
	if page, err = os.ReadFile(path); err != nil || !strings.Contains(string(page), " classes</h1>") {
		t.Errorf("the page of check: %v", err)
	}
	const thesis = "<!DOCTYPE html><p>My thesis"
	write(t, path, []byte(thesis))
	wrong{"eval", []string{"eval", "-m", best, "--data", data, "--report", path}, statusUsage, "is no page of regraft"}.check(t, "")
	wrong{"check", check, statusUsage, "is no page of regraft"}.check(t, "")
	if page, err = os.ReadFile(path); err != nil || string(page) != thesis {
		t.Errorf("the file is now %q, %v", page, err)
	}
	wrong{"no folder", []string{"eval", "-m", best, "--data", data, "--report", filepath.Join(out, "none", "page.html")}, statusFailed, "--report"}.check(t, "")
}
