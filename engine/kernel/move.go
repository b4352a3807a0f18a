package kernel

import "fmt"

// Run is so many floats that lie side by side in the memory of one group of images and go to that of another; From is -1 for zeros, and
// Operand tells of which operand's images they are.
type Run struct{ Operand, From, To, Count int }

// moves copies runs.
type moves struct {
	runs   []Run
	from   []int // floats from one group of images to the next, by operand
	to     int
	pieces int
}

// movePiece is the floats of an item, about.
const movePiece = 1 << 14

// NewMoves copies runs of floats, group of images by group of images: from says how far apart the groups lie in each of the operands,
// to in the result. Operands: those of the runs, then the result. Item: some of a group's runs.
func NewMoves(runs []Run, from []int, to int) (Primitive, error) {
	floats := 0
	for _, r := range runs {
		if r.Operand < 0 || r.Operand >= len(from) || r.From < -1 || r.To < 0 || r.Count < 1 {
			return nil, fmt.Errorf("moves: %+v of %d operands", r, len(from))
		}
		floats += r.Count
	}
	return &moves{runs, from, to, min(1+floats/movePiece, len(runs))}, nil
}

func (*moves) Name() string { return "moves" }

// Items is for images that are groups.
func (m *moves) Items(groups int) int { return groups * m.pieces }

func (m *moves) Item(_ *Worker, i int, a *Args) {
	group, piece := i/m.pieces, i%m.pieces
	to := a.Operand[len(m.from)] + uintptr(4*group*m.to)
	for _, r := range m.runs[len(m.runs)*piece/m.pieces : len(m.runs)*(piece+1)/m.pieces] {
		dst := Floats(to+uintptr(4*r.To), r.Count)
		if r.From < 0 {
			clear(dst)
			continue
		}
		copy(dst, Floats(a.Operand[r.Operand]+uintptr(4*(group*m.from[r.Operand]+r.From)), r.Count))
	}
}
