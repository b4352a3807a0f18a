package onnx

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"regraft/golden"
)

// TestHostile reads broken and malicious files: each gives an error that says what is wrong, in bounded memory.
func TestHostile(t *testing.T) {
	folder := filepath.Join(golden.Dir(t), "fixtures", "hostile")
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Cases []struct {
			File     string
			Mentions []string `json:"mentions_any"`
			RSS      uint64   `json:"max_rss_mb"`
		}
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, c := range manifest.Cases {
		t.Run(c.File, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			net, _, err := Read(filepath.Join(folder, c.File), ReadOptions{})
			runtime.ReadMemStats(&after)
			if err == nil || net != nil {
				t.Fatal("no error")
			}
			t.Log(err)
			message := strings.ToLower(err.Error())
			if !strings.Contains(message, c.File) {
				t.Error("the message does not name the file")
			}
			message = strings.ReplaceAll(message, c.File, "")
			found := false
			for _, word := range c.Mentions {
				found = found || strings.Contains(message, strings.ToLower(word))
			}
			if !found {
				t.Errorf("the message mentions none of %v", c.Mentions)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > c.RSS<<20 {
				t.Errorf("%d MiB were allocated, want at most %d", allocated>>20, c.RSS)
			}
		})
	}
}
