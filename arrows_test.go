package regraft_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// confined lists the modules that only some packages may touch.
var confined = map[string]string{
	"github.com/owulveryck/onnx-go": "onnx",
	"github.com/urfave/cli/v2":      "cli",
	"github.com/nfnt/resize":        "photo",
	"gorgonia.org/gorgonia":         "engine engine/op engine/op/optest engine/plan engine/run onnx head",
}

// arrows reads ARCHITECTURE.md's table of packages: which of our packages each may import.
func arrows(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| imports of ours |")
	table, _, _ = strings.Cut(table, "\n\n")
	allowed, name := map[string][]string{}, regexp.MustCompile("`([^`]+)`")
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(row, "|")
		from := strings.Trim(cells[1], " `")
		allowed[from] = nil
		for _, match := range name.FindAllStringSubmatch(cells[3], -1) {
			to := match[1]
			if _, below := allowed[to]; !below || to == from {
				t.Errorf("the arrow from %s to %s points up", from, to)
			}
			allowed[from] = append(allowed[from], to)
		}
	}
	return allowed
}

// TestArrows compares the imports of all packages, without their tests, with the table.
func TestArrows(t *testing.T) {
	allowed := arrows(t)
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		imports := strings.Fields(line)
		from, _ := ours(imports[0])
		to, known := allowed[from]
		if !known {
			t.Errorf("package %s is missing in ARCHITECTURE.md", from)
		}
		for _, path := range imports[1:] {
			if own, is := ours(path); is && !slices.Contains(to, own) {
				t.Errorf("%s must not import %s", from, own)
			}
			for module, users := range confined {
				inside := path == module || strings.HasPrefix(path, module+"/")
				if inside && !slices.Contains(strings.Fields(users), from) {
					t.Errorf("%s must not import %s: only %s may", from, path, users)
				}
			}
		}
		delete(allowed, from)
	}
	for from := range allowed {
		t.Errorf("ARCHITECTURE.md lists %s, which does not exist", from)
	}
}

// ours cuts the module's name off the import path of one of our packages, unless it is the root.
func ours(path string) (string, bool) {
	if path == "regraft" {
		return path, true
	}
	return strings.CutPrefix(path, "regraft/")
}
