// Command regraft fine-tunes and runs image classifiers that come as ONNX files, on the CPU.
package main

import (
	"os"
	"runtime/debug"

	"regraft/cli"
)

func main() {
	// Weights and activations lie outside the Go heap. Collecting what little is on it less often saves some of the time to
	// the first answer and costs a few MiB.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
