package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestWrite makes the list of the test's own program, which is built from this module.
func TestWrite(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(program, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(program + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(list, &d); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(content)
	if c := d.Metadata.Component; c.Version != "v1.2.3" || c.Hashes[0].Content != hex.EncodeToString(digest[:]) {
		t.Errorf("the program is described as %+v", c)
	}
	if std := "pkg:golang/std@" + runtime.Version(); d.Components[0].PackageURL != std || d.Dependencies[0].DependsOn[0] != std {
		t.Errorf("components %+v, want %s first", d.Components, std)
	}
	if err := write(filepath.Join(t.TempDir(), "absent"), ""); err == nil {
		t.Error("no error for a program that does not exist")
	}
}
