package engine

// Join makes one operator of each of those that exporters spell out with several and that have steps of their own: attention, its
// continuous position biases and the factors of global response normalisation.
func (n *Network) Join() (*Network, error) {
	for _, join := range []func(*Network) (*Network, error){(*Network).joinResponseNorms, (*Network).joinPositionBiases, (*Network).JoinAttention} {
		var err error
		if n, err = join(n); err != nil {
			return nil, err
		}
	}
	return n, nil
}
