package asm

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"regraft/engine/kernel/abi"
)

// Set is an instruction set: the kernels that it has, which is all that primitives know of it. Go has a plain form of every kernel; a
// platform's set is another with kernels of its own in place of some. All forms of a kernel give the same bits.
type Set struct {
	// Name is what REGRAFT_ISA calls the set.
	Name string

	base   *Set        // whose kernels serve where the set has none of its own
	usable func() bool // whether this machine has the instructions and its operating system saves their registers

	Tiles        abi.Tiles
	Conv         Family[convTile, convArgs]
	WGrad        Family[wgradTile, wgradArgs]
	TransformIn  Family[string, transformInArgs]
	TransformOut Family[string, transformOutArgs]
	Plane        Family[string, planeArgs]
	Pool         Family[string, poolArgs]
	Update       Family[string, updateArgs]
	Pack         Form[packArgs]
	Transpose    Form[transposeArgs]
	SlotSum      Form[sumArgs]
	Peak         func(*peakArgs) // none in plain Go
	PeakFlops    float64         // floating-point operations of one of its rounds
}

// Form is one form of a kernel, and the name of the set that it is written for.
type Form[T any] struct {
	Run func(*T)
	Set string // its name
}

// Name is the name of a kernel, or of a primitive, in this form.
func (f Form[T]) Name(kernel string) string { return kernel + "_f32_" + f.Set }

// Family are kernels with the same arguments, by name or by tile.
type Family[K comparable, T any] map[K]Form[T]

// kernels are what is written for one set; whatever is missing is its base's.
type kernels struct {
	tiles        abi.Tiles // of conv and wgrad, which have a kernel for each
	conv         map[convTile]func(*convArgs)
	wgrad        map[wgradTile]func(*wgradArgs)
	transformIn  map[string]func(*transformInArgs)
	transformOut map[string]func(*transformOutArgs)
	plane        map[string]func(*planeArgs)
	pool         map[string]func(*poolArgs)
	update       map[string]func(*updateArgs)
	pack         func(*packArgs)
	transpose    func(*transposeArgs)
	slotSum      func(*sumArgs)
	peak         func(*peakArgs)
	peakFlops    float64
}

// newSet makes the set of that name from its base and the kernels written for it.
func newSet(name string, base *Set, usable func() bool, own kernels) *Set {
	s := &Set{}
	if base != nil {
		*s = *base
	}
	s.Name, s.base, s.usable = name, base, usable
	if own.conv != nil {
		s.Tiles, s.Conv, s.WGrad = own.tiles, over(nil, name, own.conv), over(nil, name, own.wgrad)
	}
	s.TransformIn, s.TransformOut = over(s.TransformIn, name, own.transformIn), over(s.TransformOut, name, own.transformOut)
	s.Plane, s.Pool, s.Update = over(s.Plane, name, own.plane), over(s.Pool, name, own.pool), over(s.Update, name, own.update)
	s.Pack, s.Transpose, s.SlotSum = either(own.pack, name, s.Pack), either(own.transpose, name, s.Transpose), either(own.slotSum, name, s.SlotSum)
	if own.peak != nil {
		s.Peak, s.PeakFlops = own.peak, own.peakFlops
	}
	return s
}

// over is base with a set's own forms in place of those of the same name.
func over[K comparable, T any](base Family[K, T], set string, own map[K]func(*T)) Family[K, T] {
	all := maps.Clone(base)
	if all == nil {
		all = Family[K, T]{}
	}
	for k, run := range own {
		all[k] = Form[T]{run, set}
	}
	return all
}

// either is a set's own form, or the base's.
func either[T any](own func(*T), set string, base Form[T]) Form[T] {
	if own == nil {
		return base
	}
	return Form[T]{own, set}
}

// Usable reports whether this machine has the instructions.
func (s *Set) Usable() bool { return s.usable() }

func (s *Set) String() string { return s.Name }

// Includes reports whether a set has the instructions of the one of that name: it is that set or one built on it.
func (s *Set) Includes(name string) bool {
	for ; s != nil; s = s.base {
		if s.Name == name {
			return true
		}
	}
	return false
}

// Sets are the instruction sets of this build, whether or not this machine has them: those to prefer first, Go last.
func Sets() []*Set { return append(slices.Clone(assembled), Go) }

// Usable are the instruction sets that this machine has, in the same order; or, where the environment variable REGRAFT_ISA names one,
// that and Go. It is an error to ask for one that the machine or the build does not have.
func Usable() ([]*Set, error) {
	sets := slices.DeleteFunc(Sets(), func(s *Set) bool { return !s.Usable() })
	want := os.Getenv("REGRAFT_ISA")
	if want == "" {
		return sets, nil
	}
	var names []string
	for _, s := range sets {
		if s.Name == want {
			return slices.Compact([]*Set{s, Go}), nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("REGRAFT_ISA=%s: this machine and this build have %s", want, strings.Join(names, ", "))
}

// Detect returns the instruction set to compute with: the first of Usable.
func Detect() (*Set, error) {
	sets, err := Usable()
	if err != nil {
		return nil, err
	}
	return sets[0], nil
}
