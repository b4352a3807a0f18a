package photo

import "regraft/engine/random"

// Shuffled is the order of n samples in an epoch.
func Shuffled(n int, seed uint64, epoch int) []int {
	return random.At(seed, "shuffle", uint64(epoch)).Perm(n)
}

// Balanced is an order of as many samples as there are labels in which every class comes equally often, but for one: the samples of a
// class in random order, again and again until there are enough. It depends on seed and epoch alone.
func Balanced(labels []int, seed uint64, epoch int) []int {
	members := map[int][]int{} // of the classes
	var classes []int          // in the order in which they come
	for i, l := range labels {
		if members[l] == nil {
			classes = append(classes, l)
		}
		members[l] = append(members[l], i)
	}
	r := random.At(seed, "balance", uint64(epoch))
	drawn := make([]int, 0, len(labels))
	for k, at := range r.Perm(len(classes)) {
		own := members[classes[at]]
		wanted := len(labels) / len(classes)
		if k < len(labels)%len(classes) {
			wanted++
		}
		for wanted > 0 {
			for _, i := range r.Perm(len(own))[:min(wanted, len(own))] {
				drawn = append(drawn, own[i])
			}
			wanted -= min(wanted, len(own))
		}
	}
	order := make([]int, len(drawn))
	for i, from := range r.Perm(len(drawn)) {
		order[i] = drawn[from]
	}
	return order
}
