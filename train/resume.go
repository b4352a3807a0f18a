package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regraft/photo"
	"regraft/setting"
)

// free are the fields of args.json that a resumed run may have different: where things lie, how fast it goes,
// and when it ends.
var free = []string{"model", "data", "features", "out", "threads", "workers", "epochs", "patience", "max_pixels", "checkpoint_minutes", "preprocess_assumed"}

// ReadConfig reads the settings of the run in a folder, so that it can be resumed without giving them again;
// the caller sets Net, Out and Resume.
func ReadConfig(out string) (Config, error) {
	path := filepath.Join(out, ArgsFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, usagef("nothing to resume: %v", err)
	}
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// takeUp reads what an earlier process has left of the run.
func (r *training) takeUp() error {
	if !r.out.continues {
		return nil
	}
	if err := r.readCheckpoints(); err != nil {
		return err
	}
	k := r.previous()
	if len(k.Skipped) > 0 {
		if _, err := r.goWithout(k.Skipped, nil); err != nil {
			return err
		}
	}
	r.photos = r.sets.identity(r.config.Data)
	if err := k.fits(&r.config, r.network, r.photos); err != nil {
		return err
	}
	if r.resumed != nil {
		r.epochs, r.progress, r.best = r.resumed.Epochs, r.resumed.Progress, r.resumed.Best
	}
	return nil
}

// readCheckpoints reads the last checkpoint, or, where it is damaged or was never finished, the one before.
func (r *training) readCheckpoints() (err error) {
	if r.out.holds(featuresFile) {
		if r.collected, err = readCheckpoint(r.out.name(featuresFile)); err != nil {
			return err
		}
	}
	last, previous := r.out.holds(CheckpointFile), r.out.holds(PreviousFile)
	if last {
		if r.resumed, err = readCheckpoint(r.out.name(CheckpointFile)); err == nil || !errors.Is(err, errDamaged) || !previous {
			return err
		}
	}
	if !previous {
		return nil
	}
	if r.resumed, err = readCheckpoint(r.out.name(PreviousFile)); err != nil {
		return err
	}
	if last {
		r.events.Warn(fmt.Sprintf("%s is damaged: the run goes on from the checkpoint before it", CheckpointFile))
		r.out.remove(CheckpointFile)
	}
	return nil
}

// previous is what an earlier process has left; nil for a fresh run.
func (r *training) previous() *checkpoint {
	if r.resumed != nil {
		return r.resumed
	}
	return r.collected
}

// fits reports why a checkpoint cannot go on with this configuration, network and these photos.
func (k *checkpoint) fits(c *Config, network, photos string) error {
	var changed []string
	then, now := fields(&k.Config), fields(c)
	for name, value := range now { // what only one of the two reads follows from the mode and the optimizer
		if old, read := then[name]; read && string(old) != string(value) && !slices.Contains(free, name) {
			changed = append(changed, fmt.Sprintf("%s was %s and is %s", name, then[name], value))
		}
	}
	slices.Sort(changed)
	switch {
	case len(changed) > 0:
		return usagef("%v needs the settings of the run that it continues: %s", setting.Resume, strings.Join(changed, "; "))
	case k.Network != network:
		return usagef("%v: the model is not the one that the run began with", setting.Resume)
	case k.Photos != photos:
		return &DataError{fmt.Errorf("%v: the photos of %s are not those that the run began with", setting.Resume, c.Data)}
	}
	return nil
}

// fields are the JSON values of a Config by name.
func fields(c *Config) map[string]json.RawMessage {
	data, err := json.Marshal(c)
	m := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		panic(err) // a Config holds only numbers, strings and booleans
	}
	return m
}

// identity is a hash of the classes and of the names and labels of all photos, wherever their folder lies.
func (s *sets) identity(root string) string {
	sum := sha256.New()
	for _, c := range s.classes {
		fmt.Fprintf(sum, "class %q\n", c)
	}
	for _, set := range [][]photo.Sample{s.train, s.val, s.test} {
		fmt.Fprintf(sum, "set of %d\n", len(set))
		for _, p := range set {
			fmt.Fprintf(sum, "%d %q\n", p.Label, relative(root, p.Path))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
