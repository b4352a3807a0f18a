// Package asm is the kernels: what computes on a tile, a plane, a run of pixels, given by addresses (package abi). Most are generated: plain
// Go (NAME_gen.go), assembly and its Go declarations (NAME_amd64.s, NAME_arm64.s, and .go). A Set holds those of an instruction set. Package
// kernel makes primitives of them, which know shapes and layouts.
package asm

//go:generate go run ./gen
