package golden

import (
	"os"
	"os/exec"
	"testing"
)

// Alone runs a test in a process of its own, so that nothing else sees its limits; in that process it returns false. The test is
//
//	if golden.Alone(t) {
//		return
//	}
//
// and what follows.
func Alone(t *testing.T) bool {
	t.Helper()
	const variable = "REGRAFT_TEST_ALONE"
	if os.Getenv(variable) == t.Name() {
		return false
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), variable+"="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return true
}
