package kernel

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// Primitive is one prepared piece of arithmetic: geometry, tiling and kernels are fixed. It is immutable, and any number of workers
// may run its items at once, in any order. An output element never depends on blocking, ISA, thread count or on how many images run.
type Primitive interface {
	// Name tells kernel and blocking, for listings: "conv_f32_3x9_avx512".
	Name() string
	// Items is the number of independent work items for this many images.
	Items(images int) int
	// Item does work item i of Items(a.Images).
	Item(w *Worker, i int, a *Args)
}

// Scratcher is implemented by primitives that need Worker.Scratch.
type Scratcher interface {
	Scratch() int // floats
}

// Ranger is implemented by primitives that do several items in a row faster than one by one.
type Ranger interface {
	// Range does work items first to end-1.
	Range(w *Worker, first, end int, a *Args)
}

// Do does work items first to end-1 of p.
func Do(p Primitive, w *Worker, first, end int, a *Args) {
	if r, ok := p.(Ranger); ok {
		r.Range(w, first, end, a)
		return
	}
	for i := first; i < end; i++ {
		p.Item(w, i, a)
	}
}

// Args are the operands of one run: addresses of float32 data outside the Go heap, or kept alive and unmoved by the caller. The
// meaning of each operand is documented at the primitive's constructor.
type Args struct {
	Operand [8]uintptr
	Images  int
}

// Worker is what one thread brings along: scratch memory, and the argument block of the kernel it is about to call, so that calls
// through function values make nothing escape to the heap.
type Worker struct {
	Scratch []float32 // 64-byte aligned; may be replaced by arena memory of the same length
	Threads int       // that the worker is one of: an item that is alone may use as many
	block   [32]uintptr
	args    Args                  // of a primitive within another
	after   abi.Plane             // of an activation behind a kernel
	square  [Lanes][Lanes]float32 // of pixels whose lanes are put together
	sums    [Lanes]float64
	lines   [maxStrided][]float64 // of operands, in scratch
}

// NewWorker returns a worker with that many floats of scratch.
func NewWorker(scratchFloats int) *Worker {
	return &Worker{Scratch: Aligned(scratchFloats), Threads: 1}
}

// argsOf returns the worker's argument block as the struct that a kernel family expects. T holds no Go pointers and has at most 32 words.
func argsOf[T any](w *Worker) *T {
	t := (*T)(unsafe.Pointer(&w.block))
	var zero T
	*t = zero
	return t
}

// Aligned returns n zeroed floats on a 64-byte boundary of the Go heap.
func Aligned(n int) []float32 {
	b := make([]float32, n+16)
	o := int(-Address(b)&63) / 4
	return b[o : o+n : o+n]
}

// Address is where f begins. The caller keeps f alive while the address is in use; it must not lie on a goroutine's stack.
func Address(f []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(f))) }
