package optest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestEveryOperatorHasARow reads the sources of package op: every type with a method Do must appear, and those
// with a SymDiff of their own that is no refusal must have a row with a derivative.
func TestEveryOperatorHasARow(t *testing.T) {
	used, differentiated := map[string]bool{}, map[string]bool{}
	for _, r := range Rows() {
		name := reflect.TypeOf(r.Op).Elem().Name()
		used[name] = true
		if r.Differentiable > 0 {
			differentiated[name] = true
		}
	}
	operators := 0
	forMethods(t, func(receiver, method string, body *ast.BlockStmt) {
		switch {
		case method == "Do":
			operators++
			if !used[receiver] {
				t.Errorf("operator %s has no row", receiver)
			}
		case method == "SymDiff" && used[receiver] && !differentiated[receiver] && !refuses(body):
			t.Errorf("operator %s has a derivative, but no row that is differentiable", receiver)
		}
	})
	if operators < 80 {
		t.Errorf("only %d operators were found in the sources", operators)
	}
}

func forMethods(t *testing.T, visit func(receiver, method string, body *ast.BlockStmt)) {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				visit(star.X.(*ast.Ident).Name, f.Name.Name, f.Body)
			}
		}
	}
}

// refuses tells whether a SymDiff is a call of noDerivative.
func refuses(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "noDerivative" {
			found = true
		}
		return true
	})
	return found
}

func TestRowNamesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rows() {
		if seen[r.Name] {
			t.Errorf("two rows have the name %q", r.Name)
		}
		seen[r.Name] = true
	}
}
