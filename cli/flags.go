package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft/head"
	"regraft/photo"
	"regraft/train"
)

// environment names the variable that sets a flag: REGRAFT_BATCH_SIZE for --batch-size.
func environment(name string) []string {
	return []string{"REGRAFT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}
}

func stringFlag(name, value, usage string, aliases ...string) *urfave.StringFlag {
	return &urfave.StringFlag{Name: name, Value: value, Usage: usage, Aliases: aliases, EnvVars: environment(name)}
}

func boolFlag(name, usage string, aliases ...string) *urfave.BoolFlag {
	return &urfave.BoolFlag{Name: name, Usage: usage, Aliases: aliases, EnvVars: environment(name)}
}

// intFlag accepts whole numbers from least on.
func intFlag(name string, value, least int, usage string, aliases ...string) *urfave.IntFlag {
	return &urfave.IntFlag{
		Name: name, Value: value, Usage: usage, Aliases: aliases, EnvVars: environment(name),
		Action: func(_ *urfave.Context, v int) error {
			if v < least {
				return usagef("--%s must be at least %d, not %d", name, least, v)
			}
			return nil
		},
	}
}

// floatFlag accepts numbers from least to most.
func floatFlag(name string, value, least, most float64, usage string, aliases ...string) *urfave.Float64Flag {
	return &urfave.Float64Flag{
		Name: name, Value: value, Usage: usage, Aliases: aliases, EnvVars: environment(name),
		Action: func(_ *urfave.Context, v float64) error {
			switch {
			case v >= least && v <= most:
				return nil
			case math.IsInf(most, 1) || most == math.MaxFloat64:
				return usagef("--%s must be a number not below %g, not %g", name, least, v)
			}
			return usagef("--%s must be between %g and %g, not %g", name, least, most, v)
		},
	}
}

// choiceFlag is a string flag with a closed list of values.
type choiceFlag struct {
	*urfave.StringFlag
	choices []string
	// check judges values that are made of the choices; nil where they are the choices.
	check func(value string) error
}

func oneOf[T ~string](name string, value T, usage string, choices []T, aliases ...string) *choiceFlag {
	texts := make([]string, len(choices))
	for i, c := range choices {
		texts[i] = string(c)
	}
	return &choiceFlag{StringFlag: stringFlag(name, string(value), usage, aliases...), choices: texts}
}

// word reads a flag as one of the words of a setting.
func word[T ~string](c *urfave.Context) func(flag string) T {
	return func(flag string) T { return T(c.String(flag)) }
}

// RunAction refuses a value that is not in the list.
func (f *choiceFlag) RunAction(c *urfave.Context) error {
	if f.check != nil {
		if err := f.check(c.String(f.Name)); err != nil {
			return usagef("--%s: %v", f.Name, err)
		}
		return nil
	}
	if v := c.String(f.Name); !slices.Contains(f.choices, v) {
		return usagef("--%s %q: choose one of %s", f.Name, v, strings.Join(f.choices, ", "))
	}
	return nil
}

func choicesOf(f urfave.Flag) []string {
	if c, ok := f.(*choiceFlag); ok {
		return c.choices
	}
	return nil
}

// Flags that several commands share.

func quietFlag() urfave.Flag { return boolFlag("quiet", "print results and errors only", "q") }
func jsonFlag() urfave.Flag  { return boolFlag("json", "one JSON object a line instead of text") }
func threadsFlag() urfave.Flag {
	return intFlag("threads", 0, 1, "arithmetic threads (default: all cores)", "t")
}
func workersFlag() urfave.Flag {
	return intFlag("workers", 0, 1, "photo decoding workers (default: all cores)", "j")
}
func tiffFlag() urfave.Flag {
	f := boolFlag("tiff", "read TIFF files as well")
	f.Category = inputFlags
	return f
}
func maxPixelsFlag() urfave.Flag {
	f := intFlag("max-pixels", 0, 1, fmt.Sprintf("largest photo, width times height in `PIXELS` (default: %d)", photo.DefaultMaxPixels))
	f.Category = inputFlags
	return f
}

// decodeMemoryFlag sets the memory of the process for decoding.
func decodeMemoryFlag() urfave.Flag {
	f := stringFlag("decode-memory", "", fmt.Sprintf("`BYTES` for photos that are decoded at the same time, with K, M or G (default: %dM)", photo.DefaultDecodeMemory>>20))
	f.Category = inputFlags
	f.Action = func(_ *urfave.Context, text string) error {
		bytes, err := byteCount(text)
		if err != nil {
			return usagef("--decode-memory %q: %v", text, err)
		}
		photo.SetDecodeMemory(bytes)
		return nil
	}
	return f
}

// byteCount reads a positive number, of K, M or G (1024, 1024^2, 1024^3 bytes) where one of these stands behind it.
func byteCount(text string) (int64, error) {
	number, unit := text, int64(1)
	if last := len(text) - 1; last > 0 {
		if i := strings.IndexByte("KMG", text[last]&^0x20); i >= 0 {
			number, unit = text[:last], 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return 0, errors.New("a number of bytes such as 512M is needed")
	}
	return n * unit, nil
}

// decoding reads tiffFlag and maxPixelsFlag.
func decoding(c *urfave.Context) photo.DecodeOptions {
	return photo.DecodeOptions{TIFF: c.Bool("tiff"), MaxPixels: c.Int("max-pixels")}
}

func modelFlag() urfave.Flag { return stringFlag("model", "", "`FILE` of the model (ONNX)", "m") }

func dataFlag() urfave.Flag {
	return stringFlag("data", "", "`DIR` with a folder for each class, or train and val or test of such", "data-dir", "data-path")
}

func batchFlag(value int) urfave.Flag {
	return intFlag("batch-size", value, 1, "photos at a time", "batch", "b")
}

func headFlag() urfave.Flag {
	return stringFlag("head", "", "`NODE` or output that is the classifier, where it is not clear")
}

func poolFlag() urfave.Flag {
	var names []string
	for _, p := range head.Poolings {
		names = append(names, string(p))
	}
	return oneOf("pool", string(head.PoolAuto), "features of a network that ends in tokens: "+strings.Join(names, ", "), names)
}

// algorithmFlag chooses between fast and plain convolutions.
func algorithmFlag() urfave.Flag {
	return oneOf("algorithm", "auto", "auto, or direct: no Winograd", []string{"auto", "direct"})
}

// augmentFlag accepts what photo.ParseAugment reads.
func augmentFlag(value, usage string) urfave.Flag {
	var names []string
	for _, w := range photo.AugmentWords {
		names = append(names, w.Name)
	}
	f := oneOf("augment", value, usage, names)
	f.check = func(value string) error {
		_, err := photo.ParseAugment(value)
		return err
	}
	return f
}

// viewsUsage is that of the flag where views of a photo answer together.
const viewsUsage = "answer by the mean of `N` views: 2 adds the mirror image, more add parts (default: 1)"

func viewsFlag(usage string) urfave.Flag {
	f := intFlag("views", 0, 1, usage)
	checked := f.Action
	f.Action = func(c *urfave.Context, n int) error {
		if n > train.MostViews {
			return usagef("--views must be at most %d, not %d", train.MostViews, n)
		}
		return checked(c, n)
	}
	return f
}

func valSplitFlag() urfave.Flag {
	return floatFlag("val-split", 0, 0, 0.9, "share of train that validates where there is no val (default: heads folds, full 0.2)")
}

func seedFlag() urfave.Flag {
	return &urfave.Uint64Flag{Name: "seed", Usage: "`NUMBER` that decides all chance", EnvVars: environment("seed")}
}

// sizeFlag accepts what photo.ParseSize reads.
func sizeFlag(otherwise string) urfave.Flag {
	f := stringFlag("input-size", "", "side of the input in `PIXELS`, or height x width: 480x224 (default: "+otherwise+")")
	f.Action = func(_ *urfave.Context, text string) error {
		if _, err := photo.ParseSize(text); err != nil {
			return usagef("--input-size: %v", err)
		}
		return nil
	}
	return f
}

// inputSize is what sizeFlag says, zero where it is not given.
func inputSize(c *urfave.Context) photo.Size {
	size, _ := photo.ParseSize(c.String("input-size")) // the flag was checked
	return size
}

// preprocessFlags override what the model's file says about its input.
func preprocessFlags() []urfave.Flag {
	flags := []urfave.Flag{
		sizeFlag("the model's"),
		oneOf("resize", "", "squash, crop or letterbox (default: the model's)", photo.ResizeRules),
		oneOf("decode", "", "exact, or fast: large JPEGs at 1/2, 1/4, 1/8 of their size (default: the model's)", photo.Decodings),
		oneOf("resample", "", "bilinear or bicubic (Pillow's), nfnt-bilinear, nfnt-bicubic, nfnt-lanczos3", photo.Resamplings),
		channelsFlag("the model's"), meanFlag("the model's"), stdFlag("the model's"),
	}
	for _, f := range flags {
		switch f := f.(type) {
		case *choiceFlag:
			f.Category = inputFlags
		case *urfave.StringFlag:
			f.Category = inputFlags
		}
	}
	return flags
}

// answeringFlags are those of commands that run a model on photos as they come: classifier, decoding, arithmetic, cache, preprocessing.
func answeringFlags() []urfave.Flag {
	return slices.Concat([]urfave.Flag{
		headFlag(), poolFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(), batchFlag(8), threadsFlag(), workersFlag(), algorithmFlag(),
	}, cacheFlags(), preprocessFlags())
}

func channelsFlag(otherwise string) urfave.Flag {
	return oneOf("channels", "", "rgb, bgr or gray: what the network sees (default: "+otherwise+")", photo.ChannelOrders)
}

func meanFlag(otherwise string) urfave.Flag {
	return tripleFlag("mean", "`R,G,B` in --channels order, subtracted from pixels of 0 to 1 (default: "+otherwise+")")
}

func stdFlag(otherwise string) urfave.Flag {
	return tripleFlag("std", "`R,G,B` that divide afterwards; one number is for all channels (default: "+otherwise+")")
}

// tripleFlag accepts what triple reads.
func tripleFlag(name, usage string) urfave.Flag {
	f := stringFlag(name, "", usage)
	f.Action = func(_ *urfave.Context, text string) error {
		_, err := triple(name, text)
		return err
	}
	return f
}

// triple reads three comma-separated numbers, or one for all channels.
func triple(flag, text string) ([3]float32, error) {
	var v [3]float32
	parts := strings.Split(text, ",")
	if len(parts) == 1 {
		parts = slices.Repeat(parts, len(v))
	}
	if len(parts) == len(v) {
		for i, p := range parts {
			f, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
			if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || flag == "std" && f <= 0 {
				return v, usagef("--%s %q: %q is not a number that fits", flag, text, p)
			}
			v[i] = float32(f)
		}
		return v, nil
	}
	return v, usagef("--%s %q: three numbers are needed, such as 0.485,0.456,0.406, or one for all channels", flag, text)
}

// modelArgument is the model that a command works on: --model, or the first argument.
func modelArgument(c *urfave.Context) (string, []string, error) {
	args := c.Args().Slice()
	if path := c.String("model"); path != "" {
		return path, args, nil
	}
	if len(args) == 0 {
		return "", nil, usagef("no model given (see regraft %s --help)", c.Command.Name)
	}
	return args[0], args[1:], nil
}

// required returns the value of a flag that must be given.
func required(c *urfave.Context, flag string) (string, error) {
	v := c.String(flag)
	return v, needs(c, needed{flag, v})
}

// needed is a flag that must be given, and its value.
type needed struct{ flag, value string }

// needs names all flags that are missing.
func needs(c *urfave.Context, flags ...needed) error {
	var missing []string
	for _, f := range flags {
		if f.value == "" {
			missing = append(missing, "--"+f.flag)
		}
	}
	is := "is"
	switch n := len(missing); {
	case n == 0:
		return nil
	case n > 1:
		is, missing = "are", []string{strings.Join(missing[:n-1], ", ") + " and " + missing[n-1]}
	}
	return usagef("%s %s missing (see regraft %s --help)", missing[0], is, c.Command.Name)
}

// absent refuses a flag whose file is there already: somebody may have worked on it.
func absent(c *urfave.Context, flag string) error {
	file := c.String(flag)
	if _, err := os.Lstat(file); err != nil {
		return nil
	}
	return usagef("--%s: %s is there already: choose another name, or remove it", flag, file)
}

// idle refuses flags on the command line that do nothing in the given case. A variable may be meant for another command.
func idle(c *urfave.Context, in string, flags ...string) error {
	for _, f := range flags {
		if typed(c, f) {
			return usagef("--%s does nothing %s", f, in)
		}
	}
	return nil
}

// spelt is how the user has set a flag: --batch-size, or REGRAFT_BATCH_SIZE.
func spelt(c *urfave.Context, flag string) string {
	if typed(c, flag) {
		return "--" + flag
	}
	return environment(flag)[0]
}

// typed reports whether a flag stands on the command line.
func typed(c *urfave.Context, flag string) bool {
	f := findFlag(c.Command.Flags, "--"+flag)
	for _, arg := range c.App.Metadata[arguments].([]string) {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && slices.Contains(f.Names(), name) {
			return true
		}
	}
	return false
}

// arguments is where execute puts them for typed.
const arguments = "arguments"
