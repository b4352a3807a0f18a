package abi

// Lanes is the number of channels of a block.
const Lanes = 16

// EntryBytes are the weights of one entry for one output block: 16 input channels of 16 outputs.
const EntryBytes = 4 * Lanes * Lanes

// Bits of flags.
const (
	FromOutput = 1 << iota // start from what the output holds instead of the bias
	ClampZero              // no result below zero
	AddBias                // with FromOutput: add the bias to the start
	ClampSix               // with ClampZero: no result above six
)

// Conv are the arguments of the convolution kernels: Tiles tiles of Pixels pixels x Blocks output blocks, each a sum over Entries
// entries. The assembly consumes W, Y, Tiles and WNextTiles.
type Conv struct {
	X          uintptr // input of the first tile
	W          uintptr // weights of the first entry, first output block
	Y          uintptr // output of the first tile
	Off        uintptr // of int32: bytes from the tile's input to each entry's
	Entries    int     // may be 0
	WK         int     // bytes between output blocks in W
	YP, YK     int     // bytes between pixels and between blocks in Y
	Bias       uintptr
	Flags      int
	Tiles      int
	XStep      int // bytes to the next tile's input
	YStep      int // ... output
	WStep      int // ... weights: 0 for convolutions, the next position's for Winograd products
	WNext      int // bytes from W to weights wanted later, prefetched during the first WNextTiles tiles, a quarter during each
	WNextTiles int // at most 4
	Six        float32

	// The assembly kernels have these built in.
	Pixels, Blocks int
	XP             int // bytes between input pixels
	Channels       int // per entry
}

// WGrad are the arguments of the weight-gradient kernels: Tiles tiles of Channels input channels x Blocks output blocks of dW, each
// summed over Images images, Count row pairs and Pixels pixels. The assembly consumes X, W and Tiles.
type WGrad struct {
	X      uintptr // input of the first tap, first channel, at the first output pixel
	W      uintptr // dW
	Y      uintptr // dY of the first output block
	Rows   uintptr // of int32 pairs: bytes from X and from Y to the row
	Count  int     // rows
	Pixels int     // per row
	XP     int     // bytes between input pixels
	YK     int     // bytes between dY blocks
	WK     int     // bytes between output blocks of dW
	Flags  int     // FromOutput: add to what dW holds
	Images int
	XImage int // bytes between images
	YImage int
	Tiles  int
	XStep  int // bytes to the next tile's first channel in X
	WStep  int // and in dW

	// The assembly kernels have these built in.
	Channels, Blocks int
	Group            int // channels of a tap: its weights begin EntryBytes after the last tap's
}

// TransformIn are the arguments of the Winograd transforms into products, of pixels and of weights. Rows beyond those of the
// transform are unused; where there is one axis only, they are the addresses of its elements.
type TransformIn struct {
	Rows        [12]uintptr // first column of each row, of the first tile
	Dst         uintptr     // first position of the first tile
	Position    int         // bytes between positions
	Tiles       int
	Step        int // bytes between tiles in a row
	ColumnStep  int // bytes between columns in a row
	Columns     int // columns (of one axis: elements) left of the image's end, for the first tile
	ColumnsLess int // and how many fewer for every next tile
	Scratch     uintptr
	Half        int // for the kernel
	DstStep     int // bytes between tiles of the destination
}

// TransformOut are the arguments of the Winograd transforms out of products.
type TransformOut struct {
	Src         uintptr // first position of the first tile; the next tile's lies 64 bytes on
	Position    int     // bytes between positions
	Tiles       int
	Dst         uintptr
	Row         int // bytes between output rows, or between elements of the one axis
	Step        int // bytes between tiles
	Rows        int // rows (or elements) above the image's end, for the first tile
	RowsLess    int
	Columns     int
	ColumnsLess int
	Bias        uintptr
	Low         float32 // lower bound of the result
	Flags       int     // FromOutput: add what the output holds
	Scratch     uintptr
	Half        int // for the kernel
}

// SlotSum are the arguments of the kernel that adds up slots: the first Lines lines of 64 bytes become the sum of Slots stretches.
type SlotSum struct {
	First uintptr
	Step  int // bytes between slots
	Lines int
	Slots int
}

// Transpose are the arguments of the kernel that transposes Count blocks of 16x16 floats, steps in bytes.
type Transpose struct {
	Src, Dst         uintptr
	SrcStep, DstStep int
	Count            int
}

// Peak are the arguments of the loops that measure the machine: Rounds times four multiply-adds in all but two registers.
type Peak struct{ Rounds int }
