//go:build !unix

package onnx

import (
	"io"
	"os"
)

// mapFile reads a file where mapping is not available.
func mapFile(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(f, data)
	return data, err
}

// release has nothing to give back where files are read.
func release([]byte) {}
