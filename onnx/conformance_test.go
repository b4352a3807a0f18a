package onnx

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
)

// conformance is where Debian's package libonnx-testdata puts ONNX's own backend tests.
const conformance = "/usr/share/libonnx-testdata/data"

// unsupportedCases are the cases of registered operators that are not supported, with the reason.
var unsupportedCases = listCases(map[string]string{
	"only two-dimensional windows are supported": "averagepool_1d_default averagepool_3d_default maxpool_1d_default maxpool_3d_default AvgPool3d AvgPool3d_stride AvgPool3d_stride1_pad0_gpu_input " +
		"Conv1d Conv1d_dilated Conv1d_groups Conv1d_pad1 Conv1d_pad1size1 Conv1d_pad2 Conv1d_pad2size1 Conv1d_stride " +
		"Conv3d Conv3d_dilated Conv3d_dilated_strided Conv3d_groups Conv3d_no_bias Conv3d_stride Conv3d_stride_padding " +
		"MaxPool1d MaxPool1d_stride MaxPool1d_stride_padding_dilation MaxPool3d MaxPool3d_stride MaxPool3d_stride_padding operator_maxpool",
	"the statistics of the batch are the engine's training form, not the import's": "batchnorm_epsilon_training_mode batchnorm_example_training_mode",
	"active Dropout is the engine's training form, not the import's":               "training_dropout training_dropout_default training_dropout_default_mask training_dropout_mask",
	"half types are widened to float32 when they are loaded, never computed":       "cast_DOUBLE_to_FLOAT16 cast_FLOAT_to_BFLOAT16 cast_FLOAT_to_FLOAT16 castlike_DOUBLE_to_FLOAT16 castlike_DOUBLE_to_FLOAT16_expanded castlike_FLOAT_to_BFLOAT16 castlike_FLOAT_to_BFLOAT16_expanded castlike_FLOAT_to_FLOAT16 castlike_FLOAT_to_FLOAT16_expanded",
	"the test data declare bfloat16 as uint16":                                     "cast_BFLOAT16_to_FLOAT castlike_BFLOAT16_to_FLOAT castlike_BFLOAT16_to_FLOAT_expanded",
	"random numbers have their mean, and only as a factor of what is computed":     "bernoulli bernoulli_double bernoulli_double_expanded bernoulli_expanded bernoulli_seed bernoulli_seed_expanded",
	"the batch is not picked from":                                                 "gathernd_example_int32_batch_dim1",
	"the function's pi has six digits, the expected values were computed with all": "blackmanwindow_expanded blackmanwindow_symmetric_expanded hammingwindow_expanded hammingwindow_symmetric_expanded hannwindow_expanded hannwindow_symmetric_expanded",
	"float64 is not computed on": "einsum_batch_diagonal einsum_batch_matmul einsum_inner_prod einsum_sum einsum_transpose reduce_log_sum_exp_default_axes_keepdims_example reduce_log_sum_exp_default_axes_keepdims_random reduce_log_sum_exp_do_not_keepdims_example " +
		"reduce_log_sum_exp_do_not_keepdims_random reduce_log_sum_exp_keepdims_example reduce_log_sum_exp_keepdims_random " +
		"reduce_log_sum_exp_negative_axes_keepdims_example reduce_log_sum_exp_negative_axes_keepdims_random",
	"crops are not resized": "resize_tf_crop_and_resize",
	"ONNX Runtime, and PyTorch, take the whole number of results": "resize_downsample_scales_linear_align_corners resize_downsample_scales_cubic_align_corners",
	"strings are not read": "cast_FLOAT_to_STRING cast_STRING_to_FLOAT castlike_FLOAT_to_STRING castlike_FLOAT_to_STRING_expanded castlike_STRING_to_FLOAT castlike_STRING_to_FLOAT_expanded",
	"integers are computed at import only, where this operator does not occur": "clip_default_int8_inbounds clip_default_int8_max clip_default_int8_min maxpool_2d_uint8 edge_pad reflect_pad",
	"only constant padding is supported":                                       "ReflectionPad2d ReplicationPad2d operator_pad",
	"sequences are not given or returned, optionals not read":                  "identity_opt identity_sequence if_opt if_seq sequence_insert_at_back sequence_insert_at_front",
})

