// Package random gives numbers that depend on nothing but a seed, a purpose and indices such as
// epoch and sample: there is no shared generator, so neither order nor threads matter, and a run
// that resumes draws what it would have drawn. All bits are the same on every architecture.
package random

import (
	"encoding/binary"
	"math/bits"
)

// Stream is an endless sequence of random bits. Its numbers can be drawn in order, or addressed by
// Word. It is not for use by several goroutines at once, but streams are cheap: make one each.
type Stream struct {
	key, nonce uint64
	next       uint64    // index of the next word
	block      [2]uint64 // the words of which next is the second, once the first is drawn
}

// At returns the stream of (seed, purpose, indices). Different arguments give independent streams;
// the same arguments give the same numbers.
func At(seed uint64, purpose string, indices ...uint64) *Stream {
	state := absorb(seed, purpose, indices) // apart, so that At is inlined and a short-lived Stream stays off the heap
	return &Stream{key: state[0], nonce: state[1]}
}

// absorb takes the arguments word by word into a 128-bit state; lengths keep ("a", 1) and ("a1") apart.
func absorb(seed uint64, purpose string, indices []uint64) [2]uint64 {
	state := philox(seed, [2]uint64{0, uint64(len(purpose))<<32 | uint64(len(indices))})
	for len(purpose) > 0 {
		var word [8]byte
		purpose = purpose[copy(word[:], purpose):]
		state = philox(state[0], [2]uint64{state[1], binary.LittleEndian.Uint64(word[:])})
	}
	for _, i := range indices {
		state = philox(state[0], [2]uint64{state[1], i})
	}
	return state
}

// Word is the i-th word of the stream, without regard to what has been drawn.
func (s *Stream) Word(i uint64) uint64 {
	return philox(s.key, [2]uint64{i / 2, s.nonce})[i%2]
}

// Uint64 draws 64 random bits. It makes Stream a math/rand/v2 Source.
func (s *Stream) Uint64() uint64 {
	i := s.next
	if i%2 == 0 {
		s.block = philox(s.key, [2]uint64{i / 2, s.nonce})
	}
	s.next++
	return s.block[i%2]
}

// Float64 draws a number in [0, 1), a multiple of 2^-53.
func (s *Stream) Float64() float64 { return unit(s.Uint64()) }

// Uniform draws a number in [low, high).
func (s *Stream) Uniform(low, high float64) float64 {
	return low + float64((high-low)*s.Float64())
}

// IntN draws a number in [0, n), all equally likely. It panics when n is not positive.
func (s *Stream) IntN(n int) int {
	if n <= 0 {
		panic("random: IntN needs a positive bound")
	}
	// Lemire, "Fast Random Integer Generation in an Interval", 2019.
	bound := uint64(n)
	hi, lo := bits.Mul64(s.Uint64(), bound)
	if lo < bound {
		for least := -bound % bound; lo < least; {
			hi, lo = bits.Mul64(s.Uint64(), bound)
		}
	}
	return int(hi)
}

// Perm draws a permutation of 0 to n-1 (Fisher and Yates).
func (s *Stream) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.IntN(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}

// Normal draws from the normal distribution with mean 0 and variance 1. Karney, "Sampling Exactly
// from the Normal Distribution", 2016, algorithm N: it needs comparisons of uniform numbers only, so
// no logarithm that could differ between architectures.
func (s *Stream) Normal() float64 {
	for {
		k := 0
		for s.bernoulliExpHalf() {
			k++
		}
		if !s.all(k*(k-1), s.bernoulliExpHalf) {
			continue
		}
		x := s.Float64()
		if !s.all(k+1, func() bool { return s.bernoulliExp(k, x) }) {
			continue
		}
		if s.Uint64()>>63 == 1 {
			return -(float64(k) + x)
		}
		return float64(k) + x
	}
}

// all is whether n draws are all true; it stops at the first that is not.
func (s *Stream) all(n int, draw func() bool) bool {
	for range n {
		if !draw() {
			return false
		}
	}
	return true
}

// bernoulliExpHalf is true with probability exp(-1/2) (von Neumann's run of falling numbers).
func (s *Stream) bernoulliExpHalf() bool {
	last, even := 0.5, true
	for {
		u := s.Float64()
		if u >= last {
			return even
		}
		last, even = u, !even
	}
}

// bernoulliExp is true with probability exp(-x(2k+x)/(2k+2)).
func (s *Stream) bernoulliExp(k int, x float64) bool {
	m := float64(2*k + 2)
	last, even := x, true
	for {
		u := s.Float64()
		if u >= last {
			return even
		}
		if s.Float64() >= (float64(2*k)+x)/m {
			return even
		}
		last, even = u, !even
	}
}

func unit(word uint64) float64 { return float64(word>>11) * (1.0 / (1 << 53)) }

// Keep is whether word falls into the share p of all words: a Bernoulli draw of probability p.
func Keep(word uint64, p float64) bool { return unit(word) < p }
