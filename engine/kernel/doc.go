// Package kernel is arithmetic on memory: convolutions and their gradients, pooling, normalisation and elementwise work on blocked
// float32 activations, each as a Primitive that any number of threads can share. It knows no graph. README.md explains the scheme.
//
// A primitive gives the same bits on every instruction set, in every order of its items and for an image alone and in a batch.
package kernel