// withoutCases are the operators of the table that the suite has no case for.
var withoutCases = map[string]string{
	"RandomUniform": "random", "RandomUniformLike": "random", "Bernoulli": "random",
	"Gelu":                           "newer than the suite",
	"GroupNormalization":             "newer than the suite",
	"Einsum":                         "the suite's are in float64",
	"Attention":                      "newer than the suite",
	"RotaryEmbedding":                "newer than the suite",
	"RMSNormalization":               "newer than the suite",
	"Mish":                           "newer than the suite",
	"ReduceLogSumExp":                "the suite's are in float64",
	"com.microsoft.DequantizeLinear": "ONNX Runtime's own", "com.microsoft.QuantizeLinear": "ONNX Runtime's own",
	"com.microsoft.FusedConv": "ONNX Runtime's own", "com.microsoft.FusedGemm": "ONNX Runtime's own", "com.microsoft.FusedMatMul": "ONNX Runtime's own",
	"com.microsoft.QuickGelu": "ONNX Runtime's own", "com.microsoft.Gelu": "ONNX Runtime's own", "com.microsoft.BiasGelu": "ONNX Runtime's own",
	"com.microsoft.FastGelu": "ONNX Runtime's own", "com.microsoft.SkipLayerNormalization": "ONNX Runtime's own",
}

// listCases turns reason -> names into name -> reason.
func listCases(reasons map[string]string) map[string]string {
	cases := map[string]string{}
	for reason, names := range reasons {
		for _, name := range strings.Fields(names) {
			cases[name] = reason
		}
	}
	return cases
}

