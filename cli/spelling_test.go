package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"regraft/setting"
)

// TestSpelling: every setting that a library may name is a flag of some command.
func TestSpelling(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../setting/setting.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]bool{}
	for _, c := range newApp(newConsole(strings.NewReader(""), nil, nil)).Commands {
		for _, name := range flagNames(c.Flags) {
			flags[name] = true
		}
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		c, is := n.(*ast.ValueSpec)
		if !is || len(c.Values) != 1 || c.Names[0].Name == "spell" {
			return true
		}
		name := setting.Name(c.Names[0].Name)
		if found++; !flags[name.String()] {
			t.Errorf("%s is called %s, which is no flag", c.Names[0].Name, name)
		}
		if value := c.Values[0].(*ast.BasicLit).Value; value != strconv.Quote(string(name)) {
			t.Errorf("the constant %s has the value %s", c.Names[0].Name, value)
		}
		return true
	})
	if found != len(settingFlags) {
		t.Errorf("%d settings, %d flags", found, len(settingFlags))
	}
}

// TestLibrariesNameNoFlags: packages below the command line speak to Go programs as well.
func TestLibrariesNameNoFlags(t *testing.T) {
	flag := regexp.MustCompile(`(^|[^-\w])--[a-z]`)
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel := strings.TrimPrefix(filepath.ToSlash(path), "../"); d.IsDir() && (rel == "cli" || rel == "scripts" || d.Name() == "testdata" || strings.HasPrefix(rel, ".")) && path != ".." {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, is := n.(*ast.BasicLit); is && text.Kind == token.STRING && flag.MatchString(text.Value) {
				t.Errorf("%v: %s names a flag: see package setting", set.Position(text.Pos()), text.Value)
			}
			return true
		})
		return nil
	})
	if err != nil || files < 300 {
		t.Fatalf("%d files were read: %v", files, err)
	}
}
