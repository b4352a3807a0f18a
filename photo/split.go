package photo

import (
	"slices"

	"regraft/engine/random"
)

// split moves a random share of each class from Train to Val.
func (d *Dataset) split(o ScanOptions) {
	d.Split = true
	all := d.Train
	d.Train = nil
	for len(all) > 0 {
		label := all[0].Label
		n := 1
		for n < len(all) && all[n].Label == label {
			n++
		}
		share := int(float64(float64(n)*o.ValSplit) + 0.5)
		share = min(max(share, 1), n-1)
		chosen := random.At(o.Seed, "split", uint64(label)).Perm(n)[:share]
		for i, s := range all[:n] {
			if slices.Contains(chosen, i) {
				d.Val = append(d.Val, s)
			} else {
				d.Train = append(d.Train, s)
			}
		}
		all = all[n:]
	}
}
