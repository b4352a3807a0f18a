// Package kernel is arithmetic on memory: convolutions and their gradients, pooling, normalisation and elementwise work on blocked
// float32 activations, each as a Primitive that any number of threads can share. It knows no graph. README.md explains the scheme.
package kernel

//go:generate go run ./gen
