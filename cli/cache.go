package cli

import (
	"time"

	urfave "github.com/urfave/cli/v2"

	"regraft/featurecache"
	"regraft/photo"
)

// cacheFlags say where features of photos are kept for the next command.
func cacheFlags() []urfave.Flag {
	return []urfave.Flag{
		stringFlag("cache", "", "`DIR` that keeps features of photos for the next time (default: the user's cache)"),
		boolFlag("no-cache", "keep no features, and use none that are kept"),
		cacheLimitFlag(),
	}
}

func cacheLimitFlag() urfave.Flag {
	f := stringFlag("cache-limit", "2G", "`BYTES` that the cache may hold, with K, M or G")
	f.Action = func(_ *urfave.Context, text string) error {
		if _, err := byteCount(text); err != nil {
			return usagef("--cache-limit %q: %v", text, err)
		}
		return nil
	}
	return f
}

// featureCache is the cache that the flags choose; nil for none.
func featureCache(c *urfave.Context) (*featurecache.Cache, error) {
	if c.Bool("no-cache") {
		return nil, idle(c, "with --no-cache", "cache", "cache-limit")
	}
	limit, err := byteCount(c.String("cache-limit"))
	if err != nil {
		return nil, usagef("--cache-limit %q: %v", c.String("cache-limit"), err)
	}
	dir := c.String("cache")
	if dir == "" {
		if dir, err = featurecache.Dir(); err != nil {
			return nil, nil // this system has no place for it
		}
	}
	return featurecache.Open(dir, limit), nil
}

// trimmed keeps the cache within its limit when a command is done. That it cannot be is no failure of the command.
func trimmed(con *console, cache *featurecache.Cache) {
	if err := cache.Trim(); err != nil {
		con.warnf("the cache of features cannot be kept small: %v", err)
	}
}

// keptOrTold is trimmed, and warns where a model could not keep features, which changes no answer. Training and evaluation tell that
// themselves.
func keptOrTold(con *console, cache *featurecache.Cache) {
	if err := cache.Failed(); err != nil {
		con.warnf("the features are not kept for later: %v", err)
	}
	trimmed(con, cache)
}

func cacheCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "cache",
		Usage:       "show or clear what is kept of photos on disk: features, small pictures",
		ArgsUsage:   "[--clear]",
		Description: "regraft cache --clear",
		Flags: []urfave.Flag{
			boolFlag("clear", "remove all of them"),
			stringFlag("cache", "", "`DIR` (default: the user's cache)"),
			cacheLimitFlag(), jsonFlag(),
		},
		Action: func(c *urfave.Context) error { return showCache(con, c) },
	}
}

type cacheJSON struct {
	Schema  string     `json:"schema"`
	Dir     string     `json:"dir"`
	Entries int        `json:"entries"`
	Bytes   int64      `json:"bytes"`
	Limit   int64      `json:"limit"`
	Oldest  *time.Time `json:"oldest"`
	Cleared bool       `json:"cleared"`
}

func showCache(con *console, c *urfave.Context) error {
	if c.NArg() > 0 {
		return usagef("%q: cache takes flags only", c.Args().First())
	}
	cache, err := featureCache(c)
	if err != nil {
		return err
	}
	if cache == nil {
		return failf(statusFailed, "this system has no folder for a cache: name one with --cache")
	}
	usage, err := cache.Usage()
	if err != nil {
		return err
	}
	clear := c.Bool("clear")
	if clear {
		if err := cache.Clear(); err != nil {
			return err
		}
	}
	j := cacheJSON{"regraft/cache/1", usage.Dir, usage.Entries, usage.Bytes, usage.Limit, nil, clear}
	if usage.Entries > 0 {
		j.Oldest = &usage.Oldest
	}
	return j.print(con, c.Bool("json"))
}

func (j *cacheJSON) print(con *console, asJSON bool) error {
	if asJSON {
		return con.json(j)
	}
	const mebibyte = 1 << 20
	size, entries := float64(j.Bytes)/mebibyte, photo.Count(j.Entries, "entry", "entries")
	if j.Cleared {
		con.printf("%s: %s removed, %.1f MiB\n", shown(j.Dir), entries, size)
		return nil
	}
	con.printf("%s: %s, %.1f of at most %d MiB\n", shown(j.Dir), entries, size, j.Limit/mebibyte)
	if j.Oldest != nil {
		con.printf("the oldest were used on %s\n", j.Oldest.Format("2006-01-02 15:04"))
	}
	return nil
}
