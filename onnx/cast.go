package onnx

// Conversions from one type to another.

// foldCast converts element by element: reals to integers toward zero, anything but zero to true.
func foldCast(c *call, in []*constant) ([]*constant, error) {
	c.ignore("saturate", "round_mode") // they concern 8-bit floats only
	return c.cast(in[0], c.castTo())
}

func foldCastLike(c *call, in []*constant) ([]*constant, error) {
	c.ignore("saturate", "round_mode")
	return c.cast(in[0], in[1].dtype)
}

func (c *call) cast(k *constant, to dataType) ([]*constant, error) {
	if to = widened(to); k.dtype == to {
		return []*constant{k}, nil
	}
	result, err := c.allocate(to, k.shape)
	if err != nil {
		return nil, err
	}
	if to == typeBool || k.dtype == typeBool { // a condition, which the network holds as numbers
		result.origin = k.origin
	}
	for i := range k.size() {
		if k.isOpen(i) && to != typeBool {
			result.markOpen(i)
		}
		switch v := k.at(i); {
		case to == typeBool && v != 0:
			result.ints[i] = 1
		case k.integral() && result.ints != nil:
			result.ints[i] = wrap(to, k.integer(i))
		default:
			result.set(i, v)
		}
	}
	return []*constant{result}, nil
}

// lowerCast lets floats through: everything computed from the image is float32, halves as well. Pixels may stay what they are.
func lowerCast(c *call) error {
	c.ignore("saturate", "round_mode")
	to := c.castTo()
	if pixels := c.node.in[0].pixels && to == typeUint8; pixels {
		c.node.out[0].pixels = true
	} else if to == typeBool && c.operand(0).truth {
		return lowerIdentity(c)
	} else if widened(to) != typeFloat {
		return c.refused("attribute to is %v: only float32 is computed on", to)
	}
	c.halves = c.halves || isHalf(to)
	return lowerIdentity(c)
}

// lowerCastLike casts a known operand to the type of one that is computed from the image.
func lowerCastLike(c *call) error {
	c.ignore("saturate", "round_mode")
	to := typeFloat
	if like := c.operand(1); like.constant != nil {
		to = like.constant.dtype
	}
	k := c.operand(0).constant
	if k == nil {
		if to != typeFloat {
			return c.refused("a cast to %v: only float32 is computed on", to)
		}
		return lowerIdentity(c)
	}
	result, err := c.cast(k, to)
	if err != nil {
		return err
	}
	c.define(0, result[0])
	return nil
}
