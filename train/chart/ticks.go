package chart

import (
	"math"
	"strconv"
)

// Ticks are the multiples of 1, 2 or 5 times a power of ten from low to high, at most about most of them, and no
// finer than smallest.
func Ticks(low, high float64, most int, smallest float64) []float64 {
	span := high - low
	if !(span > 0) || math.IsInf(span, 0) {
		return []float64{low}
	}
	exponent := math.Floor(math.Log10(span / float64(most)))
	for ; ; exponent++ {
		for _, digit := range []float64{1, 2, 5} {
			step := decimal(digit, exponent)
			if step < smallest || span/step > float64(most) {
				continue
			}
			var values []float64
			for k := math.Ceil(low / step); k <= math.Floor(high/step*(1+1e-12)); k++ {
				values = append(values, decimal(k*digit, exponent))
			}
			return values
		}
	}
}

// decimal is digits · 10^exponent, rounded once, so that it is printed as short as it is.
func decimal(digits, exponent float64) float64 {
	if exponent < 0 {
		return digits / math.Pow10(int(-exponent))
	}
	return digits * math.Pow10(int(exponent))
}

// names prints values as short as they can be told.
func names(values []float64) []string {
	var texts []string
	for _, v := range values {
		texts = append(texts, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return texts
}
