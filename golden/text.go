package golden

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the texts that tests compare with")

// Text compares a text with the file at path, line by line, and says where it begins to differ. With -update it writes the file.
func Text(tb testing.TB, path, got string) {
	tb.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			tb.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if difference := firstDifference(got, string(data)); difference != "" {
		tb.Errorf("%s, %s\n(-update writes what there is now)", path, difference)
	}
}

// firstDifference is the first line in which texts differ; "" where they do not.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		is, was := "the end", "the end"
		if i < len(g) {
			is = g[i]
		}
		if i < len(w) {
			was = w[i]
		}
		if is != was || i >= len(g) || i >= len(w) {
			return fmt.Sprintf("line %d: there is\n%s\nand not\n%s", i+1, is, was)
		}
	}
	return ""
}
