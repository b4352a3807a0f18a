package regraft_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says which packages of ours a package may import; the order is that of the floors, ground
// up, so that every arrow points to a line further up.
var arrows = []struct{ from, to string }{
	{"engine/random", ""},
	{"engine/kernel/toomcook", ""},
	{"engine/kernel", "engine/kernel/toomcook"},
	{"engine/kernel/gen", "engine/kernel/toomcook"},
	{"engine/op", "engine/kernel engine/random"},
	{"engine/op/optest", "engine/op engine/random"},
	{"engine/solver", "engine/kernel"},
	{"engine", "engine/op"},
	{"engine/plan", "engine engine/op engine/kernel engine/random"},
	{"engine/run", "engine engine/op engine/plan engine/kernel engine/random"},
	{"photo/jpeg", ""},
	{"photo", "photo/jpeg engine/random"},
	{"onnx", "engine engine/op"},
	{"head", "engine engine/op engine/random"},
	{"train", "head engine engine/op engine/solver engine/plan engine/run engine/kernel engine/random photo onnx"},
	{"weights", "onnx engine"},
	{"regraft", "train head engine engine/op engine/solver engine/plan engine/run engine/kernel engine/random photo onnx weights"},
	{"cli", "regraft train photo weights onnx"},
	{"cli/regraft", "cli"},
	{"golden", ""},
}

// confined lists the modules that only some packages may touch.
var confined = map[string]string{
	"github.com/owulveryck/onnx-go": "onnx",
	"github.com/urfave/cli/v2":      "cli",
	"github.com/nfnt/resize":        "photo",
	"gorgonia.org/gorgonia":         "engine engine/op engine/op/optest engine/plan engine/run onnx head",
}

// TestArrows holds ARCHITECTURE.md's table of imports against the code; tests may import more.
func TestArrows(t *testing.T) {
	allowed := map[string][]string{}
	for _, a := range arrows {
		allowed[a.from] = strings.Fields(a.to)
		for _, to := range allowed[a.from] {
			if _, below := allowed[to]; !below {
				t.Errorf("the arrow from %q to %q points up", a.from, to)
			}
		}
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		imports := strings.Fields(line)
		from, _ := ours(imports[0])
		to, known := allowed[from]
		if !known {
			t.Errorf("package %q is missing in the table of arrows", from)
		}
		for _, path := range imports[1:] {
			if own, is := ours(path); is && !slices.Contains(to, own) {
				t.Errorf("%q must not import %q", from, own)
			}
			for module, users := range confined {
				inside := path == module || strings.HasPrefix(path, module+"/")
				if inside && !slices.Contains(strings.Fields(users), from) {
					t.Errorf("%q must not import %s: only %s may", from, path, users)
				}
			}
		}
	}
}

// ours cuts the module's name off the import path of one of our packages, unless it is the root.
func ours(path string) (string, bool) {
	if path == "regraft" {
		return path, true
	}
	return strings.CutPrefix(path, "regraft/")
}
