package kernel

// The master layout of convolution weights, of which gradients and solver states have the same:
//
//	[out block][kh][kw][in block][16 in][16 out], zero beyond Cin and Cout
//
// It depends on the shape alone. For images with 3 channels the one input block has 3 rows in use.

// PackedLen is the floats of packed weights.
func PackedLen(s ConvShape) int {
	return blocksOf(s.Cout) * s.KH * s.KW * blocksOf(s.Cin) * Lanes * Lanes
}

// PackWeights brings weights (Cout, Cin, KH, KW) into the master layout.
func PackWeights(s ConvShape, dst, oihw []float32) {
	clear(dst[:PackedLen(s)])
	eachWeightRow(s, func(o, c, taps int) {
		for t := range taps {
			dst[packedAt(s, o, c, t)] = oihw[(o*s.Cin+c)*taps+t]
		}
	})
}

// UnpackWeights brings weights in the master layout back to (Cout, Cin, KH, KW).
func UnpackWeights(s ConvShape, oihw, packed []float32) {
	eachWeightRow(s, func(o, c, taps int) {
		for t := range taps {
			oihw[(o*s.Cin+c)*taps+t] = packed[packedAt(s, o, c, t)]
		}
	})
}

func eachWeightRow(s ConvShape, visit func(o, c, taps int)) {
	for o := range s.Cout {
		for c := range s.Cin {
			visit(o, c, s.KH*s.KW)
		}
	}
}

// packedAt is where weight (o, c) of tap t = kh*KW+kw lies.
func packedAt(s ConvShape, o, c, t int) int {
	block := (o/Lanes*s.KH*s.KW+t)*blocksOf(s.Cin) + c/Lanes
	return (block*Lanes+c%Lanes)*Lanes + o%Lanes
}

func blocksOf(channels int) int { return (channels + Lanes - 1) / Lanes }

// transposedTaps lists the taps kh*KW+kw in the order in which the data gradient's phases want them.
func transposedTaps(s ConvShape) (taps []int) {
	for a := range min(s.SH, s.H) {
		for b := range min(s.SW, s.W) {
			for h := s.KH - 1; h >= 0; h-- {
				for w := s.KW - 1; w >= 0; w-- {
					if (a+s.PT-h*s.DH)%s.SH == 0 && (b+s.PL-w*s.DW)%s.SW == 0 {
						taps = append(taps, h*s.KW+w)
					}
				}
			}
		}
	}
	return taps
}

// packTransposed brings weights (Cout, Cin, KH, KW) into the layout of the data gradient:
// [in block][tap in the order of transposedTaps][out block][16 out][16 in].
func packTransposed(s ConvShape, dst, oihw []float32) {
	clear(dst[:PackedLen(s)])
	taps := transposedTaps(s)
	for o := range s.Cout {
		for c := range s.Cin {
			for i, t := range taps {
				block := (c/Lanes*len(taps)+i)*blocksOf(s.Cout) + o/Lanes
				dst[(block*Lanes+o%Lanes)*Lanes+c%Lanes] = oihw[(o*s.Cin+c)*s.KH*s.KW+t]
			}
		}
	}
}
