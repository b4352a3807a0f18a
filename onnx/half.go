package onnx

import (
	"math"

	"regraft/engine"
)

// param writes a parameter. In a file of halves, tensors of more than one axis (the bulk of the bytes) are stored
// as float16 under another name, and a Cast gives them back as float32 under their own.
func (e *exporter) param(p *engine.Param) {
	if !e.form.half || len(p.Shape) < 2 || !fitsHalf(p.Value) {
		e.tensors = append(e.tensors, newTensorOut(p.Name, p.Shape, p.Value, nil))
		return
	}
	stored := e.names.unique(p.Name + "_fp16")
	e.tensors = append(e.tensors, newTypedOut(stored, p.Shape, typeFloat16, p.Value, nil))
	e.encode("Cast", e.labels.unique(p.Name+"/Cast"), p.Name, []string{stored}, [][]byte{intAttribute("to", int(typeFloat))})
}

// fitsHalf tells whether no value is too large for a float16.
func fitsHalf(values []float32) bool {
	const largest = 65504
	for _, v := range values {
		if !(v >= -largest && v <= largest) {
			return false
		}
	}
	return true
}

// narrow rounds to the nearest IEEE 754 half, ties to even; v must be finite and fit.
func narrow(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	exponent := int(bits>>23&0xff) - 127
	if exponent < -25 {
		return sign // less than half of the smallest
	}
	fraction := bits&0x7fffff | 0x800000
	shift := uint(13)
	if exponent < -14 { // subnormal: fewer digits
		shift += uint(-14 - exponent)
	}
	half := fraction >> shift
	rest, middle := fraction&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > middle || rest == middle && half&1 == 1 {
		half++ // may carry into the exponent, which is right
	}
	if exponent < -14 {
		return sign | uint16(half)
	}
	return sign | uint16(uint32(exponent+14)<<10+half)
}
