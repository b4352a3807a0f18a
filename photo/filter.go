package photo

// Resampling is the filter that makes pixels of another size.
type Resampling string

// The filters. Pillow's bilinear (torchvision) or bicubic (timm) is
// what pretrained weights expect; the others are those of github.com/nfnt/resize.
const (
	Bilinear     Resampling = "bilinear"
	Bicubic      Resampling = "bicubic"
	NfntBilinear Resampling = "nfnt-bilinear"
	NfntBicubic  Resampling = "nfnt-bicubic"
	NfntLanczos3 Resampling = "nfnt-lanczos3"
)

// Resamplings are all of them.
var Resamplings = []Resampling{Bilinear, Bicubic, NfntBilinear, NfntBicubic, NfntLanczos3}

// filter is one of Pillow's: a weight for every distance below its support.
type filter struct {
	support float64
	weight  func(distance float64) float64
	// overshoots: some weights are negative, so that sums leave the range of 8 bits.
	overshoots bool
}

// pillowFilters are BILINEAR, a triangle, and BICUBIC, Keys's cubic with a = -0.5.
var pillowFilters = map[Resampling]filter{
	Bilinear: {1, func(d float64) float64 { return max(1-d, 0) }, false},
	Bicubic:  {2, cubic, true},
}

func cubic(d float64) float64 {
	const a = -0.5
	switch {
	case d < 1:
		return float64(float64((float64((a+2)*d)-(a+3))*d)*d) + 1
	case d < 2:
		return float64((float64((float64((d-5)*d)+8)*d) - 4) * a)
	}
	return 0
}
