package photo

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// TestRowLengths: the stored rows of pictures of all small sizes, interlaced ones counted pixel by pixel from Adam7's pattern (PNG,
// third edition, section 8.2).
func TestRowLengths(t *testing.T) {
	pattern := []string{"16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"}
	for w := range 17 {
		for h := range 17 {
			header := binary.BigEndian.AppendUint64(nil, uint64(w+1)<<32|uint64(h+1))
			p := pngParts{header: append(header, 8, 0, 0, 0, 1)}
			var want []int
			for pass := '1'; pass <= '7'; pass++ {
				for y := range h + 1 {
					row := 0
					for x := range w + 1 {
						if rune(pattern[y%8][x%8]) == pass {
							row++
						}
					}
					if row > 0 {
						want = append(want, 1+row)
					}
				}
			}
			if got, err := p.rowLengths(); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%d x %d: rows of %v bytes, want %v (%v)", w+1, h+1, got, want, err)
			}
		}
	}
	for colour, samples := range map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4} {
		for _, bits := range []int{1, 2, 4, 8, 16} {
			t.Run(fmt.Sprintf("colour type %d, %d bits", colour, bits), func(t *testing.T) {
				p := pngParts{header: append(binary.BigEndian.AppendUint64(nil, 11<<32|2), byte(bits), colour, 0, 0, 0)}
				row := 1 + (11*samples*bits+7)/8
				if got, err := p.rowLengths(); err != nil || !slices.Equal(got, []int{row, row}) {
					t.Errorf("rows of %v bytes, want twice %d (%v)", got, row, err)
				}
			})
		}
	}
}
