package onnx

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// trainingOnly are the engine's operators that occur in training graphs alone, beside the gradients, and those that networks are given just
// before they are planned: files never hold them.
var trainingOnly = map[string]bool{
	"BatchStats": true, "BatchNormTrain": true, "BatchNormReduce": true, "BatchNormScale": true, "GroupNormReduce": true,
	"RunningMean": true, "RunningVar": true, "ChannelSum": true, "ChannelScale": true, "Row": true, "Stack": true,
	"SumTo": true, "DropoutTrain": true, "SoftmaxCrossEntropy": true, "WeightedSum": true, "Scale": true, "PowSlope": true,
	"Attention": true, "ResponseNorm": true, "Rotary": true, "HeadNorm": true, "PositionBias": true,
}

// TestTables holds the operators of engine/op against the table: every operator that a network can hold has a
// rule that writes it, and every rule's ONNX operator is read.
func TestTables(t *testing.T) {
	written := map[string]bool{}
	for typ := range writeRules {
		written[typ.Elem().Name()] = true
	}
	names := engineOperators(t)
	for name := range names {
		training := trainingOnly[name] || strings.Contains(name, "Grad")
		switch {
		case training && written[name]:
			t.Errorf("engine/op.%s is listed as an operator of training, but has a rule that writes it", name)
		case !training && !written[name]:
			t.Errorf("engine/op.%s can be in a network, but nothing writes it", name)
		}
	}
	for name := range written {
		if !names[name] {
			t.Errorf("a rule writes %s, which engine/op does not have", name)
		}
	}
	for name := range trainingOnly {
		if !names[name] {
			t.Errorf("the list of training operators names %s, which engine/op does not have", name)
		}
	}
	seen := map[string]bool{}
	for _, row := range operators {
		if seen[row.name] {
			t.Errorf("the table has two rows for %s", row.name)
		}
		seen[row.name] = true
		if row.lower == nil && row.fold == nil {
			t.Errorf("%s is neither built nor computed", row.name)
		}
		if row.write != nil && row.lower == nil {
			t.Errorf("%s is written, but not read", row.name)
		}
	}
	if len(writeRules) != rulesInTable()+len(composites) {
		t.Errorf("two rules write the same operator")
	}
	t.Logf("%d rows; %d operators of the engine are written, %d belong to training", len(operators), len(written), len(names)-len(written))
}

func rulesInTable() int {
	n := 0
	for _, row := range operators {
		if row.write != nil {
			n++
		}
	}
	return n
}

// engineOperators lists the types of engine/op that are operators: those with a method Name.
func engineOperators(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	folder := filepath.Join("..", "engine", "op")
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no Go files (%v)", folder, err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Name" {
				continue
			}
			typ := f.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			if id, ok := typ.(*ast.Ident); ok && id.IsExported() {
				names[id.Name] = true
			}
		}
	}
	return names
}
