package onnx

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"regraft/golden"
)

// TestDamagedNodes takes nodes of every operator (testdata/nodes.txt), damages one operand or attribute at a time, and holds what the import
// says, or makes of it, against testdata/damaged.txt. Whatever the damage, it does not panic; a problem of the node before is told once,
// where it is; and no constant is computed without a budget.
func TestDamagedNodes(t *testing.T) {
	var list bytes.Buffer
	seen := map[string]bool{}
	for _, n := range specimens(t) {
		seen[n.name] = true
		whole := n.lower(t, foldBudget, foldWork)
		if strings.Contains(whole, "refused") {
			t.Errorf("%s: %s", n, whole)
		}
		fmt.Fprintf(&list, "%s\n    whole: %s\n", n, whole)
		verdicts := map[string][]string{}
		for _, d := range n.damages() {
			verdict := d.node.lower(t, foldBudget, foldWork)
			switch {
			case d.says == silence && strings.Contains(verdict, "refused"):
				t.Errorf("%s is blamed for what another node lacks: %s", d.node, verdict)
			case d.says == "" || d.says != silence && !strings.Contains(verdict, d.says):
				verdict = strings.ReplaceAll(verdict, "operand "+d.where, "operand #")
				verdicts[verdict] = append(verdicts[verdict], d.where+" "+d.what)
			}
		}
		poor := n.lower(t, 0, foldWork)
		verdicts[poor] = append(verdicts[poor], "no memory")
		idle := n.lower(t, foldBudget, 0)
		verdicts[idle] = append(verdicts[idle], "no work")
		delete(verdicts, whole)
		for _, verdict := range slices.Sorted(maps.Keys(verdicts)) {
			fmt.Fprintf(&list, "    %s: %s\n", strings.Join(verdicts[verdict], ", "), verdict)
		}
	}
	for _, row := range operators {
		if !seen[row.name] && row.name != "If" { // whose attributes are graphs
			t.Errorf("testdata/nodes.txt has no %s", row.name)
		}
	}
	golden.Text(t, filepath.Join("testdata", "damaged.txt"), list.String())
}

// specimen is a node: operator, opset, operands and attributes, as a line of testdata/nodes.txt spells them.
type specimen struct {
	name     string
	opset    int64
	operands []string
	// attributes are name=value.
	attributes []string
	results    int
}

// specimens reads testdata/nodes.txt.
func specimens(t *testing.T) (list []specimen) {
	data, err := os.ReadFile(filepath.Join("testdata", "nodes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, parseSpecimen(t, line))
		}
	}
	return list
}

func parseSpecimen(t *testing.T, line string) specimen {
	words := strings.Fields(line)
	name, version, given := strings.Cut(words[0], "@")
	row := operatorByName[name]
	if row == nil {
		t.Fatalf("there is no operator %s", name)
	}
	n := specimen{name: name, opset: max(17, row.since), results: 1}
	if given {
		n.opset = int64(number(t, version))
	}
	for _, word := range words[1:] {
		switch {
		case strings.HasPrefix(word, "->"):
			n.results = number(t, word[2:])
		case strings.Contains(word, "="):
			n.attributes = append(n.attributes, word)
		default:
			n.operands = append(n.operands, word)
		}
	}
	return n
}

