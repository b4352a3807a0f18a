package kernel

import (
	"cmp"
	"fmt"
	"slices"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// run is a row or column of equal tiles: one kernel call.
type run struct {
	kernel         asm.Form[abi.Conv]
	x, y           int // bytes from the image to the first tile's input and output
	n              int // pixels of a tile
	tiles          int
	xstep, ystep   int // bytes between tiles
	first, entries int // the part of the offset list that lies inside the image
	cost           float64
}

// convItem is one work item of one image: runs of tiles for k output blocks from block on.
type convItem struct {
	phase            int
	block, k         int
	xpitch, channels int
	piece            int // of the pixels, counted from 0
	pixels           int
	runs             []run
}

// bytes of the outputs.
func (it *convItem) bytes() int { return it.pixels * it.k * 4 * Lanes }

// What the cost model knows about cores, in cycles of one 512-bit (or two 256-bit) multiply-adds.
const (
	callCycles    = 60      // a kernel call
	tileCycles    = 25      // a tile: loading the start, the last branch, storing
	chainCycles   = 5       // below so many accumulators the latency of the FMA shows
	itemCycles    = 130_000 // what an item may cost: some 35 us;
	heavyCycles   = 900_000 // where weights outweigh the input, up to this,
	heavyItems    = 32      // while there are so many items
	minItemCycles = 60_000  // items are not cut below this to have at least eight
	longCall      = 300_000 // a kernel call cannot be preempted: some 100 us
	loadCycles    = 0.05    // tie-breaker per load and channel, for cores with two FMA units
	weightCycles  = 0.3     // per cache line of weights fetched for a tile, one after the other,
	inputCycles   = 1.2     // and of input, here and there
	moveCycles    = 16      // bringing a pixel of a block to its row
)

// tiler chooses tiles and cuts them into items.
type tiler struct {
	set          *Set
	in, out      Layout
	only         int        // output blocks of a tile, where that is given
	items        []convItem // before cutting: one per phase and group of output blocks
	mainK, mainN int        // the tile that most of the work is done in,
	main         asm.Form[abi.Conv]
	cost         float64
	parts        int // items after cutting
}

func newTiler(set *Set, in, out Layout) *tiler { return &tiler{set: set, in: in, out: out} }

// widest is the most pixels of a tile of 1, 2, ... output blocks.
func (t *tiler) widest() []int {
	if t.in.blocked() {
		return t.set.Tiles.Pixels
	}
	return t.set.Tiles.PhotoPixels
}

// maxBlocks is the most output blocks of a tile.
func (t *tiler) maxBlocks() int { return len(t.widest()) }

// maxPixels is the widest tile of k output blocks with input pixels that many bytes apart.
func (t *tiler) maxPixels(k, xpitch int) int {
	if t.in.blocked() && xpitch != 64 && xpitch != 128 {
		return 1 // no kernel has this pitch: pixel by pixel
	}
	return t.widest()[k-1]
}

// tileCost estimates the cycles of a tile.
func tileCost(k, n, entries, channels int) float64 {
	perChannel := float64(max(k*n, chainCycles)) + loadCycles*float64(k+n)
	perEntry := perChannel*float64(channels) + weightCycles*float64(k*channels) + inputCycles*float64(n)
	return perEntry*float64(entries) + tileCycles + float64(k*n)
}

// add chooses (k, n) for a phase with that many entries in full and cuts it into items.
func (t *tiler) add(index int, p phase, entries int) {
	g := t.grid(p)
	blocks := t.out.Blocks()
	var best []convItem
	bestCost := 0.0
	for k := 1; k <= min(t.maxBlocks(), blocks); k++ {
		if t.only != 0 && k != t.only {
			continue
		}
		items, cost := t.cover(index, g, entries, split(blocks, (blocks+k-1)/k))
		if best == nil || cost < bestCost {
			best, bestCost = items, cost
		}
	}
	t.items, t.cost = append(t.items, best...), t.cost+bestCost
}

// grid is a phase as rows of pixels, with contiguous rows joined.
type grid struct {
	phase
	h, w            int // rows and pixels per row
	inRow, outRow   int // bytes between rows
	inStep, outStep int // bytes between pixels
	y0              int // bytes to the first output pixel
	x0              int
	per             int // entries per tap row
	channels        int
	single          bool // rows were joined: no row of taps is outside
}

func (t *tiler) grid(p phase) grid {
	g := grid{phase: p, h: p.oh, w: p.ow,
		inRow: 4 * p.sh * t.in.Row, outRow: 4 * p.ystep * t.out.Row,
		inStep: 4 * p.sw * t.in.Pixel, outStep: 4 * p.xstep * t.out.Pixel,
		x0: 4 * t.in.Base, y0: 4 * (t.out.Base + p.y*t.out.Row + p.x*t.out.Pixel),
		per: len(p.cols) * t.in.Blocks(), channels: min(t.in.Pixel, Lanes),
	}
	pointwise := len(p.rows) == 1 && len(p.cols) == 1 && p.rows[0] == 0 && p.cols[0] == 0
	if pointwise && p.oh == t.in.H && g.inRow == p.ow*g.inStep && g.outRow == p.ow*g.outStep {
		g.h, g.w, g.single = 1, p.oh*p.ow, true
	}
	return g
}

// cover covers the grid with tiles for groups of output blocks of the given sizes.
func (t *tiler) cover(index int, g grid, entries int, groups []int) (items []convItem, cost float64) {
	block := 0
	tiled := map[int][]run{}
	for _, k := range groups {
		runs, ok := tiled[k]
		if !ok {
			runs = t.runs(g, k, entries)
			tiled[k] = runs
		}
		for _, r := range runs {
			cost += r.cost + callCycles
		}
		items = append(items, convItem{phase: index, block: block, k: k, xpitch: g.inStep, channels: g.channels, runs: runs})
		block += k
	}
	return items, cost
}

// runs chooses the tile width for k output blocks and lists the runs.
func (t *tiler) runs(g grid, k, entries int) []run {
	limit := t.maxPixels(k, g.inStep)
	least := (g.w + limit - 1) / limit
	bestParts, bestCost := 0, 0.0
	for parts := least; parts <= min(least+2, g.w); parts++ {
		cost := 0.0
		for _, n := range split(g.w, parts) {
			cost += tileCost(k, n, entries, g.channels)
		}
		if bestParts == 0 || cost < bestCost {
			bestParts, bestCost = parts, cost
		}
	}
	var runs []run
	for r := 0; r < g.h; {
		from, to := g.rowTaps(r, t.in.H)
		rows := 1
		for r+rows < g.h {
			if f, o := g.rowTaps(r+rows, t.in.H); f != from || o != to {
				break
			}
			rows++
		}
		runs = append(runs, t.band(g, k, r, rows, from, to, split(g.w, bestParts))...)
		r += rows
	}
	return runs
}

// rowTaps are the tap rows inside the image for output row r.
func (g grid) rowTaps(r, h int) (from, to int) {
	if g.single {
		return 0, 1
	}
	return g.inside(r, h)
}

// band lists the runs of rows r to r+rows, all with the same taps: downwards when there are several rows, else along the row.
func (t *tiler) band(g grid, k, r, rows, from, to int, widths []int) (runs []run) {
	column := 0
	for i := 0; i < len(widths); {
		n, same := widths[i], 1
		for i+same < len(widths) && widths[i+same] == n && rows == 1 {
			same++
		}
		pitch := g.inStep
		if n == 1 && t.in.blocked() {
			pitch = 64
		}
		ru := run{
			kernel: t.set.Conv[abi.ConvTile{Blocks: k, Pixels: n, Pitch: pitch}], n: n,
			x: g.x0 + r*g.inRow + column*g.inStep, y: g.y0 + r*g.outRow + column*g.outStep,
			tiles: rows, xstep: g.inRow, ystep: g.outRow,
			first: from * g.per, entries: (to - from) * g.per,
		}
		if rows == 1 {
			ru.tiles, ru.xstep, ru.ystep = same, n*g.inStep, n*g.outStep
		}
		if ru.entries == 0 {
			ru.first = 0
		}
		ru.cost = tileCost(k, n, ru.entries, g.channels) * float64(ru.tiles)
		runs = append(runs, ru)
		column += n * same
		i += same
	}
	return runs
}

// finish cuts the groups into items of similar cost, ordered by panels, whose first items are the second result. A panel is the groups
// whose weights weigh about as much as the input of an image, or all where these weigh less. In a panel a piece of the input meets all
// groups, then the next piece.
func (t *tiler) finish(blockBytes int) (items []convItem, panels []int) {
	total, byTile := 0.0, map[[2]int]float64{}
	for _, it := range t.items {
		for _, r := range it.runs {
			total += r.cost
			key := [2]int{it.k, r.n}
			if byTile[key] += r.cost; byTile[key] > byTile[[2]int{t.mainK, t.mainN}] || t.mainK == 0 {
				t.mainK, t.mainN, t.main = it.k, r.n, r.kernel
			}
		}
	}
	target := min(max(total/8, minItemCycles), itemCycles)
	imageBytes := 4 * t.in.Blocks() * t.in.Plane
	heavy := blockBytes*t.out.Blocks() > imageBytes
	if heavy {
		target = max(target, min(total/heavyItems, heavyCycles))
	}
	weights := 0 // bytes of the panel
	for i, it := range t.items {
		own := it.k * blockBytes
		if i == 0 || heavy && (it.phase != t.items[i-1].phase || weights+own > imageBytes) {
			panels, weights = append(panels, len(items)), 0
		}
		weights += own
		items = append(items, it.cut(target)...)
	}
	t.parts = len(items)
	for i, first := range panels {
		end := len(items)
		if i+1 < len(panels) {
			end = panels[i+1]
		}
		slices.SortStableFunc(items[first:end], func(a, b convItem) int {
			return cmp.Or(cmp.Compare(a.phase, b.phase), cmp.Compare(a.piece, b.piece))
		})
	}
	return items, panels
}

// cut divides the tiles of a group into items of about target cycles, and bounds its calls.
func (it convItem) cut(target float64) (items []convItem) {
	total := 0.0
	for _, r := range it.runs {
		total += r.cost
	}
	parts := max(1, int(total/target+0.5))
	runs := slices.Clone(it.runs)
	for p := range parts {
		part, left := it, total/float64(parts)
		part.runs, part.piece = nil, p
		for len(runs) > 0 && (p == parts-1 || left > 0) {
			r := &runs[0]
			each := r.cost / float64(r.tiles)
			n := min(r.tiles, max(1, int(longCall/each)))
			if p < parts-1 {
				n = min(n, max(1, int(left/each+0.5)))
			}
			head := *r
			head.tiles, head.cost = n, each*float64(n)
			part.runs = append(part.runs, head)
			part.pixels += n * r.n
			left -= head.cost
			if r.tiles -= n; r.tiles == 0 {
				runs = runs[1:]
				continue
			}
			r.x, r.y, r.cost = r.x+n*r.xstep, r.y+n*r.ystep, r.cost-head.cost
		}
		if len(part.runs) > 0 {
			items = append(items, part)
		}
	}
	return items
}

// reason says what was chosen.
func (t *tiler) reason() string {
	return fmt.Sprintf("%d pixels x %d output blocks per tile fit rows of %d pixels and %d blocks at the least estimated cost; %d items per image",
		t.mainN, t.mainK, t.out.W, t.out.Blocks(), t.parts)
}

// split divides n evenly into parts, larger ones first.
func split(n, parts int) []int {
	r := make([]int, parts)
	for i := range r {
		r[i] = (n + parts - 1 - i) / parts
	}
	return r
}