// TestConformance runs every case of ONNX's test suite whose operators are all in the table: computed
// by the engine's operators, folded at import, or both.
func TestConformance(t *testing.T) {
	var paths []string
	for _, suite := range []string{"node", "simple", "pytorch-converted", "pytorch-operator"} {
		found, err := filepath.Glob(filepath.Join(conformance, suite, "*", "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Skip("needs " + conformance + " (Debian package libonnx-testdata)")
	}
	passed, skipped, failed, unregistered := 0, 0, 0, 0
	covered, seen := map[string]bool{}, map[string]bool{}
	for _, path := range paths {
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "test_")
		c, err := readCase(filepath.Dir(path))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !c.registered() {
			unregistered++
			continue
		}
		seen[name] = true
		c.dropFurther()
		err = c.run()
		reason, expected := unsupportedCases[name]
		switch {
		case expected && err == nil:
			t.Errorf("%s passes, but is listed as unsupported: %s", name, reason)
		case expected:
			skipped++
		case err != nil:
			t.Errorf("%s: %v", name, err)
			failed++
		default:
			passed++
			for _, n := range c.nodes {
				covered[n.opType] = true
			}
		}
	}
	for _, row := range operators {
		if reason, none := withoutCases[row.name]; none == covered[row.name] {
			t.Errorf("%s: a case passes: %v; listed as having none: %q", row.name, covered[row.name], reason)
		}
	}
	for name := range unsupportedCases {
		if !seen[name] {
			t.Errorf("the list of unsupported cases names %s, which does not exist", name)
		}
	}
	t.Logf("%d passed, %d failed, %d not supported for a listed reason, %d of operators that are not registered; %d operators covered: %s",
		passed, failed, skipped, unregistered, len(covered), strings.Join(slices.Sorted(maps.Keys(covered)), " "))
}

// conformanceCase is a model with inputs and expected outputs.
type conformanceCase struct {
	model           *modelProto
	nodes           []*nodeProto
	inputs, outputs []*tensorProto
}

func readCase(folder string) (*conformanceCase, error) {
	data, err := os.ReadFile(filepath.Join(folder, "model.onnx"))
	if err != nil {
		return nil, err
	}
	c := &conformanceCase{}
	if c.model, err = parseModel(data); err != nil {
		return nil, err
	}
	if c.nodes, err = inline(c.model); err != nil {
		return nil, err
	}
	set := filepath.Join(folder, "test_data_set_0")
	if c.inputs, err = readTensors(filepath.Join(set, "input_%d.pb")); err != nil {
		return nil, err
	}
	if c.outputs, err = readTensors(filepath.Join(set, "output_%d.pb")); err != nil {
		return nil, err
	}
	c.dropSequences()
	return c, nil
}

// dropSequences takes away what was read of inputs and outputs that are no tensors.
func (c *conformanceCase) dropSequences() {
	for values, declared := range map[*[]*tensorProto][]valueInfo{&c.inputs: c.model.graph.inputs, &c.outputs: c.model.graph.outputs} {
		for i := range *values {
			if i < len(declared) && !declared[i].tensor {
				(*values)[i] = nil
			}
		}
	}
}

func readTensors(pattern string) ([]*tensorProto, error) {
	var list []*tensorProto
	for i := 0; ; i++ {
		data, err := os.ReadFile(fmt.Sprintf(pattern, i))
		if os.IsNotExist(err) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		// A message around it lets the file's bytes be parsed as a field.
		t := &tensorProto{}
		w := &wire{file: appendMessage(nil, 1, data)}
		if err := w.fields(w.file, func(f field) error { return parseTensor(f, t) }); err != nil {
			t = nil // a sequence or an optional
		}
		list = append(list, t)
	}
}

func (c *conformanceCase) registered() bool {
	for _, n := range c.nodes {
		if row, _ := lookup(n); row == nil {
			return false
		}
	}
	return true
}

// byDesign are the reasons for which a way to compute a case does not apply.
var byDesign = []string{
	"must be known at import", "only computed on values known at import", "only float32 is computed on", "only float32 is supported",
	"has a size below 1", "nothing lies between", "values between layers are quantised", "only limits that are known", "supported as limits",
}

// run tries all ways in which the case can be computed: one or all float inputs given at run time, or
// everything known at import. At least one must apply.
func (c *conformanceCase) run() error {
	var floats []string
	for i, in := range c.inputs {
		if in != nil && in.dtype == typeFloat {
			floats = append(floats, c.model.graph.inputs[i].name)
		}
	}
	ways := map[string][]string{}
	if len(floats) > 0 {
		ways["first input at run time"], ways["all inputs at run time"] = floats[:1], floats
	}
	ways["known at import"] = nil
	passed, refused := 0, error(nil)
	for way, atRunTime := range ways {
		err := c.compute(atRunTime)
		refuses := func(reason string) bool { return strings.Contains(err.Error(), reason) }
		switch {
		case err == nil:
			passed++
		case slices.ContainsFunc(byDesign, refuses):
			refused = err
		default:
			return fmt.Errorf("%s: %w", way, err)
		}
	}
	if passed == 0 {
		return fmt.Errorf("it can be computed in no way (%v)", refused)
	}
	return nil
}

// furtherResults are operators of which only the first result is provided; the others are statistics, masks
// and positions that no classifier uses.
var furtherResults = []string{"LayerNormalization", "Dropout", "MaxPool", "BatchNormalization"}

// dropFurther takes such results out of the graph's outputs.
func (c *conformanceCase) dropFurther() {
	for _, n := range c.nodes {
		if !slices.Contains(furtherResults, n.opType) {
			continue
		}
		for _, name := range n.outputs[1:] {
			if i := slices.IndexFunc(c.model.graph.outputs, func(v valueInfo) bool { return v.name == name }); i >= 0 {
				c.model.graph.outputs = slices.Delete(c.model.graph.outputs, i, i+1)
				c.outputs = slices.Delete(c.outputs, i, i+1)
			}
		}
	}
}

// compute runs the case; the inputs named are given at run time, all others are known.
func (c *conformanceCase) compute(atRunTime []string) error {
	var known []*constant
	values := map[string]*constant{}
	for i, in := range c.inputs {
		if in == nil {
			return fmt.Errorf("input %d is no tensor", i)
		}
		k, err := in.constant()
		if err != nil {
			return err
		}
		k.name = c.model.graph.inputs[i].name
		values[k.name] = k
		if !slices.Contains(atRunTime, k.name) {
			known = append(known, k)
		}
	}
	for _, t := range c.model.graph.initializers {
		k, err := t.constant()
		if err != nil {
			return err
		}
		known = append(known, k)
	}
	g, err := link(c.model.graph, c.nodes, known, nil)
	if err != nil {
		return err
	}
	for _, in := range g.inputs {
		in.shape = values[in.name].shape
	}
	l := lower(g, nil)
	if len(l.unsupported) > 0 {
		return &UnsupportedError{l.unsupported}
	}
	results := map[*value]gorgonia.Value{}
	for _, in := range g.inputs {
		results[in] = values[in.name].gorgonia()
	}
	if err := evaluate(l.steps, results); err != nil {
		return err
	}
	return c.compare(g, results)
}

// evaluate computes steps by their operators' reference computation.
func evaluate(steps []*step, results map[*value]gorgonia.Value) error {
	for _, s := range steps {
		var in []gorgonia.Value
		for _, v := range s.in {
			v = v.resolve()
			if v.constant != nil {
				results[v] = v.constant.gorgonia()
			}
			in = append(in, results[v])
		}
		out, err := s.op.Do(in...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.label, err)
		}
		results[s.out] = out
	}
	return nil
}

