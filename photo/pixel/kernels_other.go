//go:build (!amd64 && !arm64) || noasm

package pixel

// Without assembly none of these is called.
func inverseAssembly(*int32, *uint8, int)                     { panic("no assembly") }
func fourAssembly(*int32, *uint8, int)                        { panic("no assembly") }
func twoAssembly(*int32, *uint8, int)                         { panic("no assembly") }
func doubleWidthAssembly(_, _, _ *uint8, _, _, _ int)         { panic("no assembly") }
func doubleHeightAssembly(_, _, _ *uint8, _, _ int)           { panic("no assembly") }
func fromYCbCrAssembly(_, _, _, _ *uint8, _ int)              { panic("no assembly") }
func columnsAssembly(_, _ *uint8, _ *int, _ *int16, _, _ int) { panic("no assembly") }
func rowsAssembly(_ *uint8, _ *[]uint8, _ *uint32, _, _ int)  { panic("no assembly") }
