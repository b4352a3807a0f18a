package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// BenchmarkPlanes gives the memory traffic that the kernels beside the convolutions reach on shapes of
// Inception-v3, one image, one thread.
func BenchmarkPlanes(b *testing.B) {
	big, small := Blocked(64, 147, 147, 0), Blocked(768, 17, 17, 0)
	reduced := Blocked(64, 73, 73, 0)
	reduce := pooled(147, 147, 3, 2, false)
	same := pooled(17, 17, 3, 1, false, 1)
	type candidate struct {
		name   string
		p      Primitive
		err    error
		floats int // read and written
	}
	for _, set := range sets()[1:] {
		var list []candidate
		add := func(name string, floats int, p Primitive, err error) {
			list = append(list, candidate{name, p, err, floats})
		}
		for _, l := range []Layout{big, small} {
			size := fmt.Sprintf("%dx%d", l.H, l.W)
			p, err := NewAdd(set, l, l, l, ReLU)
			add("add "+size, 3*l.Image, p, err)
			p, err = NewAffine(set, l, l, ReLU)
			add("affine "+size, 2*l.Image, p, err)
			s, err := NewBatchStats(set, l)
			add("batchstats "+size, l.Image, s, err)
			s, err = NewBatchNormGradSums(set, l, l, ReLU)
			add("normsums "+size, 2*l.Image, s, err)
			p, err = NewBatchNormGradX(set, l, l, l, ReLU)
			add("normgrad "+size, 3*l.Image, p, err)
		}
		p, err := NewMaxPool(set, reduce, big, reduced)
		add("maxpool 147x147", big.Image+reduced.Image, p, err)
		p, err = NewMaxPoolGrad(set, reduce, big, reduced, big, 0)
		add("maxpoolgrad 147x147", 2*big.Image+reduced.Image, p, err)
		p, err = NewAveragePool(set, same, small, small, 0)
		add("averagepool 17x17", 2*small.Image, p, err)
		p, err = NewAveragePoolGrad(set, same, small, small, 0)
		add("averagepoolgrad 17x17", 2*small.Image, p, err)
		p, err = NewPackInput(set, Pixels(3, 299, 299, 0), nil, nil)
		add("pack 299x299", 2*3*299*299, p, err)
		for _, c := range list {
			if c.err != nil {
				b.Fatal(c.err)
			}
			b.Run(fmt.Sprintf("%v/%s", set, c.name), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				a := Args{Images: 1}
				var operands [5][]float32 // addresses keep nothing alive
				for i := range operands {
					v := Aligned(big.Len(1))
					copy(v, reals(r, len(v), 1))
					operands[i], a.Operand[i] = v, Address(v)
				}
				defer runtime.KeepAlive(&operands)
				w := NewWorker(1 << 10)
				b.SetBytes(int64(4 * c.floats))
				for b.Loop() {
					for i := range c.p.Items(1) {
						c.p.Item(w, i, &a)
					}
				}
			})
		}
	}
}
