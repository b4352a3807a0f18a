package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"

	"regraft/engine"
	"regraft/featurecache"
	"regraft/head"
	"regraft/heatmap"
	"regraft/photo"
	"regraft/train/page"
)

// The heat maps of a page: of so many photos, those that matter most, in pictures of so many pixels a side, which a browser enlarges.
const (
	mostMaps = 48
	mapSide  = 48
)

// heatMaps lays over the first photos what the answers rest on that net gives. It follows thumbnails. Maps are kept as those are: they
// are known by the network, the photo and the class.
func (m *pageMaker) heatMaps(ctx context.Context, net *engine.Network, o Options, events Events) error {
	var wanted []*page.Photo
	for _, p := range m.Order() {
		if len(p.Guesses) > 0 && p.Thumbnail != nil && len(wanted) < mostMaps {
			wanted = append(wanted, p)
		}
	}
	maps := &mapMaker{net: net, o: o}
	defer maps.close()
	if o.Cache != nil && len(wanted) > 0 {
		maps.keys = FeatureKeys(net, o.Direct, new(head.Hasher))
	}
	events.Phase(PhaseMaps, 0, len(wanted))
	for _, p := range wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := maps.of(m.paths[p], p.Guesses[0].Class)
		switch none := (*head.NoMapError)(nil); {
		case errors.As(err, &none):
			m.LeftOut = append(m.LeftOut, fmt.Sprintf("Heat maps: %v.", none))
			return nil
		case err != nil:
			return err
		case h != nil:
			p.Overlay = overlay(h, p.Thumbnail, net.Meta.Preprocess)
		}
		events.Advanced(1, noLoss)
	}
	return nil
}

// mapMaker makes maps that the cache lacks.
type mapMaker struct {
	net   *engine.Network
	o     Options
	keys  featurecache.Keys
	maker *heatmap.Maker // made when the first map needs it
}

func (m *mapMaker) close() {
	if m.maker != nil {
		m.maker.Close()
	}
}

// of is the map of a class for the photo at path; nil where that cannot be read any more.
func (m *mapMaker) of(path string, class int) (*heatmap.Map, error) {
	key, kept := m.keys.Of(m.o.Hashes[path], class), new(heatmap.Map)
	if data, there := m.o.Cache.GetBytes(key); there && json.Unmarshal(data, kept) == nil && kept.Whole() && kept.Class == class {
		return kept, nil
	}
	if m.maker == nil {
		var err error
		if m.maker, err = heatmap.New(m.net, m.o.Direct, m.o.Threads); err != nil {
			return nil, err
		}
	}
	p := m.net.Meta.Preprocess
	x := make([]float32, p.Values())
	if p.ReadFile(path, m.o.Decode, x) != nil {
		return nil, nil
	}
	h, err := m.maker.Map(x, class)
	if err != nil {
		return nil, err
	}
	if _, known := m.o.Hashes[path]; known {
		if data, err := json.Marshal(h); err == nil {
			m.o.Cache.PutBytes(key, data) // without it the next time takes longer
		}
	}
	return h, nil
}

// overlay is the map as a PNG for a photo with that thumbnail; nil where nothing can be drawn.
func overlay(h *heatmap.Map, thumbnail []byte, p *photo.Preprocess) []byte {
	c, err := jpeg.DecodeConfig(bytes.NewReader(thumbnail))
	if err != nil {
		return nil
	}
	longer := max(c.Width, c.Height)
	width, height := max(c.Width*mapSide/longer, 1), max(c.Height*mapSide/longer, 1)
	var b bytes.Buffer
	if png.Encode(&b, h.Overlay(width, height, p.Window(width, height))) != nil {
		return nil
	}
	return b.Bytes()
}
