package asm

// transpose_f32_16x16_go transposes blocks of 16x16 floats.
func transpose_f32_16x16_go(a *transposeArgs) {
	for n := range a.Count {
		src := FloatsAt(a.Src+uintptr(n*a.SrcStep), Lanes*Lanes)
		dst := FloatsAt(a.Dst+uintptr(n*a.DstStep), Lanes*Lanes)
		for i := range Lanes {
			for j := range Lanes {
				dst[j*Lanes+i] = src[i*Lanes+j]
			}
		}
	}
}

// slotsum_f32_go adds up slots.
func slotsum_f32_go(a *sumArgs) {
	for line := range a.Lines {
		first := LanesAt(a.First + uintptr(4*Lanes*line))
		for n := 1; n < a.Slots; n++ {
			plus_go(first, LanesAt(a.First+uintptr(n*a.Step+4*Lanes*line)))
		}
	}
}