func number(t *testing.T, s string) int {
	v, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (n specimen) String() string {
	words := slices.Concat([]string{fmt.Sprintf("%s@%d", n.name, n.opset)}, n.operands, n.attributes)
	if n.results > 1 {
		words = append(words, fmt.Sprint("->", n.results))
	}
	return strings.Join(words, " ")
}

// damage is a node with something changed.
type damage struct {
	where, what string
	node        specimen
	// says is what is said of the same damage everywhere, and not listed.
	says string
}

// usual is what is said of an operand, whatever the operator.
var usual = map[string]string{"missing": "is missing", "a sequence": "is a sequence of tensors", "int": "only float32 is computed on"}

// silence is for problems that another node has told.
const silence = "silence"

// damages changes one operand or attribute at a time.
func (n specimen) damages() (list []damage) {
	add := func(where, what, says string, change func(*specimen)) {
		other := n
		other.operands, other.attributes = slices.Clone(n.operands), slices.Clone(n.attributes)
		change(&other)
		list = append(list, damage{where, what, other, says})
	}
	for i, was := range n.operands {
		if was == "-" {
			continue
		}
		add(strconv.Itoa(i), "unknown", silence, func(s *specimen) { s.operands[i] = "?" })
		for what, is := range otherOperands(was) {
			add(strconv.Itoa(i), what, usual[what], func(s *specimen) { s.operands[i] = is })
		}
	}
	for i, was := range n.attributes {
		name, value, _ := strings.Cut(was, "=")
		other := "1.5"
		if strings.Contains(value, ".") && !strings.HasPrefix(value, "[") || strings.HasPrefix(value, "'") {
			other = "1"
		}
		add(name, "of another type", "attribute "+name+" has type", func(s *specimen) { s.attributes[i] = name + "=" + other })
		for what, is := range otherValues(value) {
			add(name, what, "", func(s *specimen) { s.attributes[i] = name + "=" + is })
		}
		add(name, "left out", "", func(s *specimen) { s.attributes = slices.Delete(s.attributes, i, i+1) })
	}
	add("attribute", "of no operator", "attribute colour is not known", func(s *specimen) { s.attributes = append(s.attributes, "colour=1") })
	slices.SortFunc(list, func(a, b damage) int { return strings.Compare(a.where+" "+a.what, b.where+" "+b.what) })
	return list
}

// otherOperands are what may stand in the place of an operand.
func otherOperands(was string) map[string]string {
	others := map[string]string{"missing": "-", "a sequence": "q2x3"}
	letter, rest := was[:1], was[1:]
	shape := rest
	if strings.ContainsAny(rest, ":.") {
		shape = strconv.Itoa(strings.Count(rest, ",") + 1)
	}
	others["computed"] = "f" + shape
	switch {
	case strings.Contains("biujh", letter):
		others["float"] = "F" + rest
	case !strings.Contains(rest, "N"):
		others["int"], others["known"] = "i"+rest, "F"+rest
	}
	if strings.ContainsAny(rest, ":.") {
		others["longer"], others["far"] = letter+":"+rest[1:]+",1", letter+rest+"99999999999"
		others["negative"] = letter + rest[:1] + "-" + strings.TrimPrefix(rest[1:], "-")
		others["matrix"] = letter + "1x1"
		others["empty"] = letter + "0"
		return others
	}
	if rest == "" || letter == "q" {
		return others
	}
	dims := strings.Split(rest, "x")
	others["with an axis more"], others["scalar"] = letter+"1x"+rest, letter
	others["with an axis less"] = letter + strings.Join(dims[1:], "x")
	others["of another size"] = letter + strings.Join(append(slices.Clone(dims[:len(dims)-1]), "7"), "x")
	others["huge"] = "f" + strings.Join(append(slices.Clone(dims[:len(dims)-1]), "1000000000"), "x")
	others["of 9 axes"] = letter + "1x1x1x1x1x1x1x1x1"
	others["of the batch"] = "f" + strings.Join(append([]string{"N"}, dims[1:]...), "x")
	return others
}

// otherValues are what may stand in the place of an attribute's value.
func otherValues(was string) map[string]string {
	switch {
	case strings.HasPrefix(was, "'"):
		return map[string]string{"not known": "'ODD'"}
	case strings.HasPrefix(was, "["):
		list := strings.Trim(was, "[]")
		first, _, _ := strings.Cut(list, ",")
		return map[string]string{"longer": "[" + list + ",1]", "empty": "[]", "negative": "[-7" + strings.TrimPrefix(list, first) + "]",
			"zero": "[0" + strings.TrimPrefix(list, first) + "]", "far": "[99999999999" + strings.TrimPrefix(list, first) + "]"}
	case strings.Contains(was, "."):
		return map[string]string{"negative": "-1.5", "zero": "0.0"}
	default:
		return map[string]string{"negative": "-7", "zero": "0", "one": "1", "far": "99999999999"}
	}
}

// lower imports the node alone and says what came of it.
func (n specimen) lower(t *testing.T, budget, work int) string {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v", n, p)
		}
	}()
	domain, opType := "", n.name
	if at := strings.LastIndex(n.name, "."); at >= 0 {
		domain, opType = n.name[:at], n.name[at+1:]
	}
	p := &nodeProto{name: "n", opType: opType, domain: domain, opset: n.opset}
	g := &graph{}
	node := &node{nodeProto: p}
	for i, operand := range n.operands {
		v := operandOf(t, operand)
		if v != nil {
			v.name = string(rune('a' + i))
		}
		node.in = append(node.in, v)
	}
	for i := range n.results {
		out := &value{name: fmt.Sprint("y", i)}
		p.outputs, node.out, g.outputs = append(p.outputs, out.name), append(node.out, out), append(g.outputs, out)
	}
	for _, a := range n.attributes {
		p.attributes = append(p.attributes, attributeOf(t, a))
	}
	g.nodes = append(g.nodes, node)
	l := &lowering{image: &value{name: "x", shape: tensor.Shape{images(1), 3, 8, 8}}, budget: budget, work: work, uses: map[*value]int{}}
	l.all(g)
	return l.outcome(g.outputs)
}

