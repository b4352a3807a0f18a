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
	length := PackedLen(s) / blocksOf(s.Cout)
	for block := range blocksOf(s.Cout) {
		packBlock(s, block, dst[block*length:][:length], oihw)
	}
}

// packBlock is PackWeights for one block of outputs; dst is as long as a packed block.
func packBlock(s ConvShape, block int, dst, oihw []float32) {
	clear(dst)
	eachPackedRow(s, block, func(at, from, lanes int) {
		row := dst[at : at+lanes]
		for o := range row {
			row[o] = oihw[from+o*s.Cin*s.KH*s.KW]
		}
	})
}

// UnpackWeights brings weights in the master layout back to (Cout, Cin, KH, KW).
func UnpackWeights(s ConvShape, oihw, packed []float32) {
	length := PackedLen(s) / blocksOf(s.Cout)
	for block := range blocksOf(s.Cout) {
		eachPackedRow(s, block, func(at, from, lanes int) {
			for o, v := range packed[block*length:][at : at+lanes] {
				oihw[from+o*s.Cin*s.KH*s.KW] = v
			}
		})
	}
}

// eachPackedRow visits the rows of a block of outputs that are in use, input channel by input channel so that neighbouring taps are read
// together: where the row begins in the block, where its first output's weight lies in (Cout, Cin, KH, KW), and how many outputs it has.
func eachPackedRow(s ConvShape, block int, visit func(at, from, lanes int)) {
	taps := s.KH * s.KW
	lanes := min(Lanes, s.Cout-block*Lanes)
	for c := range s.Cin {
		at := c/Lanes*Lanes*Lanes + c%Lanes*Lanes
		for t := range taps {
			visit(at+t*blocksOf(s.Cin)*Lanes*Lanes, (block*Lanes*s.Cin+c)*taps+t, lanes)
		}
	}
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
