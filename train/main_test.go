package train

import (
	"os"
	"testing"

	"regraft/golden"
)

func TestMain(m *testing.M) {
	golden.InMemory()
	os.Exit(m.Run())
}
