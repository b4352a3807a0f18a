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

// runProgram is the plain form of a program: the same instructions on the same operands, so the same bits.
func runProgram(p toomcook.Program, inputs []lanes) []lanes {
	values := append(make([]lanes, 0, p.Inputs+len(p.Ops)), inputs...)
	for _, op := range p.Ops {
		a, b := &values[op.A], &values[op.B]
		var v lanes
		for l := range v {
			switch op.Kind {
			case toomcook.Mul:
				v[l] = op.C * a[l]
			case toomcook.FMA:
				v[l] = fma32(op.C, a[l], b[l])
			case toomcook.Add:
				v[l] = a[l] + b[l]
			case toomcook.Sub:
				v[l] = a[l] - b[l]
			}
		}
		values = append(values, v)
	}
	results := make([]lanes, len(p.Results))
	for i, r := range p.Results {
		results[i] = values[r]
	}
	return results
}

func loadVector(p uintptr) lanes     { return *(*lanes)(pointer(p)) }
func storeVector(p uintptr, v lanes) { *(*lanes)(pointer(p)) = v }

// transformInGo is the plain form of the transforms into products.
func transformInGo(p toomcook.Program, dims int, a *transformInArgs) {
	in, out := p.Inputs, len(p.Results)
	for t := range a.Tiles {
		left := a.Columns - t*a.ColumnsLess
		element := func(row, column, index int) (v lanes) {
			if index >= left {
				return v
			}
			return loadVector(a.Rows[row] + uintptr(t*a.Step+column*a.ColumnStep))
		}
		dst := a.Dst + uintptr(t*a.DstStep)
		if dims == 1 {
			line := make([]lanes, in)
			for i := range line {
				line[i] = element(i, 0, i)
			}
			for i, v := range runProgram(p, line) {
				storeVector(dst+uintptr(i*a.Position), v)
			}
			continue
		}
		half := make([][]lanes, out)
		for j := range in {
			column := make([]lanes, in)
			for i := range column {
				column[i] = element(i, j, j)
			}
			for i, v := range runProgram(p, column) {
				half[i] = append(half[i], v)
			}
		}
		for i, row := range half {
			for j, v := range runProgram(p, row) {
				storeVector(dst+uintptr((i*out+j)*a.Position), v)
			}
		}
	}
}

// transformOutGo is the plain form of the transforms out of products.
func transformOutGo(p toomcook.Program, dims int, a *transformOutArgs) {
	in, out := p.Inputs, len(p.Results)
	bias := loadVector(a.Bias)
	for t := range a.Tiles {
		src, dst := a.Src+uintptr(64*t), a.Dst+uintptr(t*a.Step)
		rows, columns := a.Rows-t*a.RowsLess, a.Columns-t*a.ColumnsLess
		finish := func(column []lanes, at uintptr) {
			for i, v := range runProgram(p, column)[:max(0, min(out, rows))] {
				finishVector(v, bias, at+uintptr(i*a.Row), a)
			}
		}
		if dims == 1 {
			line := make([]lanes, in)
			for i := range line {
				line[i] = loadVector(src + uintptr(i*a.Position))
			}
			finish(line, dst)
			continue
		}
		half := make([][]lanes, out)
		for i := range in {
			row := make([]lanes, in)
			for j := range row {
				row[j] = loadVector(src + uintptr((i*in+j)*a.Position))
			}
			for j, v := range runProgram(p, row) {
				half[j] = append(half[j], v)
			}
		}
		for j := range min(out, columns) {
			finish(half[j], dst+uintptr(64*j))
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
