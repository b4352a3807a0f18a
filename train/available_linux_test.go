package train

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLeftOfGroup: what is kept of files is not in the way, in both versions of control groups; a full group has next to nothing left, and
// no limit is none.
func TestLeftOfGroup(t *testing.T) {
	for want, files := range map[int64]map[string]string{
		700: {"memory.max": "1000\n", "memory.current": "900\n", "memory.stat": "anon 200\ninactive_anon 1\ninactive_file 600\nactive_file 100\n"},
		300: {"memory/memory.limit_in_bytes": "1000\n", "memory/memory.usage_in_bytes": "900\n", "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 200\n"},
		100: {"memory.max": "1000\n", "memory.current": "900\n"},
		1:   {"memory.max": "1000\n", "memory.current": "1000\n", "memory.stat": "inactive_file 0\n"},
		0:   {"memory.max": "max\n", "memory.current": "900\n", "memory.stat": "inactive_file 1\n"},
	} {
		root := t.TempDir()
		for name, text := range files {
			path := filepath.Join(root, name)
			must(t, os.MkdirAll(filepath.Dir(path), 0o777))
			must(t, os.WriteFile(path, []byte(text), 0o666))
		}
		if got := leftOfGroup(root); got != want {
			t.Errorf("%v leave %d, want %d", files, got, want)
		}
	}
	if n := available(); n < 1<<20 {
		t.Errorf("%d bytes are free here", n)
	}
}
