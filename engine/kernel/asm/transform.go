package asm

import "regraft/engine/kernel/abi"

// transform is the plain form of a transform along an axis.
type transform struct {
	in, out int
	dims    int // axes
	run     func(in line) (out line)
}

// line is the elements along an axis, as many as there are. It is passed by value, so that nothing is allocated.
type line [12]lanes

func loadVector(p uintptr) lanes     { return *(*lanes)(Pointer(p)) }
func storeVector(p uintptr, v lanes) { *(*lanes)(Pointer(p)) = v }

// transformInGo is the plain form of the transforms into products.
func transformInGo(p transform, a *transformInArgs) {
	var half [len(line{})]line
	for t := range a.Tiles {
		left := a.Columns - t*a.ColumnsLess
		element := func(row, column, index int) (v lanes) {
			if index >= left {
				return v
			}
			return loadVector(a.Rows[row] + uintptr(t*a.Step+column*a.ColumnStep))
		}
		dst := a.Dst + uintptr(t*a.DstStep)
		var column line
		if p.dims == 1 {
			for i := range p.in {
				column[i] = element(i, 0, i)
			}
			column = p.run(column)
			for i := range p.out {
				storeVector(dst+uintptr(i*a.Position), column[i])
			}
			continue
		}
		for j := range p.in {
			for i := range p.in {
				column[i] = element(i, j, j)
			}
			for i, v := range p.run(column) {
				half[i][j] = v
			}
		}
		for i := range p.out {
			row := p.run(half[i])
			for j := range p.out {
				storeVector(dst+uintptr((i*p.out+j)*a.Position), row[j])
			}
		}
	}
}

// transformOutGo is the plain form of the transforms out of products.
func transformOutGo(p transform, a *transformOutArgs) {
	var half [len(line{})]line
	bias := loadVector(a.Bias)
	for t := range a.Tiles {
		src, dst := a.Src+uintptr(64*t), a.Dst+uintptr(t*a.Step)
		rows, columns := a.Rows-t*a.RowsLess, a.Columns-t*a.ColumnsLess
		finish := func(column line, at uintptr) {
			column = p.run(column)
			for i := range min(p.out, rows) {
				finishVector(column[i], bias, at+uintptr(i*a.Row), a)
			}
		}
		var row line
		if p.dims == 1 {
			for i := range p.in {
				row[i] = loadVector(src + uintptr(i*a.Position))
			}
			finish(row, dst)
			continue
		}
		for i := range p.in {
			for j := range p.in {
				row[j] = loadVector(src + uintptr((i*p.in+j)*a.Position))
			}
			for j, v := range p.run(row) {
				half[j][i] = v
			}
		}
		for j := range min(p.out, columns) {
			finish(half[j], dst+uintptr(64*j))
		}
	}
}

// finishVector adds the bias and what the output holds, applies the lower bound and stores.
func finishVector(v, bias lanes, at uintptr, a *transformOutArgs) {
	plus_go(&v, &bias)
	if a.Flags&abi.FromOutput != 0 {
		plus_go(&v, (*lanes)(Pointer(at)))
	}
	atLeast_go(&v, a.Low)
	storeVector(at, v)
}
