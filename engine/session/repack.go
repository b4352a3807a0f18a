package session

import "regraft/engine/plan"

// Repack copies values that lie as the parameters of a session of from to where those of c have them; what only one of both trains stays.
func (c *Compiled) Repack(to []float32, from *Compiled, values []float32) {
	repack(c.Params, to, from.Params, values)
}

// RepackRunning is Repack of running statistics.
func (c *Compiled) RepackRunning(to []float32, from *Compiled, values []float32) {
	repack(c.Running, to, from.Running, values)
}

func repack(slots []plan.Slot, to []float32, other []plan.Slot, values []float32) {
	known := map[string]plan.Slot{}
	for _, s := range other {
		known[s.Param.Name] = s
	}
	for _, s := range slots {
		if o, is := known[s.Param.Name]; is {
			row := make([]float32, s.Param.Shape.TotalSize())
			o.Unpack(row, values[o.Off/4:][:o.Len])
			s.Pack(to[s.Off/4:][:s.Len], row)
		}
	}
}
