package regraft

import (
	"context"
	"image"
	"image/draw"

	"regraft/heatmap"
)

// HeatMap says where on a photo the score of a class comes from.
type HeatMap struct {
	heatmap.Map
	// Label is the class's name.
	Label string

	prepared Preprocess
}

// Explain says of every place of the photo what it adds to the score of a class, by its index in Labels. It is a *NoMapError where the
// network has no such map, as transformers have none.
func (m *Model) Explain(ctx context.Context, ph Photo, class int) (*HeatMap, error) {
	if err := m.takesPhotos(); err != nil {
		return nil, err
	}
	p := m.Preprocess()
	d := m.load(ph, p, nil)
	if d.err != nil {
		return nil, d.err
	}
	m.mapping.Lock()
	defer m.mapping.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.prepareMaps(); err != nil {
		return nil, err
	}
	h, err := m.maps.Map(d.views[0].x, class)
	if err != nil {
		return nil, err
	}
	return &HeatMap{*h, m.Labels()[class], p}, nil
}

// Explains is a *NoMapError where Explain would be one for every photo.
func (m *Model) Explains() error {
	m.mapping.Lock()
	defer m.mapping.Unlock()
	return m.prepareMaps()
}

// prepareMaps sees to it that maps are those of the network as it is now. The caller has locked mapping.
func (m *Model) prepareMaps() error {
	net, err := m.whole()
	if err != nil || m.maps != nil && m.mapped == net {
		return err
	}
	if err := m.closeMaps(); err != nil {
		return err
	}
	maker, err := heatmap.New(net, m.options.direct, m.options.threads)
	if err == nil {
		m.maps, m.mapped = maker, net
	}
	return err
}

// closeMaps gives their memory back. The caller has locked mapping.
func (m *Model) closeMaps() error {
	if m.maps == nil {
		return nil
	}
	maker := m.maps
	m.maps, m.mapped = nil, nil
	return maker.Close()
}

// Over is the photo, upright and of any size, with the map laid over it.
func (h *HeatMap) Over(ph image.Image) *image.RGBA {
	w, height := ph.Bounds().Dx(), ph.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, height))
	draw.Draw(out, out.Rect, ph, ph.Bounds().Min, draw.Src)
	draw.Draw(out, out.Rect, h.Overlay(w, height), image.Point{}, draw.Over)
	return out
}

// Overlay is the map alone, for a photo of w x h pixels: what is laid over it.
func (h *HeatMap) Overlay(w, height int) *image.NRGBA {
	return h.Map.Overlay(w, height, h.prepared.Window(w, height))
}
