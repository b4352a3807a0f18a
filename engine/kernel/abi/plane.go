package abi

// Plane are the arguments of the kernels that walk the pixels of one plane (one block of sixteen channels of one image) row by row.
type Plane struct {
	X, Y, Out          uintptr    // first pixel of the first row
	XRow, YRow, OutRow int        // bytes between rows
	Rows, Pixels       int        // pixels of a row
	Vector             [6]uintptr // constants per channel, sixteen floats each
	Low, High          float32    // constants for all channels
	Sum                uintptr    // sixteen float64 that a reduction adds to
	Product            uintptr    // sixteen more
}

// PickLanes says which lanes of a block of X become which of Out: lane c of Out is lane Index[c] of X where Mask[c] has all bits set,
// else 0. Low and High are Mask for indices below 8 and from 8 on.
type PickLanes struct{ Index, Mask, Low, High [Lanes]uint32 }

// Pool are the arguments of the pooling kernels.
type Pool struct {
	X, Y   uintptr // planes: what the windows slide over, and what has their output pixels
	Runs   uintptr // of PoolRun
	N      int     // runs
	Taps   uintptr // of int32
	Step   int     // bytes between neighbouring windows
	Bias   uintptr // sixteen floats added to an average
	Low    float32 // lower bound of an average or a depthwise convolution,
	High   float32 // and upper bound of the latter
	DX     uintptr // gradient of a maximum: the plane that X's gradient is added to,
	DXRuns uintptr // and its own runs and taps
	DXTaps uintptr
	W      uintptr // depthwise: weights of the window, sixteen floats a tap (or their gradient),
	WTaps  uintptr // and of int32, parallel to Taps
}

// PoolRun is a run of neighbouring output pixels with the same window.
type PoolRun struct {
	In, Out int32 // byte offsets in the plane: where the first window starts, its output pixel
	Tap     int32 // byte offset into the list of taps
	Taps    int32
	Pixels  int32
	Divisor float32 // of an average
}

// Pack are the arguments of the kernel that turns three channel rows into rows of RGB pixels.
type Pack struct {
	X, Y       uintptr // first row of the first channel, first pixel
	Channel    int     // bytes between the channels of X
	XRow, YRow int     // bytes between rows
	Rows       int
	Pixels     int // of a row
	Scale      [3]float32
	Shift      [3]float32
}