func (c *conformanceCase) compare(g *graph, results map[*value]gorgonia.Value) error {
	for i, out := range g.outputs {
		if c.outputs[i] == nil {
			return fmt.Errorf("output %d is no tensor", i)
		}
		want, err := c.outputs[i].constant()
		if err != nil {
			return err
		}
		got := out.resolve().constant
		if got == nil {
			v := results[out.resolve()]
			got = &constant{dtype: typeFloat, shape: v.Shape()}
			switch data := v.Data().(type) {
			case float32:
				got.floats = []float32{data}
			case []float32:
				got.floats = data
			}
			if out.resolve().truth {
				got = truthValues(got)
			}
		}
		if err := sameConstant(got, want); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

// truthValues are zeros and ones as bool.
func truthValues(k *constant) *constant {
	made := &constant{dtype: typeBool, shape: k.shape}
	for _, v := range k.floats {
		made.ints = append(made.ints, int64(v))
	}
	return made
}

// sameConstant allows what ONNX's own tests allow for float32, a relative error, at a hundredth of their 1e-3.
func sameConstant(got, want *constant) error {
	if !slices.Equal(got.shape, want.shape) || got.dtype != want.dtype {
		return fmt.Errorf("%v of shape %v, want %v of shape %v", got.dtype, got.shape, want.dtype, want.shape)
	}
	for i := range want.size() {
		g, w := got.at(i), want.at(i)
		if !(math.Abs(g-w) <= 1e-5*math.Abs(w)+1e-6) && g != w && !(g != g && w != w) {
			return fmt.Errorf("element %d is %v, want %v", i, g, w)
		}
	}
	return nil
}

// TestAxesOutOfRange gives every case with an axis one that its values do not have: it must be refused, known at import or at run time.
func TestAxesOutOfRange(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(conformance, "node", "*", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("needs " + conformance + " (Debian package libonnx-testdata)")
	}
	tried := map[string]int{}
	for _, path := range paths {
		for _, far := range []int64{17, -18} {
			c, err := readCase(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			if _, unsupported := unsupportedCases[strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "test_")]; unsupported || !c.registered() || !c.moveAxes(far) {
				continue
			}
			tried[c.nodes[0].opType]++
			if err := c.compute(nil); err == nil {
				t.Errorf("%s: axis %d is taken where all is known", filepath.Dir(path), far)
			}
			if len(c.inputs) > 0 && c.inputs[0] != nil && c.inputs[0].dtype == typeFloat {
				if err := c.compute([]string{c.model.graph.inputs[0].name}); err == nil {
					t.Errorf("%s: axis %d is taken at run time", filepath.Dir(path), far)
				}
			}
		}
	}
	if len(tried) < 20 {
		t.Errorf("only %d operators have an axis: %v", len(tried), tried)
	}
	t.Logf("operators: %v", tried)
}

// moveAxes sets the axes that attributes give; false where there are none.
func (c *conformanceCase) moveAxes(to int64) bool {
	moved := false
	for _, n := range c.nodes {
		for _, a := range n.attributes {
			switch a.name {
			case "axis":
				a.i, moved = to, true
			case "axes":
				if len(a.ints) > 0 {
					a.ints[0], moved = to, true
				}
			}
		}
	}
	return moved
}
