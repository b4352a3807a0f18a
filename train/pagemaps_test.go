package train

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"regraft/featurecache"
)

// overlays are the heat maps of a run's page.
var overlays = regexp.MustCompile(`class="overlay" src="(data:image/png;base64,[^"]+)"`)

// TestPageMaps: the photos that a page begins with have maps, the same ones from the cache.
func TestPageMaps(t *testing.T) {
	data, cache := photos(t, map[string]int{"train": 8, "test": 4}), featurecache.Open(t.TempDir(), featurecache.DefaultLimit)
	var pages [][][]byte
	for range 2 {
		c := narrowRun(t, Heads, data)
		c.Cache, c.NoReport = cache, false
		fit(t, c)
		html, err := os.ReadFile(filepath.Join(c.Out, PageFile))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, overlays.FindAll(html, -1))
	}
	if len(pages[0]) == 0 || len(pages[0]) != len(pages[1]) {
		t.Fatalf("%d and %d maps", len(pages[0]), len(pages[1]))
	}
	for i := range pages[0] {
		if string(pages[0][i]) != string(pages[1][i]) {
			t.Errorf("map %d is another one from the cache", i)
		}
	}
}
