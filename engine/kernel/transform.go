package kernel

import (
	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/toomcook"
)

// transformInArgs are the arguments of the Winograd transforms into products, of pixels and of weights.
type transformInArgs abi.TransformIn

// transformOutArgs are the arguments of the Winograd transforms out of products.
type transformOutArgs abi.TransformOut

type lanes = [Lanes]float32

// No transform has more points, or more values in all.
const (
	maxPoints = 8
	maxValues = 64
)

// values are the inputs of a program, then the results of its instructions, on the stack of whoever runs it.
type values [maxValues]lanes

// run is the plain form of a program whose inputs are in v: the same instructions on the same operands, so the same bits.
func (v *values) run(p *toomcook.Program) {
	for i := range p.Ops {
		op := &p.Ops[i]
		a, b, out := &v[op.A], &v[op.B], &v[p.Inputs+i]
		for l := range out {
			switch op.Kind {
			case toomcook.Mul:
				out[l] = op.C * a[l]
			case toomcook.FMA:
				out[l] = fma32(op.C, a[l], b[l])
			case toomcook.Add:
				out[l] = a[l] + b[l]
			case toomcook.Sub:
				out[l] = a[l] - b[l]
			}
		}
	}
}

func loadVector(p uintptr) lanes     { return *(*lanes)(pointer(p)) }
func storeVector(p uintptr, v lanes) { *(*lanes)(pointer(p)) = v }

// transformInGo is the plain form of the transforms into products.
func transformInGo(p *toomcook.Program, dims int, a *transformInArgs) {
	in, out := p.Inputs, len(p.Results)
	var v values
	var half [maxPoints][maxPoints]lanes
	for t := range a.Tiles {
		left := a.Columns - t*a.ColumnsLess
		element := func(row, column, index int) (e lanes) {
			if index >= left {
				return e
			}
			return loadVector(a.Rows[row] + uintptr(t*a.Step+column*a.ColumnStep))
		}
		dst := a.Dst + uintptr(t*a.DstStep)
		if dims == 1 {
			for i := range in {
				v[i] = element(i, 0, i)
			}
			v.run(p)
			for i, r := range p.Results {
				storeVector(dst+uintptr(i*a.Position), v[r])
			}
			continue
		}
		for j := range in {
			for i := range in {
				v[i] = element(i, j, j)
			}
			v.run(p)
			for i, r := range p.Results {
				half[i][j] = v[r]
			}
		}
		for i := range out {
			copy(v[:in], half[i][:])
			v.run(p)
			for j, r := range p.Results {
				storeVector(dst+uintptr((i*out+j)*a.Position), v[r])
			}
		}
	}
}

// transformOutGo is the plain form of the transforms out of products.
func transformOutGo(p *toomcook.Program, dims int, a *transformOutArgs) {
	in, out := p.Inputs, len(p.Results)
	bias := loadVector(a.Bias)
	var v values
	var half [maxPoints][maxPoints]lanes
	for t := range a.Tiles {
		src, dst := a.Src+uintptr(64*t), a.Dst+uintptr(t*a.Step)
		rows, columns := a.Rows-t*a.RowsLess, a.Columns-t*a.ColumnsLess
		finish := func(at uintptr) {
			v.run(p)
			for i, r := range p.Results[:max(0, min(out, rows))] {
				finishVector(v[r], bias, at+uintptr(i*a.Row), a)
			}
		}
		if dims == 1 {
			for i := range in {
				v[i] = loadVector(src + uintptr(i*a.Position))
			}
			finish(dst)
			continue
		}
		for i := range in {
			for j := range in {
				v[j] = loadVector(src + uintptr((i*in+j)*a.Position))
			}
			v.run(p)
			for j, r := range p.Results {
				half[j][i] = v[r]
			}
		}
		for j := range min(out, columns) {
			copy(v[:in], half[j][:])
			finish(dst + uintptr(64*j))
		}
	}
}

// finishVector adds the bias and what the output holds, applies the lower bound and stores.
func finishVector(v, bias lanes, at uintptr, a *transformOutArgs) {
	y := loadVector(at)
	for l := range v {
		v[l] += bias[l]
		if a.Flags&abi.FromOutput != 0 {
			v[l] += y[l]
		}
		if v[l] < a.Low {
			v[l] = a.Low
		}
	}
	storeVector(at, v)
}
