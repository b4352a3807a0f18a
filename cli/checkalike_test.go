package cli

import (
	"context"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regraft/scene"
)

// TestStrict: photos that lie in train and in test, as they are or compressed again, are told, and with --strict an error.
func TestStrict(t *testing.T) {
	data := t.TempDir()
	for _, part := range []struct {
		name     string
		from, to int
	}{{"train", 0, 3}, {"test", 3, 4}} {
		if err := scene.Write(context.Background(), filepath.Join(data, part.name), scene.Places()[:2], 1, part.from, part.to); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "check", data, "--strict")
	class := scene.Places()[0].Name
	files, _ := filepath.Glob(filepath.Join(data, "train", class, "*"))
	bytes, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(data, "test", class, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("near.jpg", append(bytes, 0)) // a byte behind the end of the picture
	if r := must(t, "check", data); !strings.Contains(r.stdout, "look the same in train and in val or test: "+files[0]+" ") {
		t.Errorf("no word of it:\n%s", r.stdout)
	}
	refused := func(says string) {
		if r := run(t, "check", data, "--strict"); r.status != statusData || !strings.Contains(r.stderr, says+files[0]) {
			t.Errorf("status %d: %s", r.status, r.stderr)
		}
	}
	refused("look the same: ")
	put("same.jpg", bytes)
	refused("the same photo: ")
	var black strings.Builder
	if err := png.Encode(&black, image.NewGray(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	put("black.png", []byte(black.String()))
	var j struct {
		NearLeaks [][]string `json:"near_leaks"`
		Odd       []struct{ Path, Why string }
	}
	if err := json.Unmarshal([]byte(must(t, "check", data, "--json").stdout), &j); err != nil {
		t.Fatal(err)
	}
	if len(j.NearLeaks) != 1 || len(j.NearLeaks[0]) != 3 || len(j.Odd) != 1 || j.Odd[0].Why != "nearly black" {
		t.Errorf("%+v", j)
	}
}
