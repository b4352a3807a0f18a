package jpeg

// A progressive file whose last scans are missing tells the first coefficients
// of its blocks roughly or not at all. libjpeg-turbo then estimates them from
// the DC coefficients of the 5 x 5 blocks around each (jdcoefct.c; the idea is
// that of T.81 K.8), so that the picture shows no steps between blocks.

// kernel weighs the DC coefficients of 5 x 5 blocks in 256ths, row by row.
type kernel [25]int

// gaussian has the kernels of the coefficients 0 to 9 in scan order, for a
// component that has no AC coefficients yet. The first smooths DC itself.
var gaussian = func() []*kernel {
	dc := kernel{
		-2, -6, -8, -6, -2,
		-6, 6, 42, 6, -6,
		-8, 42, 152, 42, -8,
		-6, 6, 42, 6, -6,
		-2, -6, -8, -6, -2,
	}
	across := kernel{
		-1, -1, 0, 1, 1,
		-3, 13, 0, -13, 3,
		-3, 38, 0, -38, 3,
		-3, 13, 0, -13, 3,
		-1, -1, 0, 1, 1,
	}
	diagonal := kernel{
		-1, 0, 0, 0, 1,
		0, 9, 0, -9, 0,
		0, 0, 0, 0, 0,
		0, -9, 0, 9, 0,
		1, 0, 0, 0, -1,
	}
	across2 := kernel{
		0, 0, 0, 0, 0,
		0, 2, -5, 2, 0,
		1, 7, -14, 7, 1,
		0, 2, -5, 2, 0,
		0, 0, 0, 0, 0,
	}
	across3 := kernel{6: 1, 8: -1, 11: 2, 13: -2, 16: 1, 18: -1}
	across2down1 := kernel{6: 1, 7: -3, 8: 1, 16: -1, 17: 3, 18: -1}
	return []*kernel{
		&dc, &across, across.transposed(), across2.transposed(), &diagonal, &across2,
		&across3, &across2down1, across2down1.transposed(), across3.transposed(),
	}
}()

// gradients has those of the coefficients 1 to 5, for a component that has some
// AC coefficients; DC stays.
var gradients = func() []*kernel {
	across := kernel{10: -7, 11: 50, 13: -50, 14: 7}
	across2 := kernel{10: -1, 11: 13, 12: -24, 13: 13, 14: -1}
	diagonal := kernel{
		0, -1, 0, 1, 0,
		-1, 10, 0, -10, 1,
		0, 0, 0, 0, 0,
		1, -10, 0, 10, -1,
		0, 1, 0, -1, 0,
	}
	return []*kernel{nil, &across, across.transposed(), across2.transposed(), &diagonal, &across2}
}()

// transposed exchanges rows and columns: the kernel of (u, v) is that of (v, u) so.
func (k *kernel) transposed() *kernel {
	t := new(kernel)
	for i, w := range k {
		t[i%5*5+i/5] = w
	}
	return t
}

// estimated is the number of first coefficients in scan order that gaussian
// estimates, and whose precision decides about it.
const estimated = 10

// unfinished is whether scans are missing in whose place libjpeg estimates
// coefficients: any of the first AC coefficients is not known to its last bit.
// Steps of zero, which no encoder writes, keep it from doing so.
func (d *decoder) unfinished() bool {
	rough := false
	for i := range d.components {
		c := &d.components[i]
		for k := range estimated {
			if c.quant[zigzag[k]] == 0 {
				return false
			}
			rough = rough || k > 0 && c.bitsLeft[k] != 0
		}
	}
	return rough
}

// smoothed returns the block at (x, y) with estimates in place of the
// coefficients that are zero and not known to the last bit.
func (c *component) smoothed(x, y int) *[64]int16 {
	kernels := gaussian
	for _, bits := range c.bitsLeft[1:estimated] {
		if bits != unseen {
			kernels = gradients
		}
	}
	around := c.around(x, y)
	block := *c.coefficients(x, y)
	for k, weights := range kernels {
		at := zigzag[k]
		if weights != nil && (k == 0 || c.bitsLeft[k] != 0 && block[at] == 0) {
			block[at] = c.estimate(k, around.weighed(weights))
		}
	}
	return &block
}

// estimate quantises a weighed sum of quantised DC coefficients for coefficient
// k. Where that is known but for its last bits, the estimate stays below them.
func (c *component) estimate(k, sum int) int16 {
	step := int(c.quant[zigzag[k]])
	size := (step<<7 + max(sum, -sum)*int(c.quant[0])) / (step << 8)
	if bits := c.bitsLeft[k]; k > 0 && bits > 0 {
		size = min(size, 1<<bits-1)
	}
	if sum < 0 {
		size = -size
	}
	return int16(size)
}

// neighbourhood holds the DC coefficients of 5 x 5 blocks.
type neighbourhood [25]int

func (n *neighbourhood) weighed(weights *kernel) (sum int) {
	for i, w := range weights {
		sum += w * n[i]
	}
	return sum
}

// around returns the DC coefficients of the blocks around (x, y); those beyond
// the edge repeat the ones at it.
func (c *component) around(x, y int) (n neighbourhood) {
	for i, row := range c.rowsAround(y) {
		for j := range 5 {
			column := min(max(x+j-2, 0), c.blocksWide-1)
			n[5*i+j] = int(c.coefficients(column, row)[0])
		}
	}
	return n
}

// rowsAround returns the rows of blocks from two above row y to two below. As
// in libjpeg the rows that fill up the last MCUs count, but not for the MCUs
// they fill up, and there the position is counted as if all MCUs were as low.
func (c *component) rowsAround(y int) [5]int {
	units := c.blockRows / c.v
	unit, high := y/c.v, c.v
	if unit == units-1 {
		high = (c.blocksHigh-1)%c.v + 1
	}
	at, end := unit*high+y%c.v, units*high
	rows := [5]int{y, y, y, y, y}
	if at > 0 {
		rows[0], rows[1] = y-1, y-1
	}
	if at > 1 {
		rows[0] = y - 2
	}
	if at < end-1 {
		rows[3], rows[4] = y+1, y+1
	}
	if at < end-2 {
		rows[4] = y + 2
	}
	return rows
}
