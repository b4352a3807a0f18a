// Command regraft fine-tunes and runs image classifiers that come as ONNX files, on the CPU.
package main

import (
	"os"

	"regraft/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
