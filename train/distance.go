package train

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"regraft/engine"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
)

// Distance tells photos from pictures of something else altogether, by how they look on the way through the network (head.WithLook): the
// Mahalanobis distance from the training photos (Lee et al., A Simple Unified Framework, 2018), of one Gaussian for all classes.
type Distance struct {
	// Block names the place in the network, H and W are the size of its photos.
	Block string `json:"block"`
	H     int    `json:"h"`
	W     int    `json:"w"`
	// Limit is the distance within which Kept of Photos photos like the training photos lie; it was not fitted on them.
	Limit  float64 `json:"limit"`
	Kept   float64 `json:"kept"`
	Photos int     `json:"photos"`
	// The Gaussian.
	gaussian
}

// distanceKey is where it is in the metadata of the file.
const distanceKey = "regraft.distance"

// DefaultFar is the share of photos like the training photos that are not far where nobody says otherwise.
const DefaultFar = 0.99

// Of is the distance of a photo that looks so, by the limit: above 1 it is far.
func (d *Distance) Of(look []float32) float64 {
	return math.Sqrt(d.square(look)) / d.Limit
}

// DistanceSummary is what people are told about a Distance.
type DistanceSummary struct {
	Block string `json:"block"`
	// Kept of Photos photos that were held out are within the limit.
	Kept   float64 `json:"kept"`
	Photos int     `json:"photos"`
	// Bytes are what it takes of the model's file.
	Bytes int `json:"bytes"`
}

// Summary is that of d; nil for none.
func (d *Distance) Summary() *DistanceSummary {
	if d == nil {
		return nil
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // its numbers are finite
	}
	return &DistanceSummary{d.Block, d.Kept, d.Photos, len(text)}
}

// String is a line about it.
func (s *DistanceSummary) String() string {
	return fmt.Sprintf("pictures of something else are unknown: farther from the training photos, as %s sees them, than %.1f %% of %d photos that were held out (%.0f KiB of the file)",
		photo.Shown(s.Block), 100*s.Kept, s.Photos, float64(s.Bytes)/1024)
}

// DistanceOf is that of a network; nil where its file has none.
func DistanceOf(net *engine.Network) (*Distance, error) {
	d, err := told[Distance](net, distanceKey)
	if err != nil || d == nil {
		return nil, err
	}
	if !(d.Limit > 0) || math.IsInf(d.Limit, 0) || !(d.Kept >= 0 && d.Kept <= 1) || !d.gaussian.valid() {
		return nil, fmt.Errorf("%s: its numbers are out of range", distanceKey)
	}
	return d, nil
}

// into lets the metadata of a network tell of the distance.
func (d *Distance) into(net *engine.Network) error { return tell(net, distanceKey, d) }

// limited sets the limit by the squared distances of photos that it was not fitted on: the next above so great a share of them, as for
// prediction sets. It is false where the photos are too few, or some of their distances are no numbers.
func (d *Distance) limited(squares []float64, share float64) bool {
	n := len(squares)
	if n < leastCalibrated || slices.ContainsFunc(squares, broken) {
		return false
	}
	slices.Sort(squares)
	k := min(int(math.Ceil(float64(n+1)*share)), n)
	d.Limit = math.Sqrt(squares[k-1])
	for k < n && squares[k] == squares[k-1] {
		k++
	}
	d.Kept, d.Photos = float64(k)/float64(n), n
	return d.Limit > 0
}

// measureDistance fits the distance to the looks of the training photos, heads mode. Its limit comes from folds of them: the trunk has learnt
// from none.
func (r *training) measureDistance(looks *features, block string) {
	n := len(r.sets.train)
	g := newGrouping(&r.config, r.hashes, r.alike)
	part, k := folds(r.sets.train, g.groups(r.sets.train), len(r.sets.classes), defaultFolds, r.config.Seed)
	if part == nil {
		return
	}
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = looks.of(i)
	}
	var squares []float64
	for fold := range k {
		var fitted [][]float32
		for i, row := range rows {
			if part[i] != fold {
				fitted = append(fitted, row)
			}
		}
		g := fitGaussian(fitted)
		for i, row := range rows {
			if part[i] == fold {
				squares = append(squares, g.square(row))
			}
		}
	}
	r.keepDistance(block, fitGaussian(rows), squares)
}

// keepDistance is the distance from g with the limit of squares.
func (r *training) keepDistance(block string, g gaussian, squares []float64) {
	size := r.net.ImageSize()
	d := &Distance{Block: block, H: size.H, W: size.W, gaussian: g}
	if d.limited(squares, r.config.Far) {
		r.distance = d
	}
}

// addDistance reads that of the best model, or makes it and writes the model again, full mode: the trunk has learnt from the training photos, so
// the limit comes from those of validation.
func (r *training) addDistance(ctx context.Context) error {
	if r.config.Mode != Full || r.config.Far == 0 || r.sets.onTest || len(r.sets.val) < leastCalibrated {
		return nil
	}
	best, err := r.readBest()
	if err != nil {
		return err
	}
	if r.distance, err = DistanceOf(best); err != nil || r.distance != nil {
		return err
	}
	trunk, err := head.Trunk(best)
	if err != nil {
		return err
	}
	look, block, err := head.Look(trunk)
	if err != nil || look == nil {
		return err
	}
	e, err := newExtractor(look, nil, nil, nil, &r.config)
	if err != nil {
		return err
	}
	defer e.close()
	var rows [2][][]float32
	for i, samples := range [][]photo.Sample{evenly(r.sets.train, mostFitted), r.sets.val} {
		x := newCollection(samples, []head.Head{lookEnd(look)}, 1)
		if err := e.fill(ctx, x, r.events, func() {}); err != nil {
			return err
		}
		rows[i] = slices.Collect(slices.Chunk(x.sets[0].data, x.sets[0].f))
	}
	g := fitGaussian(rows[0])
	var squares []float64
	for _, row := range rows[1] {
		squares = append(squares, g.square(row))
	}
	if r.keepDistance(block, g, squares); r.distance == nil {
		return nil
	}
	if err := r.distance.into(best); err != nil {
		return err
	}
	return onnx.Write(r.out.name(BestFile), best)
}

// lookEnd is the last output of a network with a look as a head that reads it.
func lookEnd(looking *engine.Network) head.Head {
	return head.Head{Features: looking.Outputs[len(looking.Outputs)-1].Node.Shape()[1]}
}

// floats are numbers that JSON holds as base64 of little-endian float32.
type floats []float32

// MarshalJSON writes the text.
func (f floats) MarshalJSON() ([]byte, error) {
	data := make([]byte, 0, 4*len(f))
	for _, v := range f {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(data))
}

// UnmarshalJSON reads it.
func (f *floats) UnmarshalJSON(text []byte) error {
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	if len(data)%4 != 0 {
		return fmt.Errorf("%d bytes are no float32", len(data))
	}
	*f = nil
	for ; len(data) > 0; data = data[4:] {
		*f = append(*f, math.Float32frombits(binary.LittleEndian.Uint32(data)))
	}
	return nil
}
