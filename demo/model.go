// Package demo is what regraft demo shows: photos that scene renders, a small pretrained model that
// is part of the program, and the steps of a training on them.
package demo

import (
	_ "embed"

	"regraft/engine"
	"regraft/onnx"
	"regraft/weights"
)

// file is regraft-mini: made by scripts/pretrain_mini.sh.
//
//go:embed regraft-mini.onnx
var file []byte

// Of regraft-mini: torchvision's Inception-v3 with every number of channels divided, auxiliary head
// included, for smaller photos.
const (
	arch    = "inception_v3"
	divisor = 8
	size    = 107 // the least at which the auxiliary head's 5 x 5 pool fits
)

// Model is regraft-mini as it is stored: an Inception-v3 of an eighth of the width that was trained from
// scratch to tell rendered things apart.
func Model() (*engine.Network, error) {
	net, _, err := onnx.ReadBytes(file, onnx.ReadOptions{})
	return net, err
}

// Untrained is regraft-mini before its training: random weights, and heads for the given labels.
func Untrained(labels []string, seed uint64) (*engine.Network, error) {
	return weights.Narrow(arch, divisor, size, labels, seed)
}
