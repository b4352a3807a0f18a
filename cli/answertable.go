package cli

import (
	"encoding/json"
	"io"
	"strconv"

	"regraft/answer"
	"regraft/journal"
)

// answerTable begins a Parquet file of answers, which says what they were made of.
func answerTable(w io.Writer, o journal.Origin) (*answer.Table, error) {
	settings, err := json.Marshal(o.Settings)
	if err != nil {
		return nil, err
	}
	madeOf := map[string]string{
		"regraft.version": o.Program, "regraft.model_sha256": o.Model, "regraft.network_sha256": o.Network, "regraft.settings": string(settings),
		"regraft.inputs": strconv.Itoa(o.Inputs), "regraft.inputs_sha256": o.List,
	}
	if o.Shard != "" {
		madeOf["regraft.shard"] = o.Shard
	}
	return answer.NewTable(w, madeOf), nil
}

// parquetOf makes a Parquet file of answers that are lines of JSON.
func parquetOf(lines io.Reader, w io.Writer, o journal.Origin) error {
	t, err := answerTable(w, o)
	if err != nil {
		return err
	}
	if err := t.AddAll(lines); err != nil {
		return err
	}
	return t.Close()
}
