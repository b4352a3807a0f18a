//go:build !amd64 || noasm

package kernel

var transposeKernel = transposeGo
