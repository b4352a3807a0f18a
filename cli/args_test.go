package cli

import (
	"slices"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v2"
)

func TestReorder(t *testing.T) {
	app := newApp(newConsole(nil, nil, nil))
	for _, c := range []struct{ in, want string }{
		{"classify a.jpg --model m.onnx b.jpg", "classify --model m.onnx -- a.jpg b.jpg"},
		{"classify -m m.onnx -k 3 -", "classify -m m.onnx -k 3 -- -"},
		{"--model m.onnx classify a.jpg", "classify --model m.onnx -- a.jpg"},
		{"classify --model=m.onnx --logits a.jpg", "classify --model=m.onnx --logits -- a.jpg"},
		{"classify --model m -- --odd.jpg -x", "classify --model m -- --odd.jpg -x"},
		{"classify --features a.jpg", "classify --features -- a.jpg"},
		{"train --features a.parquet", "train --features a.parquet"},
		{"bench --json infer m.onnx -b 8", "bench infer --json -b 8 -- m.onnx"},
		{"train --mean -1,0,0 --data d", "train --mean -1,0,0 --data d"},
		{"predict --threshold 0.5 x", "predict --threshold 0.5 -- x"},
		{"inspect m.onnx --unknown x", "inspect --unknown -- m.onnx x"},
		{"classify classify --model m", "classify --model m -- classify"},
		{"train --model", "train --model"},
		{"--help", "--help"},
		{"", ""},
	} {
		got, err := reorder(app, strings.Fields(c.in))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q becomes %q (%v), want %q", c.in, strings.Join(got, " "), err, c.want)
		}
	}
}

// TestFlagNames: a flag is a switch in all commands or in none, else it could not stand before the command; but for --features, of which
// classify adds to its answers and train reads files.
func TestFlagNames(t *testing.T) {
	app := newApp(newConsole(nil, nil, nil))
	with := map[string]bool{}
	for _, c := range app.Commands {
		for name, value := range flagsWithValue([]*urfave.Command{c}) {
			with[name] = with[name] || value && name != "features"
		}
	}
	commands := app.Commands
	for _, c := range app.Commands {
		commands = append(slices.Clip(commands), c.Subcommands...)
	}
	for _, c := range commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				if d := f.(urfave.DocGenerationFlag); !d.TakesValue() && with[name] {
					t.Errorf("--%s of %s is a switch, but takes a value elsewhere", name, c.Name)
				}
			}
		}
	}
}
