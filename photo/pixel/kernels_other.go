//go:build !amd64 || noasm

package pixel

// Without assembly avx2 is false, and none of these is called.
func coefficientsAVX2(*Bits, *Codes, *Steps, *[64]int32, *[2]int) { panic("no assembly") }
func inverseAVX2(*int32, *uint8, int)                             { panic("no assembly") }
func fourAVX2(*int32, *uint8, int)                                { panic("no assembly") }
func twoAVX2(*int32, *uint8, int)                                 { panic("no assembly") }
func doubleWidthAVX2(_, _, _ *uint8, _, _, _ int)                 { panic("no assembly") }
func doubleHeightAVX2(_, _, _ *uint8, _, _ int)                   { panic("no assembly") }
func fromYCbCrAVX2(_, _, _, _ *uint8, _ int)                      { panic("no assembly") }
func columnsAVX2(_, _ *uint8, _ *int, _ *int16, _, _ int)         { panic("no assembly") }
func rowsAVX2(_ *uint8, _ *[]uint8, _ *uint32, _, _ int)          { panic("no assembly") }
