package train

import (
	"encoding/json"
	"fmt"
	"maps"

	"regraft/engine"
)

// told is what the metadata of a network say under a key, in JSON; nil where they say nothing.
func told[T any](net *engine.Network, key string) (*T, error) {
	text, there := net.Meta.Other[key]
	if !there {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return v, nil
}

// tell lets the metadata of a network say v under a key; networks that share them are left alone.
func tell(net *engine.Network, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	other := map[string]string{}
	maps.Copy(other, net.Meta.Other)
	other[key] = string(text)
	net.Meta.Other = other
	return nil
}
