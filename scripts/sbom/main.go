// Sbom writes the software bill of materials of Go programs: for every program named, a file beside it,
// NAME.cdx.json, in CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/). What is inside a program is read from
// the program itself (debug/buildinfo), so that the list cannot differ from it; the same program gives the same bytes.
//
//	go run ./scripts/sbom -version v1.0.0 dist/regraft_linux_amd64
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
)

type document struct {
	Format       string      `json:"bomFormat"`
	Spec         string      `json:"specVersion"`
	Version      int         `json:"version"`
	Metadata     metadata    `json:"metadata"`
	Components   []component `json:"components"`
	Dependencies []relation  `json:"dependencies"`
}

type metadata struct {
	Component  component  `json:"component"`
	Properties []property `json:"properties"` // how the program was built: its platform and flags
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	PackageURL string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type relation struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func main() {
	version := flag.String("version", "dev", "the program's version")
	flag.Parse()
	for _, program := range flag.Args() {
		if err := write(program, *version); err != nil {
			fmt.Fprintln(os.Stderr, "sbom:", err)
			os.Exit(1)
		}
	}
}

// write makes the list of one program.
func write(program, version string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	list, err := json.MarshalIndent(describe(filepath.Base(program), version, sha256.Sum256(content), info), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(program+".cdx.json", append(list, '\n'), 0o644)
}

// describe lists the standard library and every module of a program.
func describe(name, version string, digest [sha256.Size]byte, info *debug.BuildInfo) document {
	program := component{Ref: name, Type: "application", Name: name, Version: version,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(digest[:])}}}
	d := document{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{Component: program}}
	for _, s := range info.Settings {
		d.Metadata.Properties = append(d.Metadata.Properties, property{"go:build:" + s.Key, s.Value})
	}
	d.Components = []component{library("std", info.GoVersion, "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		d.Components = append(d.Components, library(m.Path, m.Version, m.Sum))
	}
	uses := relation{Ref: program.Ref}
	for _, c := range d.Components {
		uses.DependsOn = append(uses.DependsOn, c.Ref)
	}
	d.Dependencies = []relation{uses}
	return d
}

// library is a module; sum is its hash in go.sum.
func library(path, version, sum string) component {
	url := "pkg:golang/" + path + "@" + version
	c := component{Ref: url, Type: "library", Name: path, Version: version, PackageURL: url}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}
