package golden

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// pythonVariable names the Python that tests compare with.
const pythonVariable = "REGRAFT_PYTHON"

// Python is REGRAFT_PYTHON, or else python3. The test is skipped where that cannot run the code of needs, say "import torch", and says
// why; a REGRAFT_PYTHON that does not run at all is an error.
func Python(tb testing.TB, needs string) string {
	tb.Helper()
	path := os.Getenv(pythonVariable)
	given := path != ""
	if !given {
		path = "python3"
	}
	out, err := exec.Command(path, "-c", needs).CombinedOutput()
	exited := (*exec.ExitError)(nil)
	switch lines := strings.Split(strings.TrimSpace(string(out)), "\n"); {
	case err == nil:
	case given && !errors.As(err, &exited):
		tb.Fatalf("%s: %v", pythonVariable, err)
	default:
		tb.Skipf("needs a Python for %q, say %s=/path/to/python (%v: %s)", needs, pythonVariable, err, lines[len(lines)-1])
	}
	return path
}
