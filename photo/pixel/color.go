package pixel

// The conversion of YCbCr to RGB in 16-bit fixed point, as in libjpeg's
// jdcolor.c. All three colours are summed at once, as lanes of one word, each
// raised by 256 to stay positive: green with its fraction from bit 0, blue from
// bit 26, red from bit 36.
const (
	greenLane = 16 // above the fraction
	blueLane  = 26
	redLane   = 36
	lumaLanes = 1<<greenLane | 1<<blueLane | 1<<redLane
	laneMask  = 1<<10 - 1
)

var lanesOfCb, lanesOfCr = func() (cb, cr [256]uint64) {
	const half, raised = 1 << 15, 256 * lumaLanes
	for i := range cb {
		x := int64(i) - 128
		cb[i] = uint64((116130*x+half)>>16<<blueLane - 22554*x + half + raised)
		cr[i] = uint64((91881*x+half)>>16<<redLane - 46802*x)
	}
	return
}()

// lowered takes the 256 off again and clamps to 0 to 255.
var lowered = func() (t [laneMask + 1]uint8) {
	for i := range t {
		t[i] = uint8(min(max(i-256, 0), 255))
	}
	return
}()

// FromYCbCr writes pixels of three bytes, R, G and B; luma, cb and cr have a sample for each.
func FromYCbCr(rgb, luma, cb, cr []uint8) {
	cb, cr, rgb = cb[:len(luma)], cr[:len(luma)], rgb[:3*len(luma)]
	n := 0
	if whole := len(luma) &^ (lanes - 1); assembly && whole > 0 {
		n = whole
		fromYCbCrAssembly(&rgb[0], &luma[0], &cb[0], &cr[0], n)
	}
	fromYCbCr(rgb[3*n:], luma[n:], cb[n:], cr[n:])
}

// fromYCbCr is the plain form.
func fromYCbCr(rgb, luma, cb, cr []uint8) {
	for x, l := range luma {
		v := uint64(l)*lumaLanes + lanesOfCb[cb[x]] + lanesOfCr[cr[x]]
		p := rgb[3*x : 3*x+3 : 3*x+3]
		p[0] = lowered[v>>redLane&laneMask]
		p[1] = lowered[v>>greenLane&laneMask]
		p[2] = lowered[v>>blueLane&laneMask]
	}
}
