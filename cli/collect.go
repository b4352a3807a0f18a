package cli

import (
	"os"
	"runtime/debug"
)

// collectOften lets the heap grow to twice what is live, and not five times as the program begins with, which is too much where much is
// live. What GOGC says stays.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100)
	}
}
