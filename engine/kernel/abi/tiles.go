// Package abi is what the kernels and their callers agree on: argument blocks, and the register tiles that there are. The generator of the
// assembly reads it too.
package abi

// Tiles bound the register tiles of convolutions. Photos are inputs of 3 channels; all others lie in blocks of 16.
type Tiles struct {
	// Pixels, PhotoPixels are the most pixels of a tile of 1, 2, ... output blocks: what the registers hold beside that many blocks of
	// weights and one broadcast. With one block of 16 lanes in one register the input is broadcast inside the multiply-add, and half of
	// the registers suffice to hide its latency.
	Pixels, PhotoPixels []int
	// Channels are the input channels of a weight gradient's tile of 1, 2, ... output blocks.
	Channels []int
	// PhotoTaps are the neighbouring taps of a photo that such a tile spans at most.
	PhotoTaps []int
}

// The tiles of the instruction sets. Plain Go takes those of AVX-512.
var (
	AVX512 = Tiles{Pixels: []int{14, 14, 9, 6}, PhotoPixels: []int{7, 14}, Channels: []int{16, 8, 8}, PhotoTaps: []int{3, 3}}
	AVX2   = Tiles{Pixels: []int{6}, PhotoPixels: []int{6}, Channels: []int{4}, PhotoTaps: []int{1}}
	NEON   = Tiles{Pixels: []int{5, 3, 2, 1}, PhotoPixels: []int{5, 3}, Channels: []int{4}, PhotoTaps: []int{2}}
)

// ConvTile is a tile of a convolution: output blocks, pixels, and bytes between input pixels.
type ConvTile struct{ Blocks, Pixels, Pitch int }

// Channels are the input channels of an entry.
func (t ConvTile) Channels() int {
	for _, p := range pitches {
		if p.bytes == t.Pitch {
			return p.channels
		}
	}
	return 0
}

// pitches are the bytes between neighbouring input pixels that there are kernels for: blocks at stride 1 and 2, photos at stride 1, 2, 4.
var pitches = []struct{ bytes, channels int }{{64, 16}, {128, 16}, {12, 3}, {24, 3}, {48, 3}}

// Conv lists the tiles of convolutions.
func (t Tiles) Conv() (list []ConvTile) {
	for _, p := range pitches {
		widest, first := t.Pixels, 1
		if p.channels == 3 {
			widest = t.PhotoPixels
		}
		if p.bytes == 128 {
			first = 2 // a single pixel has no neighbour: the kernel for 64 bytes serves
		}
		for k, widest := range widest {
			for n := first; n <= widest; n++ {
				list = append(list, ConvTile{k + 1, n, p.bytes})
			}
		}
	}
	return list
}

// WGradTile is a tile of a weight gradient: input channels and output blocks. Photo says that the channels are 3 of every tap.
type WGradTile struct {
	Channels, Blocks int
	Photo            bool
}

// WGrad lists the tiles of weight gradients.
func (t Tiles) WGrad() (list []WGradTile) {
	for k, c := range t.Channels {
		list = append(list, WGradTile{c, k + 1, false})
	}
	for k, taps := range t.PhotoTaps {
		if taps > 1 {
			list = append(list, WGradTile{3 * taps, k + 1, true})
		}
	}
	for k := range t.PhotoTaps {
		list = append(list, WGradTile{3, k + 1, true})
	}
	return list
}