// outcome is what was refused, the steps that were made, and the results.
func (l *lowering) outcome(outputs []*value) string {
	var words []string
	for _, u := range l.unsupported {
		words = append(words, "refused: "+u.Reason)
	}
	var steps []string
	for _, s := range l.steps {
		steps = append(steps, strings.TrimSpace(s.op.Name()+s.op.String()))
	}
	if steps != nil && len(l.unsupported) == 0 {
		words = append(words, strings.Join(steps, " "))
	}
	for _, out := range outputs {
		out = out.resolve()
		switch k := out.constant; {
		case out.unknown():
		case out.sequence != nil:
			words = append(words, fmt.Sprintf("a sequence of %d", len(out.sequence)))
		case k != nil && k.size() <= 12:
			words = append(words, fmt.Sprintf("%v %s %v%v%v", k.dtype, shapeText(k.shape), k.floats, k.ints, k.open))
		case k != nil:
			words = append(words, fmt.Sprintf("%v %s", k.dtype, shapeText(k.shape)))
		default:
			words = append(words, shapeText(out.shape))
		}
	}
	if words == nil {
		return "silent"
	}
	return strings.Join(words, "; ")
}

// operandOf makes a value of a word: "-" is left out, "?" is what an earlier problem leaves. f2x3 is computed from the image, F2x3, i2x3,
// b2x3, u2x3, j2x3, h2x3 are known floats, int64, bool, uint8, int32, int8; i:1,2 is a list and i.1 a scalar of given numbers. N is the number of
// images, q2x3 a sequence of two tensors of three, n2 are random numbers.
func operandOf(t *testing.T, word string) *value {
	switch word {
	case "-":
		return nil
	case "?":
		return &value{}
	}
	letter, rest := word[0], word[1:]
	shape := tensor.Shape{}
	var values []float64
	if strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, ".") {
		for _, w := range strings.Split(rest[1:], ",") {
			v, err := strconv.ParseFloat(w, 64)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, v)
		}
		if rest[0] == ':' {
			shape = tensor.Shape{len(values)}
		}
	} else if rest != "" {
		for _, w := range strings.Split(rest, "x") {
			if w == "N" {
				shape = append(shape, images(1))
			} else {
				shape = append(shape, number(t, w))
			}
		}
	}
	switch letter {
	case 'f':
		return &value{shape: shape}
	case 't':
		return &value{shape: shape, truth: true}
	case 'n':
		return &value{shape: shape, noise: &noise{high: 1}}
	case 'q':
		return &value{sequence: slices.Repeat([]*value{{shape: shape[1:]}}, shape[0])}
	}
	if values == nil {
		for i := range sizeOf(shape) {
			values = append(values, float64(i%3))
		}
	}
	k := &constant{shape: shape, dtype: map[byte]dataType{'F': typeFloat, 'i': typeInt64, 'b': typeBool, 'u': typeUint8, 'j': typeInt32, 'h': typeInt8}[letter]}
	for _, v := range values {
		if k.dtype == typeFloat {
			k.floats = append(k.floats, float32(v))
		} else {
			k.ints = append(k.ints, wrap(k.dtype, int64(v)))
		}
	}
	if len(values) == 0 {
		k.floats, k.ints = []float32{}, []int64{}
	}
	return &value{shape: shape, constant: k}
}

// attributeOf reads name=2, name=2.5, name='text', name=[2,3], name=[2.5], or name=#2.5, a tensor of one number.
func attributeOf(t *testing.T, word string) *attributeProto {
	name, value, _ := strings.Cut(word, "=")
	a := &attributeProto{name: name}
	float := func(s string) []byte {
		v, err := strconv.ParseFloat(s, 32)
		if err != nil {
			t.Fatal(err)
		}
		a.f = float32(v)
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(a.f))
	}
	list := strings.FieldsFunc(strings.Trim(value, "[]"), func(r rune) bool { return r == ',' })
	switch {
	case strings.HasPrefix(value, "#"):
		a.kind, a.t = attributeTensor, &tensorProto{dtype: typeFloat, raw: float(value[1:]), hasRaw: true}
	case strings.HasPrefix(value, "'"):
		a.kind, a.s = attributeString, strings.Trim(value, "'")
	case strings.HasPrefix(value, "[") && strings.Contains(value, "."):
		a.kind = attributeFloats
		for _, w := range list {
			a.floats = append(a.floats, float(w)...)
		}
	case strings.HasPrefix(value, "["):
		a.kind = attributeInts
		for _, w := range list {
			a.ints = append(a.ints, int64(number(t, w)))
		}
	case strings.Contains(value, "."):
		a.kind = attributeFloat
		float(value)
	default:
		a.kind, a.i = attributeInt, int64(number(t, value))
	}
	return a
}
