# make build, make test: everything else serves those who change regraft.

export CGO_ENABLED = 0

GO         ?= go
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     = -s -w -X regraft/engine.Version=$(VERSION)
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS   = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# Packages whose tests compare bits: they run once more on every instruction set.
BITS = ./engine/... ./photo/... ./head ./train .

# The few that decide: kernels, operators, photos, and hashes of narrow networks and of what they become by training. Where these are the same,
# whatever else is computed is, and need not be computed slowly. $(call compare,GO TEST)
define compare
	$(1) ./engine/kernel ./engine/kernel/asm ./engine/op ./engine/solver ./photo/pixel ./photo/jpeg
	$(1) -run 'OfPillow|TestForms|TestResize|TestInputs|TestReadRows|TestOperations$$|Torchvision|TestFindingGeneration' ./photo
	$(1) -run 'TestBits|TestOperatorTable$$|TestFormsInfer' ./engine/run
	$(1) -run 'TestFitBits|TestObjectiveBits|TestHeadsBits' ./train ./demo
endef

# Nobody asks the command line's library for manual pages: 0.3 MB less.
TAGS = urfave_cli_no_docs

# The program's bytes depend on the sources, the version and the Go release alone. Its largest size is in bytes.
PROGRAM  = GOFLAGS= GOEXPERIMENT= GOAMD64=v1 GOARM64=v8.0 $(GO) build -trimpath -buildvcs=false -tags $(TAGS) -ldflags '$(LDFLAGS)'
MAX_SIZE = 40000000
SHA256   = $(shell command -v sha256sum || echo shasum -a 256)

.PHONY: build demo test check test-bits test-arm64 test-all format bench bench-peers arm64-model arm64-count lint generate cross release release-check

build:
	$(PROGRAM) -o bin/regraft ./cli/regraft

demo: build
	rm -rf regraft-demo
	bin/regraft demo

test:
	$(GO) test -timeout 0 ./...

# For daily work: long tests are left out. go vet comes first, so go test need not vet again.
check: format
	$(GO) vet ./...
	$(GO) test -short -vet=off -timeout 0 ./...

# The same bits on every path: each instruction set, a compiler that may fuse multiplication and addition, and no assembly at all.
# SHORT=-short leaves out long tests.
test-bits:
	REGRAFT_ISA=avx2 $(GO) test $(SHORT) -timeout 0 -count 1 $(BITS)
	GOAMD64=v3 $(GO) test $(SHORT) -timeout 0 $(BITS)
	$(call compare,REGRAFT_ISA=go $(GO) test $(SHORT) -timeout 0 -count 1)
	$(call compare,$(GO) test $(SHORT) -timeout 0 -tags noasm)

# The same on arm64, whose programs qemu runs.
ARM64_QEMU = qemu-aarch64-static

test-arm64:
	$(call compare,GOARCH=arm64 $(GO) test -exec $(ARM64_QEMU) -short -timeout 0)

test-all: test test-bits

bench:
	$(GO) test -run '^$$' -bench . -benchtime 3x ./...

# bench-peers alternates regraft with the peers of scripts/setup_peers.sh and writes bench/RESULT-<date>:
# make bench-peers PEERS=folder MODEL=inception_v3.onnx ARGS='--items classify,photos,families,families-train'
bench-peers:
	scripts/bench_peers.py $(PEERS) $(MODEL) $(ARGS)

# What the inner loops for arm64 cost by LLVM's models of processors, in a table; bench/ARM64.md says what that is worth.
arm64-model:
	scripts/arm64_model.py

# The instructions of a program under qemu (Debian: qemu-user), function by function: make arm64-count ARGS='classify -m model.onnx -t 1 photo.jpg'
arm64-count:
	mkdir -p bin
	cc -O2 -Wall -shared -fPIC -o bin/arm64_count.so scripts/arm64_count.c
	GOARCH=arm64 $(GO) build -o bin/regraft_arm64 ./cli/regraft
	qemu-aarch64 -plugin bin/arm64_count.so,out=bin/arm64_count.txt bin/regraft_arm64 $(ARGS)
	scripts/arm64_count.py bin/arm64_count.txt

format:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w $$unformatted"; exit 1; fi

lint: format
	$(GO) vet ./...
	$(STATICCHECK) ./...

generate:
	$(GO) generate ./...

cross:
	@set -e; for p in $(PLATFORMS); do echo "build $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./...; done

# Static programs for all platforms in dist/, each with its bill of materials (CycloneDX), and their SHA-256 sums.
release:
	rm -rf dist
	@set -e; for p in $(PLATFORMS); do os=$${p%/*} arch=$${p#*/} ext=; \
		if [ $$os = windows ]; then ext=.exe; fi; echo "build $$p"; \
		GOOS=$$os GOARCH=$$arch $(PROGRAM) -o dist/regraft_$${os}_$$arch$$ext ./cli/regraft; done
	$(GO) run ./scripts/sbom -version '$(VERSION)' dist/regraft_*
	cd dist && $(SHA256) regraft_* > SHA256SUMS
	@size=$$(wc -c < dist/regraft_linux_amd64); echo "linux/amd64: $$size bytes of at most $(MAX_SIZE)"; test $$size -le $(MAX_SIZE)

release-check:
	scripts/release_check.sh
