package asm

import "regraft/engine/kernel/abi"

// The arguments of the kernels.
type (
	convArgs         = abi.Conv
	wgradArgs        = abi.WGrad
	transformInArgs  = abi.TransformIn
	transformOutArgs = abi.TransformOut
	planeArgs        = abi.Plane
	poolArgs         = abi.Pool
	packArgs         = abi.Pack
	updateArgs       = abi.Update
	transposeArgs    = abi.Transpose
	sumArgs          = abi.SlotSum
	peakArgs         = abi.Peak
)

type (
	convTile  = abi.ConvTile
	wgradTile = abi.WGradTile
)
